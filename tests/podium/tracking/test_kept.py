"""What a run keeps of how it was made."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from podium.tracking.kept import describe_machine, find_edited, find_files


@pytest.fixture
def repository(project: Path) -> Path:
    """The shipped page in a git repository of its own, as a folder of it: a project need not be at the top."""
    top = project.parent
    git = ["git", "-C", str(top), "-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}, check=True)
    return project


def test_edited_files_are_named_but_for_those_that_are_kept_themselves(repository: Path) -> None:
    assert find_edited(repository) == []
    (repository / "params.yaml").write_text("# edited\n")
    assert find_edited(repository) == []
    (repository / "dvc.yaml").unlink()
    (repository / "recipes/digits.yaml").write_text("ä\n")
    (repository / "new.py").write_text("")  # not tracked: a stage that reads it has it in its lock
    assert find_edited(repository) == ["project/dvc.yaml", "project/recipes/digits.yaml"]


def test_in_no_repository_nothing_is_edited(project: Path) -> None:
    assert find_edited(project) == []


def test_what_is_there_is_kept_and_what_is_not_there_is_left_out(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data/review.csv").write_text("dataset,id,sha256,decision,note\n")
    kept = find_files(project, "digits")
    assert kept == {
        name: project / path for name, path in (("params.yaml", "params.yaml"), ("review.csv", "data/review.csv"))
    }


def test_the_machine_is_known_by_its_instructions_and_its_cores() -> None:
    machine = describe_machine()
    assert machine["cores"] == os.cpu_count()
    assert machine["processor"]
    assert "fpu" not in machine["instructions"]  # rounds nothing
    assert json.loads(json.dumps(machine)) == machine
