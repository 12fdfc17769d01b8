import numpy as np
import pytest

from podium.evaluation.coverage import LEVELS, answered, choose_threshold, tabulate_coverage
from podium.evaluation.intervals import estimate_proportion
from podium.evaluation.predictions import Predictions
from tests.podium.evaluation.predicted import make_predictions, make_sure


def draw(count: int, seed: int, wrong: float = 0.0) -> Predictions:
    """Draw a model that is right as often as it says, or that share less often."""
    random = np.random.default_rng(seed)
    confidence = np.maximum(random.beta(6, 0.6, count), 0.35)
    return make_sure(confidence, random.random(count) < confidence - wrong)


@pytest.mark.parametrize("count", [37, 1_000])
def test_each_row_says_how_often_a_model_is_right_where_it_is_at_least_so_sure(count: int) -> None:
    some = draw(count, 0)
    table = tabulate_coverage(some)
    assert len(table) == min(count, 100)
    assert table["threshold"].is_monotonic_decreasing
    for row in table.itertuples():
        sure = some.confidence >= row.threshold
        expected = estimate_proportion(some.right[sure], some.groups[sure])
        assert (row.images, row.coverage) == (sure.sum(), sure.mean())
        assert (row.accuracy, row.low, row.high) == (expected.value, expected.low, expected.high)
    assert table["coverage"].iloc[-1] == 1.0


def test_images_of_one_confidence_are_answered_together() -> None:
    table = tabulate_coverage(make_sure([0.9] * 60 + [0.5] * 40, [True] * 100))
    assert table["images"].tolist() == [60, 100]
    assert table["threshold"].tolist() == pytest.approx([0.9, 0.5])


def test_the_threshold_is_the_lowest_level_at_which_the_low_end_of_the_interval_is_enough() -> None:
    some = draw(800, 1)
    threshold = choose_threshold(some, 0.95)
    ranked = np.sort(some.confidence)[::-1]
    oracle = []
    for level in range(1, LEVELS + 1):
        edge = ranked[int(np.ceil(len(some) * level / LEVELS)) - 1]
        sure = some.confidence >= edge
        if (estimate_proportion(some.right[sure], some.groups[sure]).low or 0) >= 0.95:
            oracle.append(edge)
    assert threshold == min(oracle)
    assert some.right[answered(some, threshold)].mean() > 0.95


@pytest.mark.parametrize("wrong", [0.0, 0.03], ids=["a true confidence", "too sure of itself"])
def test_what_a_threshold_promises_holds_on_other_images(wrong: float) -> None:
    """In 99 of 100 cases, measured."""
    fresh = draw(50_000, 0, wrong)
    found = [choose_threshold(draw(600, seed, wrong), 0.9) for seed in range(1, 41)]
    kept = [fresh.right[answered(fresh, one)].mean() >= 0.9 for one in found if one is not None]
    assert len(kept) > 30
    assert np.mean(kept) > 0.93


def test_where_all_may_be_answered_the_threshold_is_0() -> None:
    assert choose_threshold(make_sure([0.6] * 100, [True] * 100), 0.95) == 0.0


@pytest.mark.parametrize(
    "some",
    [
        make_sure([0.9, 0.8], [True, True]),
        make_sure([0.9] * 72, [True] * 72),
        make_sure([0.9] * 100, [True, False] * 50),
        make_sure([0.9] * 1000, [True] * 1000, groups=np.arange(1000) % 20),
    ],
    ids=["two images", "too few images", "too often wrong", "twenty groups of alike ones"],
)
def test_where_validation_bears_out_no_threshold_there_is_none(some: Predictions) -> None:
    assert choose_threshold(some, 0.95) is None


def test_one_class_is_always_answered() -> None:
    some = make_predictions([0] * 100, np.ones((100, 1)))
    assert choose_threshold(some, 0.95) == 0.0
    assert tabulate_coverage(some)["images"].tolist() == [100]
