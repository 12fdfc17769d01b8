from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import Reference
from podium.datasets.arrays import Split
from podium.evaluation.boxes import measure_boxes, overlap
from podium.evaluation.metrics import measure, measure_classes
from podium.evaluation.predictions import read_predictions, tabulate
from podium.evaluation.published import compare

CLASSES = ["NA", "007", "1e3"]  # names that look like numbers, or like nothing
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], np.float32
)  # taken for 0, 0, 1, 1, 0, 0: the last class is never predicted

ACTUAL = np.array([[2, 2, 4, 4], [2, 2, 4, 4], [0, 0, 2, 2], [0, 0, 4, 4]], np.float32)
PREDICTED = np.array([[2, 2, 4, 4], [4, 2, 4, 4], [5, 5, 1, 1], [0, 0, 4, 2]], np.float32)  # of 20 × 10 pixels
OVERLAPS = [1, 8 / 24, 0, 1 / 2]


@pytest.fixture
def predictions() -> pd.DataFrame:
    ids = np.array([f"t.csv:{row}" for row in range(6)])
    return tabulate(Split(np.zeros((6, 1, 1, 1), np.uint8), LABELS, ids), PROBABILITIES, CLASSES)


def test_figures_are_those_counted_by_hand() -> None:
    assert measure(LABELS, PROBABILITIES) == pytest.approx(
        {
            "accuracy": 3 / 6,
            "loss": -np.log([0.8, 0.6, 0.2, 0.9, 0.2, 0.2]).mean(),
            "macro_precision": (2 / 4 + 1 / 2 + 0) / 3,
            "macro_recall": (2 / 3 + 1 / 2 + 0) / 3,
            "macro_f1": (4 / 7 + 1 / 2 + 0) / 3,
            "weighted_precision": (3 * 2 / 4 + 2 * 1 / 2 + 0) / 6,
            "weighted_recall": (3 * 2 / 3 + 2 * 1 / 2 + 0) / 6,
            "weighted_f1": (3 * 4 / 7 + 2 * 1 / 2 + 0) / 6,
        },
        rel=1e-6,
    )


def test_certainty_of_the_wrong_class_costs_much_but_is_a_number() -> None:
    figures = measure(np.array([0, 1]), np.array([[0, 1], [1, 0]], np.float32))
    assert figures["accuracy"] == 0
    assert 10 < figures["loss"] < 100


def test_a_class_that_the_split_lacks_does_not_stop_the_measuring() -> None:
    assert measure(np.array([0, 0]), PROBABILITIES[:2])["accuracy"] == 1
    assert measure_classes(np.array([0, 0]), PROBABILITIES[:2], CLASSES)["support"].tolist() == [2, 0, 0]


def test_each_class_has_its_row() -> None:
    table = measure_classes(LABELS, PROBABILITIES, CLASSES)
    assert table["class"].tolist() == CLASSES
    assert table["precision"].tolist() == pytest.approx([2 / 4, 1 / 2, 0])
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert table["f1"].tolist() == pytest.approx([4 / 7, 1 / 2, 0])
    assert table["support"].tolist() == [3, 2, 1]


def test_each_image_has_its_row(predictions: pd.DataFrame) -> None:
    assert predictions["id"].tolist() == [f"t.csv:{row}" for row in range(6)]
    assert predictions["actual"].tolist() == ["NA", "NA", "NA", "007", "007", "1e3"]
    assert predictions["predicted"].tolist() == ["NA", "NA", "007", "007", "NA", "NA"]
    assert predictions["confidence"].tolist() == pytest.approx([0.8, 0.6, 0.7, 0.9, 0.7, 0.5])


def test_names_stay_text_whatever_they_look_like(predictions: pd.DataFrame, tmp_path: Path) -> None:
    predictions.insert(0, "split", "test")
    predictions.to_csv(tmp_path / "predictions.csv", index=False)
    pd.testing.assert_frame_equal(
        read_predictions(tmp_path / "predictions.csv"), predictions, check_dtype=False, check_exact=False
    )


