"""How versions serve: asked once, kept as tags, and compared on one machine only."""

import math
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE

from podium.registry import measures
from podium.registry.describing import TRIES, write
from podium.registry.measures import Served, make_measures, recall_served, serve, serve_both
from podium.serving import probe as probing
from podium.serving.probe import Probe
from podium.tracking import logged_model


class Version:
    """A version with tags, which is its own client."""

    name = "digits"

    def __init__(self, number: int, machine: str = "") -> None:
        self.version = number
        served = {"podium.p95_ms": "2.0", "podium.peak_mb": "300.0", "podium.probed_on": machine}
        self.tags = served if machine else {}

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        assert (name, version) == (self.name, str(self.version))
        self.tags[key] = value


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the versions that are asked here."""
    asked: list[int] = []

    def answer(_: Any, version: Any) -> Served:
        asked.append(version.version)
        return Served(4.0, 300.0, "here")

    monkeypatch.setattr(measures, "serve", answer)
    return asked


@pytest.mark.parametrize(
    ("challenger", "champion", "expected"),
    [
        ("", "", [2, 1]),
        ("", "here", [2]),
        ("", "there", [2, 1]),
        ("here", "here", []),
        ("there", "there", []),
        ("there", "here", [1, 2]),
        ("there", "", [1, 2]),
    ],
)
def test_both_are_measured_on_one_machine_and_no_more_often_than_that_takes(
    asked: list[int], challenger: str, champion: str, expected: list[int]
) -> None:
    mine, theirs = serve_both(None, Version(2, challenger), Version(1, champion))  # type: ignore[arg-type]
    assert asked == expected
    assert theirs is not None
    assert mine.machine == theirs.machine


def test_without_a_champion_the_challenger_is_asked_alone(asked: list[int]) -> None:
    assert serve_both(None, Version(2), None) == (Served(4.0, 300.0, "here"), None)  # type: ignore[arg-type]
    assert asked == [2]


@pytest.fixture
def downloaded(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the probe finds, and what becomes of the download."""
    found: dict[str, Any] = {"probe": Probe(2.5, 300.0, 0.0, "", "here"), "error": None}

    def download(_: Any, __: Any, folder: Path) -> Path:
        if found["error"]:
            raise found["error"]
        (folder / "artifacts").mkdir(parents=True)
        (folder / "artifacts/model.keras").write_text("weights")
        return folder

    monkeypatch.setattr(logged_model, "download_version", download)
    monkeypatch.setattr(probing, "probe", lambda _: found["probe"])
    return found


def test_how_a_version_serves_is_kept_as_its_tags(downloaded: dict[str, Any]) -> None:
    version: Any = Version(1)
    assert serve(version, version) == recall_served(version) == Served(2.5, 300.0, "here")
    assert len(version.tags["podium.model_sha256"]) == 64


def test_a_fault_is_told_and_not_kept_for_it_may_be_the_machines(downloaded: dict[str, Any]) -> None:
    downloaded["probe"] = Probe(math.nan, math.nan, math.nan, "It is broken.", "here")
    version: Any = Version(1)
    assert serve(version, version) == Served(None, None, "here", "It is broken.")
    assert recall_served(version) is None


def test_a_version_whose_files_are_gone_does_not_serve(downloaded: dict[str, Any]) -> None:
    downloaded["error"] = MlflowException("no such model", RESOURCE_DOES_NOT_EXIST)
    assert serve(None, Version(1)) == Served(  # type: ignore[arg-type]
        None, None, "", "Its files cannot be fetched: no such model."
    )


def test_a_server_that_does_not_answer_is_no_fault_of_the_model(downloaded: dict[str, Any]) -> None:
    downloaded["error"] = MlflowException("later", TEMPORARILY_UNAVAILABLE)
    with pytest.raises(MlflowException, match="later"):
        serve(None, Version(1))  # type: ignore[arg-type]


def test_measures_are_of_the_validation_split_alone() -> None:
    figures = {"validation/accuracy": 0.5, "test/accuracy": 0.9, "validation/ece": 0.1, "cost/model_bytes": 12.0}
    found = make_measures(figures, Served(2.5, 300.0, "here"))
    assert (found.metrics, found.ece, found.model_bytes, found.p95_ms) == ({"accuracy": 0.5}, 0.1, 12, 2.5)
    assert make_measures({}, None).fault == ""


@pytest.mark.parametrize(("times", "text"), [(2, "UniqueViolation) duplicate key"), (1, "UNIQUE constraint failed")])
def test_what_another_process_wrote_at_the_same_moment_is_written_again(times: int, text: str) -> None:
    tried: list[str] = []

    def put(value: str) -> None:
        tried.append(value)
        if len(tried) <= times:
            raise MlflowException(text)

    write(put, "a")
    assert tried == ["a"] * (times + 1)


@pytest.mark.parametrize(("text", "times"), [("no such version", 1), ("duplicate key", TRIES)])
def test_what_does_not_pass_is_raised(text: str, times: int) -> None:
    tried: list[str] = []

    def put(value: str) -> None:
        tried.append(value)
        raise MlflowException(text)

    with pytest.raises(MlflowException, match=text):
        write(put, "a")
    assert len(tried) == times
