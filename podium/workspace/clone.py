"""Isolated clones: the project at one of its commits, in a folder of its own, with the project's cache of DVC's.

The clone borrows git's objects and never writes to them: no ref, no worktree, no lock of the user's workspace is
touched. What a kill leaves is the clone's folder. There are two of them: `clone_at` for who compares, where nothing is
put into DVC's cache, and `isolated_clone` for who works, whose results the project then has from that cache.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dvc.config import ConfigError
from dvc.exceptions import DvcException
from dvc.output import CheckoutError
from dvc.repo import Repo
from dvc.scm import SCMError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from podium.errors import PodiumError
from podium.files import scratch_folder
from podium.git import ask_git, find_commit, is_shallow
from podium.paths import CLONES, DOWNLOADS, FEATURES, HOME, PARAMS, DatasetPaths, home
from podium.workspace.checkpoints import keep_checkpoints, lent_checkpoints
from podium.workspace.graph import MAKE_REPOSITORY, PIPELINE

MAX_PAGE_BYTES = 4 << 20
"""Of a params page that is read whole: some come from servers."""

CLONE = "clone"
"""The name of the clone in its folder."""
FULL_BYTES = 16 << 20
"""A disk with less is called full."""

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


def _share_cache(root: Path, clone: Path, links: str | None = None) -> None:
    """Let the clone use the project's cache, and keep all else that DVC writes down in its own folder.

    Args:
        root: the project's root.
        clone: the clone's.
        links: how files come from the cache, unless the project's configuration says it.
    """
    try:
        with Repo(str(root)) as repo:
            cache, links = repo.cache.local_cache_dir, repo.config["cache"].get("type") or links
        with Repo(str(clone)) as repo, repo.config.edit("local") as config:
            config["cache"] = {"dir": cache} | ({"type": links} if links else {})
            config["core"] = {
                "site_cache_dir": str(clone / ".dvc/tmp/site"),
                "analytics": False,
                "autostage": False,
                "check_update": False,
            }
    except (DvcException, ConfigError) as error:
        raise PodiumError(f"DVC cannot work with the isolated clone: {error}") from error


@contextmanager
def isolated_clone(root: Path, commit: str, *, place: Path | None = None) -> Iterator[Path]:
    """Give a clone to work in. DVC reads from and writes to the project's cache, its run-cache included.

    So `dvc repro` in the project then restores what was made here. Data is not checked out: `check_out` brings it.
    Downloads and the feature cache are the project's own folders, as are the files beside git that the page names; what
    else belongs to the project and not to one clone is found by `podium.paths.home`.

    The clone is removed at the end; one that a kill left, by the next call. A training that was not over by then goes
    on from its checkpoint in the next clone.

    Args:
        root: the project's root.
        commit: the sha of a commit.
        place: the folder in which clones are made; by default one in the project that git and DVC ignore, on the disk
            of the cache, so that files can be linked.

    Raises:
        PodiumError: the clone cannot be made.
    """
    folder, project = place or root / CLONES, home(root)

    def salvage(left: Path) -> None:
        keep_checkpoints(project, left / CLONE / _answer(root, "rev-parse", "--show-prefix"))

    with ExitStack() as stack:
        try:
            own = stack.enter_context(scratch_folder(folder, "clone-", salvage))
        except OSError as error:
            raise PodiumError(f"No isolated clone can be made in {folder}: {error}.") from error
        clone = _make_clone(root, commit, own)
        stack.enter_context(lent_checkpoints(project, clone))
        yield clone


def _make_clone(root: Path, commit: str, own: Path) -> Path:
    try:
        clone = clone_at(root, commit, own / CLONE, {})
        _share_cache(root, clone, _LINKS)
        _share_remotes(root, clone)
        _share_places(root, clone)
    except OSError as error:
        raise PodiumError(f"The isolated clone {own} cannot be made: {error}.") from error
    return clone


_LINKS = "reflink,hardlink,copy"
"""A clone takes a second and no room, however large the data: linked files are read-only, and outputs are replaced."""


def _share_remotes(root: Path, clone: Path) -> None:
    """Let a clone know the addresses and credentials that only the project's own configuration holds."""
    with Repo(str(root)) as repo:
        remotes = repo.config.load_one("local")["remote"]
    with Repo(str(clone)) as repo, repo.config.edit("local") as config:
        config["remote"] = remotes


