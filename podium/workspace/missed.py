"""What an isolated clone would not have of the folder in which a person works."""

from dataclasses import dataclass
from pathlib import Path

from podium.errors import PodiumError
from podium.git import ask_git, find_commit
from podium.paths import LOCK
from podium.workspace.graph import MAKE_REPOSITORY

MAX_NAMED = 8
"""Files that are named in a sentence."""


@dataclass(frozen=True)
class Missed:
    """How a folder differs from its commit.

    Attributes:
        commit: the sha of the commit that is checked out.
        changed: tracked files with changes that are not committed, relative to the project's root.
        untracked: files and folders that git neither tracks nor ignores.
    """

    commit: str
    changed: tuple[Path, ...]
    untracked: tuple[Path, ...]

    @property
    def text(self) -> str:
        """In a sentence; empty if a clone has everything."""
        told = [
            f"{_list(paths)} ({what})"
            for paths, what in ((self.changed, "changed, not committed"), (self.untracked, "not in git"))
            if paths
        ]
        return f"A clone of the commit {self.commit[:10]} does not have {' and '.join(told)}." if told else ""


def find_missed(root: Path) -> Missed:
    """Find out how the project's folder differs from its commit.

    What git ignores is no part of the project. `dvc.lock` is left out: the same commit gives the same results.

    Raises:
        PodiumError: the project is in no git repository, or in no commit of it yet.
    """
    commit = find_commit(root)
    if commit is None:
        raise PodiumError(
            f"{root} is in no git repository, and an isolated clone is made from a commit.", hint=MAKE_REPOSITORY
        )
    status = ask_git(root, "status", "--porcelain", "--untracked-files=normal", "--no-renames", "-z", "--", ".") or b""
    prefix = (ask_git(root, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip()
    changed, untracked = list[Path](), list[Path]()
    for entry in filter(None, status.decode(errors="surrogateescape").split("\0")):
        path = Path(entry[3:].removeprefix(prefix))
        if path != LOCK:
            (untracked if entry.startswith("??") else changed).append(path)
    return Missed(commit, tuple(changed), tuple(untracked))


def require_clean(root: Path) -> str:
    """Make sure that a clone has everything that the project's folder has.

    Returns:
        The sha of the commit.

    Raises:
        PodiumError: it lacks something; or as by `find_missed`.
    """
    missed = find_missed(root)
    if missed.text:
        raise PodiumError(
            f"This works in isolated clones, and {missed.text[0].lower()}{missed.text[1:]}",
            hint="Commit what belongs to the project, `git add --all && git commit`, or put it aside: "
            "`git stash --include-untracked`.",
        )
    return missed.commit


def _list(paths: tuple[Path, ...]) -> str:
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    return ", ".join(path.as_posix() for path in paths[:MAX_NAMED]) + more
