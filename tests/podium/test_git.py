"""What keeps git from answering is said in one message."""

import subprocess
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.git import ask_git, describe_conflict, find_commit, is_shallow

WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *WHO, *words], check=True, capture_output=True)


@pytest.fixture
def cloned(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_the_commit_that_is_checked_out_is_found(cloned: Path) -> None:
    assert find_commit(cloned) == (ask_git(cloned, "rev-parse", "HEAD") or b"").decode().strip()
    assert not is_shallow(cloned)
    assert ask_git(cloned, "rev-parse", "nothing") is None


def test_a_folder_outside_git_has_no_commit(tmp_path: Path) -> None:
    assert find_commit(tmp_path) is None


def test_a_project_that_is_not_committed_is_told_so(cloned: Path) -> None:
    inner = cloned / "inner"
    inner.mkdir()
    with pytest.raises(PodiumError, match=r"in no commit of it.*`git add --all && git commit"):
        find_commit(inner)


def test_another_users_folder_is_named_with_the_way_out(cloned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    with pytest.raises(PodiumError, match=r"another user.*safe\.directory"):
        find_commit(cloned)


def test_a_repository_without_the_command_git_is_named(cloned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cloned))
    with pytest.raises(PodiumError, match="`git` is not found"):
        find_commit(cloned)


def test_a_shallow_clone_is_known(cloned: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(cloned, "commit", "--allow-empty", "-qm", "second")
    copy = tmp_path_factory.mktemp("shallow")
    git(cloned, "clone", "-q", "--depth", "1", f"file://{cloned}", str(copy / "clone"))
    assert is_shallow(copy / "clone")


@pytest.mark.parametrize(
    ("name", "way_out"), [("dvc.lock", "--theirs dvc.lock"), ("params.yaml", "Keep the lines that are meant")]
)
def test_merge_markers_are_named_by_line(tmp_path: Path, name: str, way_out: str) -> None:
    path = tmp_path / name
    path.write_text("schema: '2.0'\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> theirs\n")
    said = describe_conflict(path) or ""
    assert said.startswith(f"{name} has merge markers, the first in line 2. ")
    assert way_out in said


def test_a_file_without_markers_has_no_conflict(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    assert describe_conflict(path) is None
    path.write_text("a: '<<<<<<< is no marker here'\n")
    assert describe_conflict(path) is None
