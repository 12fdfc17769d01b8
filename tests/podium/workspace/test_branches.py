"""A lock that a clone wrote waits on a branch; the folder in which a person works stays as it is."""

from pathlib import Path

import pytest

from podium.workspace.branches import find_unmerged, keep_lock, read_lock
from tests.podium.workspace.test_clone import git


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder of its repository, with a lock, and an edited file."""
    root = tmp_path / "top/project"
    root.mkdir(parents=True)
    git(tmp_path / "top", "init", "-q")
    (root / "dvc.lock").write_text("old\n")
    (root / "code.txt").write_text("one\n")
    git(root, "add", "--all")
    git(root, "commit", "-qm", "first")
    (root / "code.txt").write_text("edited\n")
    return root


def head(project: Path) -> str:
    return git(project, "rev-parse", "HEAD")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "made.lock").write_text("new\n")
    return tmp_path / "made.lock"


def test_a_new_lock_is_a_commit_on_a_branch_and_nothing_else_is_touched(project: Path, made: Path) -> None:
    before, status = head(project), git(project, "status", "--porcelain")
    branch = keep_lock(project, before, made, "blue-fox")
    assert branch
    assert branch.name.startswith("podium/retrain-")
    assert branch.name.endswith("-blue-fox")
    assert read_lock(project, branch.name) == b"new\n"
    assert git(project, "diff", "--name-only", before, branch.name) == "project/dvc.lock"
    assert (head(project), git(project, "status", "--porcelain")) == (before, status)
    assert (project / "dvc.lock").read_text() == "old\n"
    assert branch.command == f"git merge {branch.name} && dvc checkout --allow-missing"
    git(project, "merge", "-q", branch.name)
    assert (project / "dvc.lock").read_text() == "new\n"
    assert keep_lock(project, head(project), made, "another") is None
    assert find_unmerged(project, head(project)) is None


def test_the_same_lock_makes_no_second_branch_and_the_next_one_brings_the_first_along(
    project: Path, made: Path
) -> None:
    first = keep_lock(project, head(project), made, "first")
    assert keep_lock(project, head(project), made, "again") == first
    made.write_text("newer\n")
    second = keep_lock(project, head(project), made, "second")
    assert first
    assert second
    assert find_unmerged(project, head(project)) == second.name
    git(project, "merge", "-q", second.name)
    git(project, "branch", "-d", first.name)  # git refuses what is not merged


def test_a_branch_from_before_a_lock_that_a_person_committed_is_out_of_date(project: Path, made: Path) -> None:
    assert keep_lock(project, head(project), made, "first")
    (project / "dvc.lock").write_text("by hand\n")
    git(project, "commit", "-qm", "by hand", "dvc.lock")
    assert find_unmerged(project, head(project)) is None


def test_a_lock_that_the_folder_has_makes_no_branch_and_one_that_git_would_not_merge_is_taken_otherwise(
    project: Path, made: Path
) -> None:
    (project / "dvc.lock").write_text("new\n")
    assert keep_lock(project, head(project), made, "same") is None
    (project / "dvc.lock").write_text("not committed\n")
    branch = keep_lock(project, head(project), made, "other")
    assert branch
    assert branch.command == f"git checkout {branch.name} -- dvc.lock && dvc checkout --allow-missing"
    command = branch.command.partition(" && ")[0].split()
    git(project, *command[1:])
    assert (project / "dvc.lock").read_text() == "new\n"