def _share_places(root: Path, clone: Path) -> None:
    """Let a clone use what belongs to the project: the home, downloads that resume, features, local files."""
    (clone / HOME).parent.mkdir(parents=True, exist_ok=True)
    (clone / HOME).write_text(str(home(root)), encoding="utf-8")
    for path in (DOWNLOADS, FEATURES):
        (home(root) / path).mkdir(parents=True, exist_ok=True)
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        if not (clone / path).exists():
            (clone / path).symlink_to(home(root) / path)
    link_named_files(home(root), clone, clone.parent)


def check_out(clone: Path, *paths: Path) -> None:
    """Bring into a clone what its lock and its `.dvc` files name, or some of it, as far as the cache has it."""
    places = {clone / path for path in paths}
    try:
        with Repo(str(clone)) as repo:
            known = [Path(out.fs_path) for out in repo.index.outs if out.hash_info]
            if targets := [str(path) for path in known if path in places or not places]:
                repo.checkout(targets, force=True, allow_missing=True)
    except CheckoutError:
        return  # the stages that made what is missing run again
    except DvcException as error:
        raise PodiumError(f"DVC cannot bring the data into the isolated clone: {error}") from error


def link_named_files(root: Path, clone: Path, within: Path) -> None:
    """Show a clone the files beside git and DVC that its page names by a relative path: weights, an archive.

    Args:
        root: the project's root.
        clone: the clone's root.
        within: a link is made in this folder or nowhere.

    Raises:
        PodiumError: the clone's page cannot be read.
    """
    if (size := (clone / PARAMS).stat().st_size) > MAX_PAGE_BYTES:
        raise PodiumError(f"{clone / PARAMS} is no page that podium can read: it has {size:,} bytes.")
    try:
        page: Any = YAML(typ="safe").load(clone / PARAMS)
        named = [entry["source"].get("path") for entry in page["datasets"].values()]
        named += [entry["model"].get("weights") for entry in page["candidates"].values()]
    except (OSError, YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise PodiumError(f"{clone / PARAMS} cannot be read: {error}") from error
    for path in (Path(text) for text in named if isinstance(text, str)):
        there = (root / path).resolve()
        link = Path(*(clone / path).parts)
        inside = (link.parent.resolve() / link.name).is_relative_to(within.resolve())
        if not path.is_absolute() and there.exists() and not link.exists() and inside:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(there)


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
    """Bring what people accepted of a dataset, if anything: its version, and the images that they added.

    The accepted manifest is what sticky splits and drift are judged by.
    """
    from podium.workspace.revisions import restore

    paths = DatasetPaths(dataset)
    for path in (paths.accepted, paths.additions):
        pointer = Path(f"{path}.dvc")
        if not (clone / pointer).is_file() and (root / pointer).is_file():
            (clone / pointer).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / pointer, clone / pointer)
        restore(clone, path)
    if (root / paths.additions).is_dir():  # what was added after the commit; a table of the run may name it
        (clone / paths.additions).mkdir(parents=True, exist_ok=True)
        for file in (root / paths.additions).iterdir():
            if not (clone / paths.additions / file.name).exists():
                shutil.copyfile(file, clone / paths.additions / file.name)


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


def git_environment() -> dict[str, str]:
    """Give the environment in which git means the folder that it is told."""
    return {key: value for key, value in os.environ.items() if key not in _GIT_PLACES} | {"LC_ALL": "C"}


def _git(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False, env=git_environment())
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()  # on a full disk there is one for each file
        free = shutil.disk_usage(folder).free
        full = f" The disk is full: {free / 1e6:.1f} MB are free there. Make room." if free < FULL_BYTES else ""
        raise PodiumError(f"git could not make the isolated clone {folder}: {said[-1] if said else ''}{full}")
