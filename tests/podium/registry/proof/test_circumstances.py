"""What is said where a version was made in other circumstances than those of today."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from podium.errors import PodiumError
from podium.registry.proof.circumstances import (
    Source,
    describe_changed_machine,
    describe_changed_packages,
    describe_edited,
    read_source,
)
from podium.tracking.kept import describe_machine
from podium.tracking.lineage import describe_environment

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def subject(**tags: str) -> Any:
    return SimpleNamespace(run=SimpleNamespace(data=SimpleNamespace(tags=tags)))


def write(path: Path, content: str) -> dict[str, Path]:
    path.write_text(content, encoding="utf-8")
    return {path.name: path}


def test_the_commit_and_the_edited_files_are_those_that_the_run_keeps(tmp_path: Path) -> None:
    kept = write(tmp_path / "source.json", json.dumps({"commit": COMMIT, "edited": ["podium/a.py"]}))
    source = read_source(subject(), kept)
    assert source == Source(COMMIT, ("podium/a.py",))
    assert describe_edited(source).startswith("Files were not as in the commit 0123456789: podium/a.py.")


@pytest.mark.parametrize(
    ("tags", "source", "said"),
    [
        ({"mlflow.source.git.commit": COMMIT, "podium.edited": "no"}, Source(COMMIT, ()), ""),
        ({"mlflow.source.git.commit": COMMIT, "podium.edited": "yes"}, Source(COMMIT, None), "may have been"),
        ({"mlflow.source.git.commit": "not in git", "podium.edited": "unknown"}, Source("", None), "may have been"),
        ({}, Source("", None), "may have been"),
    ],
)
def test_of_an_older_run_its_tags_are_all_that_is_known(tags: dict[str, str], source: Source, said: str) -> None:
    assert read_source(subject(**tags), {}) == source
    assert said in describe_edited(source)
    assert bool(said) == bool(describe_edited(source))


@pytest.mark.parametrize(("key", "value"), [("instructions", ["sse4_1"]), ("cores", 1024), ("architecture", "vax")])
def test_a_machine_that_adds_up_in_another_order_is_told(tmp_path: Path, key: str, value: object) -> None:
    machine = describe_machine()
    assert describe_changed_machine(write(tmp_path / "machine.json", json.dumps(machine))) == ""
    other = machine | {"processor": "Another", key: value}
    said = describe_changed_machine(write(tmp_path / "machine.json", json.dumps(other)))
    assert said.startswith("It was made on Another")
    assert ("the sets of instructions differ" in said) == (key == "instructions")


def test_a_processor_of_another_name_alone_is_the_same_kind(tmp_path: Path) -> None:
    machine = describe_machine() | {"processor": "Another"}
    assert describe_changed_machine(write(tmp_path / "machine.json", json.dumps(machine))) == ""


def test_packages_that_differ_are_named_those_that_compute_first(tmp_path: Path) -> None:
    now = describe_environment()
    assert describe_changed_packages(write(tmp_path / "environment.txt", now)) == ""
    then = "".join(f"aa{number}==1\n" for number in range(20)) + now.replace("\nnumpy==", "\nnumpy==0.")
    said = describe_changed_packages(write(tmp_path / "environment.txt", then))
    assert said.startswith("Other packages are installed: numpy 0.")
    assert said.endswith(", and 13 more.")
    assert "aa0 1 then, (not there) now" in said


def test_what_was_not_kept_is_told() -> None:
    assert "was not kept" in describe_changed_machine({})
    assert "was not kept" in describe_changed_packages({})


@pytest.mark.parametrize("content", ["", "[1]", "3", '{"a": ', "[" * 100_000])
def test_a_file_that_no_podium_wrote_is_one_message(tmp_path: Path, content: str) -> None:
    with pytest.raises(PodiumError, match=r"source\.json of the run's lineage is none that podium wrote"):
        read_source(subject(), write(tmp_path / "source.json", content))
