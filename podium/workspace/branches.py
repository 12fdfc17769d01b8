"""The lock that a clone wrote, kept for the project: a commit on a branch of its own, `podium/retrain-…`.

A person merges it whenever they like. Until then the next scheduled run begins with it, so that nothing is fetched or
trained twice. The branch checked out, the index and the files of the user's folder are not touched.
"""

import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from podium.errors import PodiumError
from podium.git import ask_git
from podium.paths import LOCK
from podium.workspace.clone import git_environment

BRANCHES = "podium/retrain-"
_AUTHOR = ("-c", "user.name=podium", "-c", "user.email=podium@localhost", "-c", "commit.gpgSign=false")


@dataclass(frozen=True)
class Branch:
    """A branch with a lock that the project does not have yet.

    Attributes:
        name: `podium/retrain-2026-05-01-blue-fox`.
        is_overwriting: whether the project's own lock has changes that are not committed, which git would not merge.
    """

    name: str
    is_overwriting: bool

    @property
    def command(self) -> str:
        """What to type to have its results."""
        take = f"git checkout {self.name} -- {LOCK}" if self.is_overwriting else f"git merge {self.name}"
        return f"{take} && dvc checkout --allow-missing"


def find_unmerged(root: Path, commit: str) -> str | None:
    """Give the newest branch that waits to be merged into a commit; None if there is none.

    One from before the last commit that changed the lock is out of date, and does not count.
    """
    pattern = f"refs/heads/{BRANCHES}*"
    words = ("for-each-ref", "--sort=-committerdate", "--format=%(refname:short)", f"--no-merged={commit}", pattern)
    last = _ask(root, "log", "-1", "--format=%H", commit, "--", LOCK.name)
    names = [name for name in _ask(root, *words).split() if not last or _is_before(root, last, name)]
    newest = (one for one in names if not any(_is_before(root, one, other) for other in names if other != one))
    return next(newest, None)  # by what they contain, then by time: git's times are whole seconds


def read_lock(root: Path, revision: str) -> bytes | None:
    """Give the lock of a branch or a commit; None if it has none."""
    return ask_git(root, "show", f"{revision}:./{LOCK.name}")


def keep_lock(root: Path, commit: str, lock: Path, title: str) -> Branch | None:
    """Make a branch with a lock in the project's repository, unless the project has the same one.

    Args:
        root: the project's root.
        commit: the sha of the commit that the lock was made from.
        lock: the file.
        title: what becomes part of the branch's name.

    Returns:
        The branch, new or as it waits already; None if the project has the lock.

    Raises:
        PodiumError: git cannot do it.
    """
    content = lock.read_bytes() if lock.is_file() else None
    here = (root / LOCK).read_bytes() if (root / LOCK).is_file() else None
    if content is None or content in (here, read_lock(root, commit)):
        return None
    is_overwriting = bool(_ask(root, "status", "--porcelain", "--", LOCK.name))
    waiting = find_unmerged(root, commit)
    if waiting and read_lock(root, waiting) == content:
        return Branch(waiting, is_overwriting)
    prefix = _ask(root, "rev-parse", "--show-prefix")
    name = f"{BRANCHES}{datetime.now().astimezone():%Y-%m-%d}-{title}"
    with TemporaryDirectory(prefix="podium-") as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        blob = _git(root, "hash-object", "-w", "--no-filters", str(lock))
        _git(root, "read-tree", commit, **index)
        _git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{prefix}{LOCK}", **index)
        tree = _git(root, "write-tree", **index)
    parents = [word for parent in (commit, waiting) if parent for word in ("-p", parent)]
    made = _git(root, *_AUTHOR, "commit-tree", tree, *parents, "-m", f"dvc.lock as {title} made it")
    _git(root, "update-ref", f"refs/heads/{name}", made, "")
    return Branch(name, is_overwriting)


def _is_before(root: Path, revision: str, other: str) -> bool:
    return ask_git(root, "merge-base", "--is-ancestor", revision, other) is not None


def _ask(root: Path, *words: str) -> str:
    return (ask_git(root, *words) or b"").decode(errors="replace").strip()


def _git(root: Path, *words: str, **variables: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, check=False, env=git_environment() | variables
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise PodiumError(f"git could not keep the new {LOCK} on a branch of {root}: {said}")
    return done.stdout.decode().strip()
