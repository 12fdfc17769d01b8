from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from podium.pages.plots import (
    PREDICTED_BOX,
    TRUE_BOX,
    choose_for_gallery,
    draw_gallery,
    draw_learning_curves,
)

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
            draw_learning_curves([history], "dots", path)
        case "curves-boxes":
            history = pd.DataFrame(
                {"step": [1, 2], "phase": ["fit", "fit"]}
                | {f"{part}{name}": [2, 1] for name in ("loss", "accuracy", "box_loss") for part in ("", "validation_")}
            )
            draw_learning_curves([history], "dots", path)
        case "gallery-boxes":
            boxes = np.tile(np.array([1, 2, 3, 4], np.float32), (7, 1))
            predicted = predictions.assign(left=2.5, top=1.0, width=-1.0, height=3.0)
            draw_gallery(np.full((7, 8, 8, channels), 90, np.uint8), predicted, "dots", path, boxes)
        case "gallery":
            draw_gallery(np.full((7, 8, 8, channels), 90, np.uint8), predictions, "dots", path)


@pytest.mark.parametrize("kind", ["curves", "gallery", "curves-boxes", "gallery-boxes"])
def test_the_same_figures_give_the_same_bytes_of_an_image(tmp_path: Path, kind: str) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    draw(kind, one)
    draw(kind, two)
    assert one.read_bytes() == two.read_bytes()
    image = cv2.imread(str(one))
    assert min(image.shape[:2]) > 200
    assert image.std() > 1


def test_a_gallery_shows_colours_too(tmp_path: Path) -> None:
    draw("gallery", tmp_path / "gray.png")
    draw("gallery", tmp_path / "colour.png", channels=3)
    assert cv2.imread(str(tmp_path / "colour.png")).shape == cv2.imread(str(tmp_path / "gray.png")).shape


def test_boxes_have_a_curve_of_their_own(tmp_path: Path) -> None:
    draw("curves", tmp_path / "two.png")
    draw("curves-boxes", tmp_path / "three.png")
    two, three = (cv2.imread(str(tmp_path / f"{name}.png")).shape for name in ("two", "three"))
    assert three == (two[0], two[1] * 3 // 2, 3)


def find(image: np.ndarray, colour: str) -> tuple[int, int, int, int]:
    """The box around everything of a colour in an image of BGR: left, top, width, height."""
    values = [int(colour[start : start + 2], 16) for start in (5, 3, 1)]
    down, right = np.nonzero((np.abs(image.astype(int) - values) < 8).all(axis=2))
    return int(right.min()), int(down.min()), int(np.ptp(right)), int(np.ptp(down))


def test_boxes_are_drawn_where_they_are(tmp_path: Path) -> None:
    """The true box is the white square of the image itself; the predicted one is twice as far right, half as high."""
    image = np.full((1, 40, 40, 1), 0, np.uint8)
    image[0, 20:30, 10:20] = 255
    boxes = np.array([[10, 20, 10, 10]], np.float32)
    predictions = PREDICTIONS[:1].assign(left=20.0, top=20.0, width=10.0, height=5.0)
    draw_gallery(image, predictions, "dots", tmp_path / "plain.png")
    draw_gallery(image, predictions, "dots", tmp_path / "boxes.png", boxes)
    plain, drawn = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("plain", "boxes"))
    true, predicted = find(drawn, TRUE_BOX), find(drawn, PREDICTED_BOX)
    square = 10 * _pixel_size(plain)
    assert true[2:] == pytest.approx((square, square), abs=3)
    assert predicted[2:] == pytest.approx((square, square / 2), abs=3)
    assert (predicted[0] - true[0], predicted[1] - true[1]) == pytest.approx((square, 0), abs=3)
    inside = drawn[true[1] + 4 : true[1] + true[3] - 3, true[0] + 4 : true[0] + true[2] - 3]
    assert (inside > 250).all()


def _pixel_size(plain: np.ndarray) -> float:
    """How many pixels of a drawn gallery one pixel of its 40 × 40 image takes: it is the only black there."""
    return float(np.flatnonzero((plain < 5).all(axis=2).sum(axis=0) > 20).size) / 40


@pytest.mark.parametrize(
    "names",
    [
        ("señal", "été"),
        ("a_b^c", "50 %"),
        pytest.param(("$5 to $10", "$_$")),
    ],
)
def test_class_names_are_drawn_as_they_are_written(tmp_path: Path, names: tuple[str, str]) -> None:
    draw("gallery", tmp_path / "figure.png", names)
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_the_gallery_shows_the_surest_mistakes_first_then_the_least_sure_hits() -> None:
    assert choose_for_gallery(PREDICTIONS, 4) == [3, 6, 2, 5]
    assert choose_for_gallery(PREDICTIONS, 12) == [3, 6, 1, 2, 5, 4, 0]
    assert choose_for_gallery(PREDICTIONS[PREDICTIONS["actual"] == PREDICTIONS["predicted"]], 2) == [2, 5]
