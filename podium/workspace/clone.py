"""Isolated clones: the project at one of its commits, in a folder of its own, with the project's cache of DVC's.

The clone borrows git's objects and DVC's cache, and writes to neither: no ref, no worktree, no lock of the user's
workspace is touched. What a kill leaves is the clone's folder.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dvc.config import ConfigError
from dvc.exceptions import DvcException
from dvc.output import CheckoutError
from dvc.repo import Repo
from dvc.scm import SCMError

from podium.errors import PodiumError
from podium.git import ask_git, find_commit, is_shallow
from podium.paths import DatasetPaths
from podium.workspace.graph import MAKE_REPOSITORY, PIPELINE

_GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""A git hook hands these on; in the clone they would mean the wrong repository."""


def has_commit(root: Path, commit: str) -> bool:
    """Say whether the project's repository has a commit."""
    return ask_git(root, "cat-file", "-e", f"{commit}^{{commit}}") is not None


def clone_at(root: Path, commit: str, folder: Path, files: Mapping[Path, Path]) -> Path:
    """Make an isolated clone of the project as it is in a commit.

    Args:
        root: the project's root.
        commit: the sha of a commit, on a branch or not.
        folder: where to; it must not be there yet, or be empty.
        files: what to put in place of the commit's own files: places relative to the root, and the files to copy.

    Returns:
        The root of the cloned project: the folder itself, or a folder in it, as in the user's repository.

    Raises:
        PodiumError: the project is in no repository, or that has no such commit, or no project in it.
    """
    if find_commit(root) is None:
        raise PodiumError(f"{root} is in no git repository, so the code of {commit[:10]} is not at hand.", hint=_CLONE)
    if not has_commit(root, commit):
        hint = "`git fetch --all` brings what the remote repository has; else fetch it from who made the version."
        if is_shallow(root):
            hint = "This clone is shallow; `git fetch --unshallow origin` brings the rest of its history."
        raise PodiumError(f"The commit {commit[:10]} is not in this clone of the repository.", hint=hint)
    common = Path(_answer(root, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    prefix = _answer(root, "rev-parse", "--show-prefix")
    kind = _answer(root, "rev-parse", "--show-object-format")
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet", f"--object-format={kind}")
    (folder / ".git/objects/info").mkdir(exist_ok=True)
    (folder / ".git/objects/info/alternates").write_text(f"{common / 'objects'}\n", encoding="utf-8")
    if (common / "shallow").is_file():  # else git would look for parents that nobody has
        shutil.copyfile(common / "shallow", folder / ".git/shallow")
    _git(folder, "-c", "core.hooksPath=/dev/null", "checkout", "--quiet", "--detach", commit)
    clone = folder / prefix
    if not (clone / PIPELINE).is_file():
        raise PodiumError(f"The commit {commit[:10]} has no {prefix}{PIPELINE}: the project was elsewhere then.")
    for place, file in files.items():
        (clone / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, clone / place)
    _share_cache(root, clone)
    return clone


_CLONE = f"Clone the repository that it was made in, and type this there. {MAKE_REPOSITORY}"


def _share_cache(root: Path, clone: Path) -> None:
    """Let the clone read from the project's cache, and keep all else that DVC writes down in its own folder."""
    try:
        with Repo(str(root)) as repo:
            cache, links = repo.cache.local_cache_dir, repo.config["cache"].get("type")
        with Repo(str(clone)) as repo, repo.config.edit("local") as config:
            config["cache"] = {"dir": cache} | ({"type": links} if links else {})
            config["core"] = {"site_cache_dir": str(clone / ".dvc/tmp/site"), "analytics": False, "autostage": False}
    except (DvcException, ConfigError) as error:
        raise PodiumError(f"DVC cannot work with the isolated clone: {error}") from error


def find_cache(root: Path) -> Path | None:
    """Give the folder of DVC's cache with the project's files by their md5; None if there is no cache."""
    try:
        with Repo(str(root)) as repo:
            folder = Path(repo.cache.local.path)
    except (DvcException, ConfigError, SCMError):
        return None
    return folder if folder.is_dir() else None


def bring_raw(root: Path, clone: Path, dataset: str) -> bool:
    """Bring what arrived of a dataset into a clone: from DVC's cache, or else from the project's remote.

    Returns:
        Whether it is there now; if not, the stage `download` has to run.
    """
    paths = DatasetPaths(dataset)
    targets = [str(clone / path) for path in (paths.raw, paths.lock)]
    with Repo(str(root)) as repo:
        remotes = {"remote": repo.config["remote"], "core": repo.config["core"]}  # with what only the user's file says
    with Repo(str(clone), config=remotes) as repo:
        for fetch in (False, True):
            try:
                if fetch:
                    repo.fetch(targets=targets)
                repo.checkout(targets=targets, force=True)
                return True
            except (CheckoutError, DvcException, ConfigError, OSError):
                continue
    return False


def restore_accepted(root: Path, clone: Path, dataset: str) -> None:
    """Bring the accepted manifest of a dataset, which sticky splits and drift are judged by, if there is one."""
    from podium.workspace.revisions import restore

    pointer = Path(f"{DatasetPaths(dataset).accepted}.dvc")
    if not (clone / pointer).is_file() and (root / pointer).is_file():
        (clone / pointer).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / pointer, clone / pointer)
    restore(clone, DatasetPaths(dataset).accepted)


def find_changed_code(clone: Path, stages: list[str]) -> list[Path]:
    """Name the files and folders of code that are not as the clone's lock has them, though the commit is its own."""
    with Repo(str(clone)) as repo:
        made = {out.fs_path for out in repo.index.outs}
        deps = [
            dep
            for stage in repo.index.stages
            if getattr(stage, "name", "") in stages
            for dep in stage.deps
            if dep.hash_info and dep.fs_path not in made and not hasattr(dep, "params")
        ]
        changed = {Path(dep.fs_path) for dep in deps if dep.workspace_status()}
    return sorted(path.relative_to(clone) for path in changed)


def _answer(root: Path, *words: str) -> str:
    return (ask_git(root, *words) or b"").decode().strip()


def _git(folder: Path, *words: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in _GIT_PLACES}
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, check=False, env=environment | {"LC_ALL": "C"}
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise PodiumError(f"git could not make the isolated clone {folder}: {said}")
