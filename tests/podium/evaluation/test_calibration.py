"""Calibration held to what others compute, and to what is true by construction."""

import json
import time

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from podium.evaluation.calibration import (
    BINS,
    bin_by_confidence,
    calibrate,
    ece_by_chance,
    estimate_ece,
    measure_ece,
    tabulate_reliability,
)
from podium.evaluation.intervals import estimate_proportion
from podium.evaluation.predictions import Predictions
from podium.evaluation.temperature import with_temperature
from tests.podium.evaluation.predicted import make_predictions, make_sure


def draw(count: int, seed: int = 0, wrong: float = 0.0, size: int = 1) -> Predictions:
    """Draw a model that is right as often as it says, or that share less often; groups of that size agree."""
    random = np.random.default_rng(seed)
    groups = np.arange(count) // size
    confidence = np.maximum(random.beta(5, 0.8, count), 0.45)[groups]
    return make_sure(confidence, random.random(count)[groups] < confidence - wrong, groups=groups)


@pytest.mark.parametrize("count", [150, 1_000, 4_321])
def test_the_error_is_that_of_scikit_learns_bins(count: int) -> None:
    some = draw(count, wrong=0.1)
    accuracy, confidence = calibration_curve(some.right, some.confidence, n_bins=BINS, strategy="quantile")
    table = tabulate_reliability(some)
    np.testing.assert_allclose(table["confidence"], confidence, atol=0.005)  # an image may lie on the other side
    np.testing.assert_allclose(table["accuracy"], accuracy, atol=1.5 / (count / BINS))
    assert measure_ece(some.right, some.confidence) == pytest.approx(np.abs(accuracy - confidence).mean(), abs=0.005)


def test_the_error_is_that_of_the_table_which_has_each_image_once() -> None:
    some = draw(777, wrong=0.1)
    table = tabulate_reliability(some)
    gaps = np.abs(table["accuracy"] - table["confidence"])
    assert (gaps * table["images"]).sum() / 777 == pytest.approx(measure_ece(some.right, some.confidence))
    assert table["images"].sum() == 777
    assert (table["images"] - 777 / BINS).abs().max() <= 1
    inside = (some.confidence >= table["from"][3]) & (some.confidence <= table["to"][3])
    expected = estimate_proportion(some.right[inside], some.groups[inside])
    assert (table["low"][3], table["high"][3]) == (expected.low, expected.high)


@pytest.mark.parametrize("size", [1, 5])
def test_chance_alone_makes_the_error_that_is_said(size: int) -> None:
    drawn = [draw(300, seed, size=size) for seed in range(150)]
    measured = np.mean([measure_ece(some.right, some.confidence) for some in drawn])
    assert np.mean([ece_by_chance(some) for some in drawn]) == pytest.approx(measured, rel=0.07)


@pytest.mark.parametrize(("wrong", "size"), [(0.0, 1), (0.0, 4), (0.15, 1), (0.15, 4)])
def test_the_interval_holds_the_true_error(wrong: float, size: int) -> None:
    """Of 500: nearly all where it is 0, as the interval may begin there; else 89 to 98 of 100."""
    drawn = [draw(600, seed, wrong, size) for seed in range(40)]
    estimates = [estimate_ece(some) for some in drawn]
    held = [one.low <= wrong <= one.high for one in estimates]
    assert np.mean(held) >= 0.85
    begins = np.mean([one.low == 0 for one in estimates])
    assert begins > 0.9 if wrong == 0 else begins < 0.4


def test_a_temperature_that_was_baked_in_is_taken_back_for_the_error_before() -> None:
    random = np.random.default_rng(0)
    shares = softmax(random.normal(0, 2, (2_000, 5)), axis=1)
    labels = (shares.cumsum(axis=1) > random.random((2_000, 1))).argmax(axis=1)
    sharp = make_predictions(labels, with_temperature(shares, 0.5))
    baked = make_predictions(labels, shares)
    found = calibrate(baked, baked, 2.0)
    assert found.ece_before["test"] == pytest.approx(measure_ece(sharp.right, sharp.confidence), abs=1e-4)
    assert found.ece["test"].value < 0.03 < 0.1 < found.ece_before["test"]


