from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.arrays import Split
from podium.evaluation import count_confusions, measure, measure_classes, normalise, read_predictions, tabulate

CLASSES = ["NA", "007", "1e3"]  # names that look like numbers, or like nothing
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0], [0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], np.float32
)  # taken for 0, 0, 1, 1, 0, 0: the last class is never predicted


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
    assert measure_classes(np.array([0, 0]), PROBABILITIES[:2], CLASSES)["pictures"].tolist() == [2, 0, 0]


def test_each_class_has_its_row() -> None:
    table = measure_classes(LABELS, PROBABILITIES, CLASSES)
    assert table["class"].tolist() == CLASSES
    assert table["precision"].tolist() == pytest.approx([2 / 4, 1 / 2, 0])
    assert table["recall"].tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert table["f1"].tolist() == pytest.approx([4 / 7, 1 / 2, 0])
    assert table["pictures"].tolist() == [3, 2, 1]


def test_each_picture_has_its_row(predictions: pd.DataFrame) -> None:
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


def test_confusions_are_counted_with_actual_classes_as_rows(predictions: pd.DataFrame) -> None:
    counts = count_confusions(predictions, CLASSES)
    assert counts.to_numpy().tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert (counts.index.name, [*counts.index], [*counts.columns]) == ("actual", CLASSES, CLASSES)


def test_shares_are_of_each_actual_class_and_zero_where_it_has_no_pictures(predictions: pd.DataFrame) -> None:
    shares = normalise(count_confusions(predictions[predictions["actual"] != "1e3"], CLASSES)).to_numpy()
    np.testing.assert_allclose(shares, [[2 / 3, 1 / 3, 0], [1 / 2, 1 / 2, 0], [0, 0, 0]])
