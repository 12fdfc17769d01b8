"""Files of other git revisions, from DVC's cache or its remote."""

from contextlib import suppress
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import resolve_rev
from dvc.utils.serialize import ParseError

from podium.errors import PodiumError
from podium.git import find_commit, is_shallow
from podium.workspace.graph import MAKE_REPOSITORY


def find_revision(root: Path, revision: str) -> str:
    """Give the sha of a git revision: of a commit, a branch, a tag.

    Raises:
        PodiumError: git has no such revision, or cannot be asked.
    """
    if find_commit(root) is None:
        raise PodiumError(f"There is no revision '{revision}': {root} is in no git repository.", hint=MAKE_REPOSITORY)
    try:
        with Repo(str(root)) as repo:
            return str(resolve_rev(repo.scm, revision))
    except DvcException as error:
        hint = "`git fetch` brings what the remote repository has."
        if is_shallow(root):
            hint = "This clone is shallow; `git fetch --unshallow origin` brings the rest of its history."
        raise PodiumError(
            f"git has no revision '{revision}' here. Expected a commit, a branch or a tag of this clone. {hint}"
        ) from error


def read_at(root: Path, path: Path, revision: str) -> bytes | None:
    """Read an output of a stage as a git revision has it, from DVC's cache or else its remote.

    Returns:
        The file's bytes; None if the revision's `dvc.lock` does not name it, or neither cache nor remote has it.

    Raises:
        PodiumError: one of DVC's files in that revision cannot be read.
    """
    from dvc.api import read  # a fifth of a second to import

    try:
        return bytes(read(str(path), repo=str(root), rev=revision, mode="rb"))
    except ParseError as error:
        raise PodiumError(f"The commit {revision[:10]} has files that DVC cannot read: {error}.") from error
    except (DvcException, OSError):
        return None


def restore(root: Path, path: Path) -> None:
    """Bring a file or folder that `dvc add` tracks here, from DVC's cache or else its remote, if one of them has it.

    Nothing is brought where there is one of that name.
    """
    pointer = root / f"{path}.dvc"
    with Repo(str(root)) as repo:
        for bring in (repo.checkout, repo.pull):
            if pointer.is_file() and not (root / path).exists():
                with suppress(DvcException):
                    bring(targets=[str(pointer)])
