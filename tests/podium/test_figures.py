from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from podium.evaluation import count_confusions, normalise
from podium.figures import choose_for_gallery, draw_confusion_matrix, draw_gallery, draw_learning_curves

PREDICTIONS = pd.DataFrame(
    {
        "actual": ["A", "A", "B", "B", "B", "A", "B"],
        "predicted": ["A", "B", "B", "A", "B", "A", "A"],
        "confidence": [0.9, 0.6, 0.5, 0.8, 0.7, 0.55, 0.8],
    }
)


def draw(kind: str, path: Path, names: tuple[str, str] = ("A", "B"), channels: int = 1) -> None:
    predictions = PREDICTIONS.replace(dict(zip("AB", names, strict=True)))
    match kind:
        case "curves":
            history = pd.DataFrame(
                {"step": [1, 2, 3], "phase": ["head", "head", "all"], "loss": [3, 2, 1], "accuracy": [0.1, 0.2, 0.3]}
                | {"validation_loss": [3, 2, 2], "validation_accuracy": [0.1, 0.2, 0.2]}
            )
            draw_learning_curves(history, "dots", path)
        case "matrix":
            counts = count_confusions(predictions, names)
            draw_confusion_matrix(counts, normalise(counts), "dots", path)
        case "gallery":
            draw_gallery(np.full((7, 8, 8, channels), 90, np.uint8), predictions, "dots", path)


@pytest.mark.parametrize("kind", ["curves", "matrix", "gallery"])
def test_the_same_figures_give_the_same_bytes_of_a_picture(tmp_path: Path, kind: str) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    draw(kind, one)
    draw(kind, two)
    assert one.read_bytes() == two.read_bytes()
    picture = cv2.imread(str(one))
    assert min(picture.shape[:2]) > 200
    assert picture.std() > 1


def test_a_gallery_shows_colours_too(tmp_path: Path) -> None:
    draw("gallery", tmp_path / "gray.png")
    draw("gallery", tmp_path / "colour.png", channels=3)
    assert cv2.imread(str(tmp_path / "colour.png")).shape == cv2.imread(str(tmp_path / "gray.png")).shape


@pytest.mark.parametrize("kind", ["matrix", "gallery"])
@pytest.mark.parametrize(
    "names",
    [
        ("señal", "été"),
        ("a_b^c", "50 %"),
        pytest.param(("$5 to $10", "$_$")),
    ],
)
def test_class_names_are_drawn_as_they_are_written(tmp_path: Path, kind: str, names: tuple[str, str]) -> None:
    draw(kind, tmp_path / "figure.png", names)
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_the_gallery_shows_the_surest_mistakes_first_then_the_least_sure_hits() -> None:
    assert choose_for_gallery(PREDICTIONS, 4) == [3, 6, 2, 5]
    assert choose_for_gallery(PREDICTIONS, 12) == [3, 6, 1, 2, 5, 4, 0]
    assert choose_for_gallery(PREDICTIONS[PREDICTIONS["actual"] == PREDICTIONS["predicted"]], 2) == [2, 5]
