"""The command `podium predict`, on a real model in a real registry."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from podium.cli import main
from podium.images.decoding import inspect
from podium.images.opening import BadImageError
from podium.models import zoo
from podium.serving import finding
from podium.serving.finding import Facts, Found
from podium.serving.predictor import Predictor
from podium.tracking.classifier import Classifier
from tests.makers import CNN, DENSE, make_page, make_rows, make_table, peak_memory, save_page

pytestmark = pytest.mark.slow

Ask = Callable[..., int]


@pytest.fixture
def root(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the dataset `dots`, whose champion is in that store; and the current folder, with images."""
    root = tmp_path / "project"
    root.mkdir()
    make_page(root, make_table(make_rows(12)))
    (root / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    monkeypatch.setenv("COLUMNS", "160")
    photos = root / "photos"
    photos.mkdir()
    for number in range(4):
        (photos / f"{number}.png").write_bytes(png(number))
    return root


def png(seed: int = 0, height: int = 20, width: int = 30) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    content = io.BytesIO()
    Pillow.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def measure(path: Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


def test_a_folder_is_answered_by_the_only_champion(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "photos"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [word for word in said[0].split("  ") if word.strip()] == [
        "image",
        "answer",
        "next",
        "box",
    ] or "box" in said[0]
    assert [line.split()[0] for line in said[1:5]] == [f"photos/{number}.png" for number in range(4)]


def test_bad_images_are_told_the_others_answered_and_the_exit_status_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "photos/2.png").write_bytes(b"")
    assert main(["predict", "photos", "none.png", "--format", "json"]) == 1
    said = capsys.readouterr()
    answers = json.loads(said.out)
    assert [bool(answer["error"]) for answer in answers] == [False, False, True, False, True]
    assert [answer["file"] for answer in answers][2:] == ["photos/2.png", "photos/3.png", "none.png"]
    assert "2 of 5 images could not be read." in said.err


def test_every_format_says_the_same(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "photos/=1.png").write_bytes(png())
    for name in ("answers.csv", "answers.json", "answers.parquet"):
        assert main(["predict", "photos", "--model", "dots/1", "--output", name]) == 0
    answers = json.loads((root / "answers.json").read_text())
    table, rows = pd.read_parquet("answers.parquet"), [*csv.DictReader((root / "answers.csv").read_text().splitlines())]
    assert len(answers) == len(table) == len(rows) == 5
    for number, answer in enumerate(answers):
        assert answer["file"] == table["file"][number] == rows[number]["file"]
        assert answer["probability"] == table["probability"][number] == float(rows[number]["probability"])
        assert answer["box"] == [float(rows[number][edge]) for edge in ("left", "top", "right", "bottom")]


def test_a_file_s_own_name_that_begins_as_a_formula_is_harmless(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "photos/=1.png").write_bytes(png())
    monkeypatch.chdir(root / "photos")
    assert main(["predict", "=1.png", "--format", "csv"]) == 0
    assert "\n'=1.png," in capsys.readouterr().out


def test_an_archive_becomes_a_submission(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(root / "test1.zip", "w") as archive:
        for number in (10, 2, 1):
            archive.writestr(f"test1/{number}.jpg", png(number))
    assert main(["predict", "test1.zip", "--submission", "submission.csv"]) == 0
    lines = (root / "submission.csv").read_text().splitlines()
    assert (lines[0], [line.split(",")[0] for line in lines[1:]]) == ("id,label", ["1", "2", "10"])
    assert "label is 0 for left, 1 for right, 2 for both" in capsys.readouterr().err


def test_images_are_shown_with_their_boxes_and_on_a_page(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "photos/<b>.png").write_bytes(png(9))
    (root / "photos/3.png").write_bytes(b"")
    assert main(["predict", "photos", "--show", "shown"]) == 1
    assert sorted(one.name for one in (root / "shown").iterdir()) == [
        *("00001-0.png.jpg", "00002-1.png.jpg", "00003-2.png.jpg", "00005-_b_.png.jpg", "index.html"),
    ]
    assert measure(root / "shown/00001-0.png.jpg") >= (30, 50)
    page = (root / "shown/index.html").read_text()
    assert page.count("data:image/webp") == 4
    assert "photos/&lt;b&gt;.png" in page
    assert "the file is empty" in page


def test_a_model_with_a_view_of_places_shows_where_it_sees_the_class(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, zoo.build(CNN, (16, 16, 1), {"label": 2}), ["a", "b"])
    (root / "large.png").write_bytes(png(height=900, width=700))
    assert main(["predict", "large.png", "--show", "shown"]) == 0
    (picture,) = (root / "shown").iterdir()
    assert measure(picture) == (498 * 2 + 8, 640 + 30)


def use(monkeypatch: pytest.MonkeyPatch, model: Any, classes: list[str]) -> Predictor:
    """Let the command find a model that is in no registry."""
    known = {
        "classes": classes,
        "image": {"height": 16, "width": 16, "channels": 1, "resize": "stretch"},
        "threshold": None,
        "boxes": False,
    }
    predictor = Predictor(Found(Path("none"), "made", "", Facts()), Classifier(model, known))
    monkeypatch.setattr(finding, "find_model", lambda *_: predictor.found)
    monkeypatch.setattr(Predictor, "load", lambda *_: predictor)
    return predictor


def test_of_a_thousand_classes_the_table_shows_the_most_probable(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, zoo.build(DENSE, (16, 16, 1), {"label": 1000}), [f"class {number}" for number in range(1000)])
    assert main(["predict", "photos"]) == 0
    said = capsys.readouterr().out
    assert said.count("class ") == 4 * 3
    assert main(["predict", "photos", "--output", "answers.csv"]) == 0
    assert len((root / "answers.csv").read_text().splitlines()[0].split(",")) == 1005


def test_where_several_datasets_could_be_meant_the_choices_are_told(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = make_page(root, make_table(make_rows(12)))
    page["datasets"]["others"] = page["datasets"]["dots"]
    save_page(root, page)
    assert main(["predict", "photos"]) == 0  # of the two one has a champion
    del page["datasets"]["dots"]
    page["candidates"]["dots-dense"]["dataset"] = "others"
    page["datasets"]["more"] = page["datasets"]["others"]
    save_page(root, page)
    capsys.readouterr()
    assert main(["predict", "photos"]) == 1
    assert "No dataset of params.yaml has a champion yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "answers"], "What is answers to be?"),
        (["--format", "parquet"], "name a file"),
        (["--model", "nothing"], "There is no model 'nothing'"),
        (["--model", "dots@none"], "MLflow has no 'dots@none'"),
        (["--submission", "s.csv", "--columns", "id"], "Expected two names"),
        (["--submission", "s.csv", "--positive", "lefd"], "Did you mean 'left'"),
    ],
)
def test_what_cannot_be_meant_is_told(
    options: list[str], message: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "photos", *options]) == 1
    assert message in capsys.readouterr().err
    assert not (root / "s.csv").exists()


def find_fault(path: Path) -> str:
    """Say why `validate` would not take an image file; empty if it would."""
    try:
        inspect(path.read_bytes(), path.name)
    except BadImageError as error:
        return str(error)
    return ""


MEMORY = 1_000_000_000
"""Bytes that all the broken files may take beyond TensorFlow."""


def test_every_broken_file_is_refused_or_answered(
    root: Path, shared_data: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = sorted((shared_data / "broken").iterdir())
    predictor = Predictor.load(Found(folder / "model", "dots", "1", Facts()))
    before = peak_memory()
    for path, answer in zip(broken, predictor.predict(broken), strict=True):
        expected = find_fault(path)
        assert answer["error"] == expected, path.name
        assert (answer["label"] in predictor.classes) == (not expected), path.name
    assert main(["predict", *map(str, broken), "--format", "json"]) == 1
    answers = json.loads(capsys.readouterr().out)
    assert {answer["file"].removeprefix(f"{shared_data}/broken/").split("/")[0] for answer in answers} == {
        path.name for path in broken
    }
    assert not [path for path in root.rglob("*") if "evil" in path.name or "escape" in path.name]
    assert peak_memory() - before < MEMORY
