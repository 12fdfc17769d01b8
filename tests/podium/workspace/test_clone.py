"""An isolated clone: git's objects and DVC's cache are borrowed, and neither is written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.workspace.clone import clone_at, find_cache, find_changed_code
from podium.workspace.lock import read_outputs
from podium.workspace.repro import reproduce
from tests.registered import commit_all

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  copy:
    cmd: cp code.txt made.txt; date >> {log}
    deps: [code.txt]
    outs: [made.txt]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project in a folder of its repository, whose one stage has run; the commit is on no branch any more."""
    top, root = tmp_path / "top", tmp_path / "top/project"
    root.mkdir(parents=True)
    (root / "dvc.yaml").write_text(PIPELINE.format(log=tmp_path / "log"))
    (root / "code.txt").write_text("one\n")
    (root / "data").mkdir()
    git(top, "init", "-q")
    run([sys.executable, "-m", "dvc", "init", "-q", "--subdir"], root)
    run([sys.executable, "-m", "dvc", "repro", "-q"], root)
    commit_all(top, "first")
    return root


def run(command: list[str], folder: Path) -> str:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def git(folder: Path, *words: str) -> str:
    return run(["git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid", *words], folder).strip()


def test_a_clone_is_at_the_commit_in_the_same_folder_and_shares_the_cache(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    (repository / "code.txt").write_text("two\n")
    git(repository, "commit", "-qam", "second", "--amend")  # the first is on no branch now
    refs, page = git(repository, "for-each-ref"), tmp_path / "page"
    page.write_text("from the run\n")
    clone = clone_at(repository, first, tmp_path / "clone", {Path("data/review.csv"): page})
    assert clone == tmp_path / "clone/project"
    assert (clone / "code.txt").read_text() == "one\n"
    assert (clone / "data/review.csv").read_text() == "from the run\n"
    assert git(clone, "rev-parse", "HEAD") == first
    assert git(repository, "for-each-ref") == refs
    assert not git(repository, "worktree", "list").count("\n")
    assert find_cache(clone) == find_cache(repository)
    assert not (clone / "made.txt").exists()


def test_a_stage_runs_afresh_and_leaves_nothing_in_the_cache(repository: Path, tmp_path: Path) -> None:
    clone = clone_at(repository, git(repository, "rev-parse", "HEAD"), tmp_path / "clone", {})
    (clone / "code.txt").write_text("three\n")
    cache = find_cache(repository)
    assert cache is not None
    before = sorted(cache.parent.parent.rglob("*"))
    for times in (2, 3):
        reproduce(clone, "copy", lambda _: None, afresh=True)
        assert len((tmp_path / "log").read_text().splitlines()) == times
    assert read_outputs(clone / "dvc.lock") != read_outputs(repository / "dvc.lock")
    assert sorted(cache.parent.parent.rglob("*")) == before


def test_code_that_is_not_as_in_the_lock_is_named(repository: Path, tmp_path: Path) -> None:
    clone = clone_at(repository, git(repository, "rev-parse", "HEAD"), tmp_path / "clone", {})
    assert find_changed_code(clone, ["copy"]) == []
    (clone / "code.txt").write_text("edited\n")
    assert find_changed_code(clone, ["copy"]) == [Path("code.txt")]
    assert find_changed_code(clone, ["another"]) == []


def test_a_commit_that_is_not_there_is_one_message(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"The commit 0000000000 is not in this clone .*`git fetch --all`"):
        clone_at(repository, "0" * 40, tmp_path / "clone", {})
    (repository / "code.txt").write_text("two\n")
    git(repository, "commit", "-qam", "second")
    first = git(repository, "rev-parse", "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.parent}", "shallow")
    with pytest.raises(PodiumError, match=r"This clone is shallow; `git fetch --unshallow origin`"):
        clone_at(tmp_path / "shallow/project", first, tmp_path / "clone", {})
    last = git(repository, "rev-parse", "HEAD")
    clone = clone_at(tmp_path / "shallow/project", last, tmp_path / "other", {})
    assert (clone / "code.txt").read_text() == "two\n"


def test_a_project_in_no_repository_has_no_clone(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with pytest.raises(PodiumError, match="is in no git repository"):
        clone_at(tmp_path, "0" * 40, tmp_path / "clone", {})


def test_a_git_hook_that_calls_podium_does_not_lead_it_astray(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository.parent / ".git/index"))
    before = (repository.parent / ".git/index").read_bytes()
    clone = clone_at(repository, first, tmp_path / "clone", {})
    assert (clone / "code.txt").is_file()
    assert (repository.parent / ".git/index").read_bytes() == before