def test_overlaps_are_those_counted_by_hand() -> None:
    np.testing.assert_allclose(overlap(ACTUAL, PREDICTED), OVERLAPS)
    np.testing.assert_allclose(overlap(PREDICTED, ACTUAL), OVERLAPS)


@pytest.mark.parametrize("box", [(3, 3, 0, 0), (5, 2, -3, 4), (5, 5, -3, -3), (2, 2, 4, 0)])
def test_a_box_without_an_area_covers_nothing(box: tuple[float, ...]) -> None:
    boxes = np.array([box], np.float32)
    assert overlap(ACTUAL[:1], boxes).tolist() == overlap(boxes, boxes).tolist() == [0]


def test_figures_of_boxes_are_those_counted_by_hand() -> None:
    """The second is 2 too far right on both sides, the third 5, 5, 4 and 4 off, the last 2 too short."""
    squares = 2 * (2 / 20) ** 2 + (5 / 20) ** 2 + (5 / 10) ** 2 + (4 / 20) ** 2 + (4 / 10) ** 2 + (2 / 10) ** 2
    assert measure_boxes(ACTUAL, PREDICTED, (10, 20, 3)) == pytest.approx(
        {"box_mse": squares / 16, "mean_iou": np.mean(OVERLAPS), "iou_over_half": 2 / 4}
    )


def test_an_image_with_a_box_has_the_predicted_one_in_its_row(tmp_path: Path) -> None:
    split = Split(np.zeros((4, 10, 20, 1), np.uint8), LABELS[:4], np.array([*"abcd"]), ACTUAL)
    table = tabulate(split, PROBABILITIES[:4], CLASSES, PREDICTED)
    assert [*table.columns] == ["id", "actual", "predicted", "confidence", "left", "top", "width", "height", "iou"]
    np.testing.assert_array_equal(table[["left", "top", "width", "height"]], PREDICTED)
    assert table["iou"].tolist() == pytest.approx(OVERLAPS)
    table.insert(0, "split", "test")
    table.to_csv(tmp_path / "predictions.csv", index=False)
    again = read_predictions(tmp_path / "predictions.csv")
    pd.testing.assert_frame_equal(again, table, check_dtype=False)


FIGURES = {
    "validation": {"accuracy": 0.5, "box_mse": 0.02, "weighted_f1": 0.7},
    "test": {"accuracy": 0.8, "box_mse": 0.01, "weighted_f1": 0.6},
}
IMAGES = {"validation": 25, "test": 100}


def refer(metric: str, split: str, value: float, error: float | None = None, model: str = "theirs") -> Reference:
    return Reference(
        model=model, metric=metric, split=split, value=value, standard_error=error, source="https://example.org"
    )


def test_our_figures_stand_before_the_published_ones_that_ask_for_them(tmp_path: Path) -> None:
    references = [
        refer("accuracy", "test", 0.75, 0.5, "first, of two"),
        refer("box_mse", "test", 0.03),
        refer("accuracy", "test", 0.5, 0.25, "second"),
        refer("accuracy", "validation", 0.625),
        refer("macro_f1", "test", 0.25),  # which we do not have here
    ]
    compare("ours", FIGURES, IMAGES, references).to_csv(tmp_path / "comparison.csv", index=False)
    assert (tmp_path / "comparison.csv").read_text().splitlines() == [
        "model,metric,split,value,standard_error,source",
        "ours,accuracy,test,0.8,0.04,",
        "ours,box_mse,test,0.01,,",
        "ours,accuracy,validation,0.5,0.1,",
        '"first, of two",accuracy,test,0.75,0.5,https://example.org',
        "theirs,box_mse,test,0.03,,https://example.org",
        "second,accuracy,test,0.5,0.25,https://example.org",
        "theirs,accuracy,validation,0.625,,https://example.org",
        "theirs,macro_f1,test,0.25,,https://example.org",
    ]


def test_where_nothing_is_published_our_test_accuracy_stands_alone(tmp_path: Path) -> None:
    compare("ours", FIGURES, IMAGES, []).to_csv(tmp_path / "comparison.csv", index=False)
    assert (tmp_path / "comparison.csv").read_text().splitlines()[1:] == ["ours,accuracy,test,0.8,0.04,"]