def test_the_threshold_comes_from_validation_and_is_tried_on_test() -> None:
    validation, test = draw(1_500, 1), draw(1_500, 2, wrong=0.2)
    found = calibrate(validation, test, 1.0, 0.9)
    assert found.threshold == calibrate(validation, draw(30, 3), 1.0, 0.9).threshold
    for name, some in (("validation", validation), ("test", test)):
        sure = some.confidence >= found.threshold
        assert found.coverage[name] == sure.mean()
        assert found.accuracy[name].value == some.right[sure].mean()
    assert found.accuracy["validation"].value >= 0.9 > found.accuracy["test"].value
    assert found.describe_thresholds() == {
        "temperature": 1.0,
        "stated_accuracy": 0.9,
        "threshold": found.threshold,
        "validation_coverage": found.coverage["validation"],
        "validation_accuracy": found.accuracy["validation"].value,
    }
    assert [*found.reliability.columns] == ["split", "from", "to", "images", "confidence", "accuracy", "low", "high"]
    assert [*found.curve.columns] == ["split", "threshold", "coverage", "images", "accuracy", "low", "high"]
    assert set(found.curve["split"]) == set(found.reliability["split"]) == {"validation", "test"}
    assert 180 < len(found.curve) <= 200


ODD = {
    "two images": make_sure([0.9, 0.6], [True, False]),
    "one image": make_sure([0.9], [True]),
    "all predictions equal": make_predictions(np.arange(90) % 3, np.tile([0.5, 0.3, 0.2], (90, 1))),
    "as good as certain": make_predictions(np.arange(90) % 3, np.eye(3)[np.arange(90) % 3]),
    "one class": make_predictions([0] * 50, np.ones((50, 1))),
    "one group": make_sure([0.9] * 40, [True, False] * 20, groups=[0] * 40),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_predictions_have_a_defined_answer(name: str) -> None:
    found = calibrate(ODD[name], ODD[name], 1.2)
    text = json.dumps(found.describe(), allow_nan=False)
    assert json.loads(text)["temperature"] == 1.2
    ece = found.ece["test"]
    assert 0 <= ece.low <= ece.value <= ece.high <= 1
    assert not found.reliability.isna().any(axis=None)
    assert not found.curve.isna().any(axis=None)


@pytest.mark.parametrize(
    ("some", "words"),
    [
        (
            ODD["two images"],
            "The 2 validation images are too few to fit a temperature (30): it stays 1. No threshold is",
        ),
        (ODD["all predictions equal"], "No threshold is borne out by the 90 validation images at which answers are "),
        (draw(1_000), ""),
    ],
)
def test_what_could_not_be_done_is_said(some: Predictions, words: str) -> None:
    note = calibrate(some, some, 1.0, 0.8).note
    assert note.startswith(words)
    assert bool(note) == bool(words)


def test_images_of_one_confidence_lie_in_one_bin() -> None:
    confidence = np.array([0.5] * 100 + [0.75] * 70 + [1.0] * 130, np.float32)
    assert np.bincount(bin_by_confidence(confidence)).tolist() == [100, 70, 130]
    assert set(bin_by_confidence(np.full(500, 0.25, np.float32))) == {0}


@pytest.mark.slow
def test_seven_thousand_images_take_less_than_a_second() -> None:
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(0, 3, (7_172, 24)), axis=1)
    some = make_predictions(random.integers(0, 24, 7_172), probabilities, groups=np.arange(7_172) // 10)
    begin = time.process_time()
    calibrate(some, some, 1.3)
    assert time.process_time() - begin < 10


@pytest.mark.slow
def test_ten_thousand_classes_are_calibrated() -> None:
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(0, 3, (500, 10_000)).astype(np.float32), axis=1)
    some = make_predictions(random.integers(0, 10_000, 500), probabilities)
    assert calibrate(some, some, 1.5).ece["test"].value > 0
