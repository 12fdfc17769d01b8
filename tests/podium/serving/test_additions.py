"""From a label in the app to a dataset that `validate` looks at."""

from pathlib import Path

import pytest
import yaml

from podium.cli import main
from podium.cli.feedback import SOURCE
from podium.config import load_params
from podium.datasets.formats import read
from podium.datasets.sources import fetch
from podium.datasets.validation.scan import build_manifest
from podium.serving.feedback import ADDITIONS, Feedback, Said
from tests.podium.serving.test_feedback import draw

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture
def labelled(project: Path) -> list[str]:
    """Two images of the shipped dataset that wait for review."""
    feedback = Feedback(project, "digits")
    said = [Said("digits/1", "one", 0.75, unsure=False)]
    return [feedback.keep(draw(seed), label, said, CLASSES).sha256 for seed, label in enumerate(("two", "one"))]


def test_what_waits_is_listed_with_the_score(labelled: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feedback", "digits"]) == 0
    said = capsys.readouterr().out
    assert f"{labelled[0][:10]}  " in said
    assert "it is two; digits/1 said one (0.75)" in said
    assert "digits/1: right of 1 of 2 images that people labelled, 0.500 (0.095–0.905)" in said
    assert "2 wait for review." in said


def test_accepted_images_are_a_dataset_that_can_be_validated(
    project: Path, labelled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "digits", "--accept", labelled[0][:10]]) == 0
    block = SOURCE.format(path=ADDITIONS / "digits")
    assert block in capsys.readouterr().out
    page = yaml.safe_load((project / "params.yaml").read_text())
    page["datasets"]["digits-additions"] = page["datasets"]["digits"] | yaml.safe_load(block)
    (project / "params.yaml").write_text(yaml.safe_dump(page, sort_keys=False))
    dataset = load_params().dataset("digits-additions")
    raw = project / "raw"
    raw.mkdir()
    fetch(dataset.source, raw, project / "downloads")
    manifest = build_manifest(read(raw, dataset.format))
    assert manifest["label"].tolist() == ["2"]
    assert manifest["sha256"].tolist() == [labelled[0]]
    assert manifest["fault"].isna().all()


def test_refused_images_are_gone_from_the_list(
    project: Path, labelled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "digits", "--refuse", "all"]) == 0
    assert "2 refused" in capsys.readouterr().out
    assert main(["feedback", "digits"]) == 0
    assert "No image of digits waits for review" in capsys.readouterr().out
    assert not (project / ADDITIONS).exists()


def test_a_dataset_without_feedback_and_one_that_there_is_not_are_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "digits"]) == 0
    assert "No image of digits waits for review" in capsys.readouterr().out
    assert main(["feedback", "digits", "--refuse", "abc"]) == 1
    assert "Nobody has labelled an image of digits yet" in capsys.readouterr().err
    assert main(["feedback", "digit", "--accept", "abc"]) == 1
    assert "Did you mean 'digits'" in capsys.readouterr().err
