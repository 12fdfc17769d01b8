import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from podium.evaluation.confusions import MAX_BLOCK, count_confusions, save_confusions
from podium.evaluation.predictions import Predictions


def make(labels: list[int], predicted: list[int], classes: tuple[str, ...]) -> Predictions:
    count = len(labels)
    probabilities = np.zeros((count, len(classes)), np.float32)
    probabilities[np.arange(count), predicted] = 1
    return Predictions(
        ids=np.array([f"{row}.png" for row in range(count)]),
        labels=np.array(labels),
        probabilities=probabilities,
        groups=np.arange(count),
        digests=np.array(["0" * 64] * count),
        classes=classes,
        shape=(4, 4, 1),
    )


def made_up(classes: int, images: int) -> Predictions:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, classes, images)
    predicted = np.where(generator.random(images) < 0.8, labels, (labels + 1 + labels % 2) % classes)
    return make(labels.tolist(), predicted.tolist(), tuple(f"c{number}" for number in range(classes)))


@pytest.mark.parametrize("classes", [2, 7, 60])
def test_counts_are_those_of_scikit_learn(classes: int) -> None:
    predictions = made_up(classes, 300)
    confusions = count_confusions(predictions)
    expected = confusion_matrix(predictions.labels, predictions.predicted, labels=range(classes))
    np.testing.assert_array_equal(confusions.dense(np.arange(classes)), expected)
    np.testing.assert_array_equal(confusions.support, expected.sum(axis=1))
    order = np.random.default_rng(1).permutation(classes)
    np.testing.assert_array_equal(confusions.dense(order), expected[np.ix_(order, order)])


def test_files_have_the_classes_in_their_own_order_and_names_as_they_are(tmp_path: Path) -> None:
    predictions = make([0, 0, 0, 1], [0, 0, 1, 1], ("NA", "1e3", "none of it"))
    save_confusions(count_confusions(predictions), predictions, tmp_path)
    assert (
        tmp_path / "confusion_matrix.csv"
    ).read_text() == "actual,NA,1e3,none of it\nNA,2,1,0\n1e3,0,1,0\nnone of it,0,0,0\n"
    shares = pd.read_csv(tmp_path / "confusion_matrix_normalised.csv", index_col=0, keep_default_na=False)
    np.testing.assert_allclose(shares, [[0.666667, 0.333333, 0], [0, 1, 0], [0, 0, 0]])
    assert (tmp_path / "confusions.csv").read_text().splitlines() == [
        "actual,predicted",
        *("NA,NA", "NA,NA", "NA,1e3", "1e3,1e3"),
    ]


def test_the_most_confused_block_comes_first_and_classes_that_are_confused_stand_together() -> None:
    labels, predicted = [0, 1, 2, 3, 4, 4, 4, 5, 1, 1], [0, 1, 2, 3, 2, 2, 4, 5, 5, 1]
    blocks = count_confusions(make(labels, predicted, tuple("abcdef"))).blocks()
    assert [sorted(block.tolist()) for block in blocks] == [[2, 4], [1, 5], [0], [3]]


def test_ten_thousand_classes_take_seconds_and_their_files_list_the_pairs_that_occur(tmp_path: Path) -> None:
    began = time.process_time()
    some = made_up(3, 2000)
    classes = tuple(f"c{number}" for number in range(10_000))
    labels, predicted = some.labels * 3000, some.predicted * 3000
    wide = np.zeros((2000, 10_000), np.float32)
    wide[np.arange(2000), predicted] = 1
    predictions = replace(some, labels=labels, probabilities=wide, classes=classes)
    confusions = count_confusions(predictions)
    blocks = confusions.blocks()
    save_confusions(confusions, predictions, tmp_path)
    assert max(map(len, blocks)) <= MAX_BLOCK
    assert sorted(np.concatenate(blocks).tolist()) == list(range(10_000))
    table = pd.read_csv(tmp_path / "confusion_matrix.csv")
    assert [*table.columns] == ["actual", "predicted", "count"]
    assert table["count"].sum() == 2000
    assert (tmp_path / "confusion_matrix.csv").stat().st_size < 1000
    shares = pd.read_csv(tmp_path / "confusion_matrix_normalised.csv").groupby("actual")["share"].sum()
    np.testing.assert_allclose(shares, 1, atol=1e-5)
    assert time.process_time() - began < 30


def test_a_small_whole_keeps_every_error(tmp_path: Path) -> None:
    confusions = count_confusions(made_up(60, 900))
    order = np.concatenate(confusions.blocks())
    errors = confusions.counts[confusions.wrong].sum()
    shades = confusions.shrink(order, 20)
    assert shades.shape == (20, 20)
    images = np.add.reduceat(confusions.support[order], np.flatnonzero(np.diff(np.arange(60) * 20 // 60, prepend=-1)))
    assert (shades * images[:, None]).sum() == pytest.approx(errors)
