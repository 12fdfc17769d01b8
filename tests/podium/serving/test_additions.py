"""From a label in the app to a file for review."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from podium.cli import main
from podium.paths import ADDITIONS
from podium.serving.feedback import Feedback, Said
from tests.podium.serving.test_feedback import draw

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def make_boxed(page: dict[str, Any]) -> None:
    """Make the dataset one that asks for boxes; no candidate of the page can learn it."""
    page["datasets"]["digits"]["target"] = "label_and_box"
    page["candidates"], page["schedules"] = {}, {}


@pytest.fixture
def labelled(project: Path) -> list[str]:
    """Two images of the shipped dataset that wait for review, in a project of git and DVC."""
    (project / "data").mkdir()
    (project / ADDITIONS).write_text("dataset,label,sha256,file\n")
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


@pytest.mark.slow  # DVC
def test_accepted_images_are_lines_of_a_table_in_git_and_files_of_dvc(
    project: Path, labelled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["git", "init", "-q"], ["dvc", "init", "-q", "-f"]):
        subprocess.run(command, check=True)
    assert main(["feedback", "digits", "--accept", labelled[0][:10]]) == 0
    assert "1 accepted" in capsys.readouterr().out
    table = f"dataset,label,sha256,file\ndigits,2,{labelled[0]},{labelled[0]}.png\n"
    assert (project / ADDITIONS).read_text() == table
    assert (project / f"data/additions/digits/{labelled[0]}.png").read_bytes() == draw(0)
    pointer = yaml.safe_load((project / "data/additions/digits.dvc").read_text())
    assert (pointer["outs"][0]["path"], pointer["outs"][0]["nfiles"]) == ("digits", 1)
    assert (project / "data/additions/.gitignore").read_text() == "/digits\n"
    assert main(["feedback", "digits", "--accept", "all"]) == 0
    assert (project / ADDITIONS).read_text() == table + f"digits,1,{labelled[1]},{labelled[1]}.png\n"
    assert main(["feedback", "digits", "--accept", "all"]) == 0
    assert "No image of digits waits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda page: make_boxed(page), "digits has boxes"),
        (lambda page: page["datasets"]["digits"]["classes"].update({"2": "zwei"}), "'two' is no class of datasets"),
    ],
    ids=["boxes", "class"],
)
def test_what_the_dataset_cannot_have_is_refused_with_one_message_and_waits_on(
    project: Path, labelled: list[str], change: Callable[[Any], None], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = yaml.safe_load((project / "params.yaml").read_text())
    change(page)
    (project / "params.yaml").write_text(yaml.safe_dump(page, sort_keys=False))
    before = (project / ADDITIONS).read_bytes()
    assert main(["feedback", "digits", "--accept", labelled[0]]) == 1
    assert message in capsys.readouterr().err
    assert (project / ADDITIONS).read_bytes() == before
    assert not (project / "data/additions").exists()
    assert len(Feedback(project, "digits").waiting()) == 2


def test_refused_images_are_gone_from_the_list(
    project: Path, labelled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "digits", "--refuse", "all"]) == 0
    assert "2 refused" in capsys.readouterr().out
    assert main(["feedback", "digits"]) == 0
    assert "No image of digits waits for review" in capsys.readouterr().out
    assert not (project / "data/additions").exists()


def test_a_dataset_without_feedback_and_one_that_there_is_not_are_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "digits"]) == 0
    assert "No image of digits waits for review" in capsys.readouterr().out
    assert main(["feedback", "digits", "--refuse", "abc"]) == 1
    assert "Nobody has labelled an image of digits yet" in capsys.readouterr().err
    assert main(["feedback", "digit", "--accept", "abc"]) == 1
    assert "Did you mean 'digits'" in capsys.readouterr().err
