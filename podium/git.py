"""What git knows of the project. Whatever keeps it from answering is said once, here."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from podium.errors import PodiumError

_MARKER = re.compile(r"^(<<<<<<<|>>>>>>>)( |$)", re.MULTILINE)


def ask_git(root: Path, *arguments: str) -> bytes | None:
    """Ask git about the project.

    Args:
        root: the project's root.
        arguments: the words after `git`.

    Returns:
        What it answers; None if it has no such thing, or there is no repository, or no git.

    Raises:
        PodiumError: git does not trust the folder.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, check=False, env=os.environ | {"LC_ALL": "C"}
        )
    except OSError:
        return None
    if b"dubious ownership" in done.stderr:
        named = re.search(r"--add safe\.directory (.+)", done.stderr.decode(errors="replace"))
        folder = named[1] if named else shlex.quote(str(root))
        raise PodiumError(
            f"git does not look into {root}: the folder belongs to another user, as mounted folders do. If you trust "
            f"it, say so to git: `git config --global --add safe.directory {folder}`."
        )
    return None if done.returncode else done.stdout


def find_commit(root: Path) -> str | None:
    """Give the sha of the commit that is checked out; None if the project is in no git repository.

    Raises:
        PodiumError: git is not installed or does not trust the folder, or the project is in no commit yet.
    """
    if shutil.which("git") is None and any((folder / ".git").exists() for folder in (root, *root.parents)):
        raise PodiumError(f"{root} is in a git repository, but the command `git` is not found. Install git.")
    if found := ask_git(root, "rev-parse", "HEAD", "HEAD:./dvc.yaml"):
        return found.decode().split()[0]
    if ask_git(root, "rev-parse", "--git-dir") is None:
        return None
    raise PodiumError(
        f"{root} is in a git repository, but in no commit of it, so no run could say which code made it. "
        "Commit it: `git add --all && git commit -m 'as downloaded'`."
    )


def is_shallow(root: Path) -> bool:
    """Say whether the clone was made without its whole history."""
    return ask_git(root, "rev-parse", "--is-shallow-repository") == b"true\n"


def describe_conflict(path: Path) -> str | None:
    """Say what to do about a file that a merge left undecided; None if it is no such file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = _MARKER.search(text)
    if found is None:
        return None
    way_out = "Keep the lines that are meant, without the markers"
    if path.name == "dvc.lock":
        way_out = (
            "Take one side, `git checkout --ours dvc.lock` or `git checkout --theirs dvc.lock`: "
            "the next run brings it up to date"
        )
    line = text.count("\n", 0, found.start()) + 1
    return f"{path.name} has merge markers, the first in line {line}. {way_out}; then `git add {path.name}`."
