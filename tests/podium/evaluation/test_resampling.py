from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.evaluation.intervals import Estimate
from podium.evaluation.resampling import Resamples

Weights = NDArray[np.float64]


@pytest.mark.parametrize("statistic", [lambda weights: weights @ np.arange(400) / weights.sum(axis=1)])
def test_the_same_images_give_the_same_interval(statistic: Callable[[Weights], Weights]) -> None:
    groups = np.arange(400) // 2
    assert Resamples(groups).interval(199.5, statistic) == Resamples(groups).interval(199.5, statistic)
    assert Resamples(groups, seed=1).interval(199.5, statistic) != Resamples(groups).interval(199.5, statistic)


def test_of_a_mean_it_is_that_of_the_standard_error() -> None:
    scores = np.random.default_rng(0).normal(5, 1, 2000)
    mean = scores.mean()
    resamples = Resamples(np.arange(2000))
    bca = resamples.interval(mean, lambda weights: weights @ scores / weights.sum(axis=1))
    student = resamples.means(scores[np.newaxis], np.array([np.inf]))[0]
    half = 1.96 * scores.std() / np.sqrt(2000)
    for found in (bca, student):
        assert (found.low, found.high) == pytest.approx((mean - half, mean + half), abs=0.005)


def test_whole_groups_are_drawn() -> None:
    groups = np.repeat(np.arange(50), 20)
    seen = []

    def statistic(weights: Weights) -> Weights:
        seen.append(weights)
        return weights @ np.arange(1000) / weights.sum(axis=1)

    Resamples(groups, count=100).interval(499.5, statistic)
    drawn = np.concatenate(seen)[:100].reshape(100, 50, 20)
    assert (drawn == drawn[:, :, :1]).all()
    assert (drawn[:, :, 0].sum(axis=1) == 50).all()
    assert drawn.max() > 1


@pytest.mark.parametrize("groups", [[0], [0, 0, 0], [0, 1], [0, 1, 2, 3]])
def test_of_too_few_groups_there_is_no_interval(groups: list[int]) -> None:
    scores = np.arange(len(groups), dtype=np.float64)
    resamples = Resamples(np.array(groups))
    assert resamples.interval(1.0, lambda weights: weights @ scores / weights.sum(axis=1)) == Estimate(1.0)
    assert resamples.means(scores[np.newaxis], np.array([np.inf])) == [Estimate(float(scores.mean()))]


def test_where_nothing_differs_there_is_no_interval() -> None:
    resamples, ones = Resamples(np.arange(50)), np.ones((1, 50))
    assert resamples.interval(1.0, lambda weights: np.ones(len(weights))) == Estimate(1.0)
    assert resamples.means(ones, np.array([np.inf])) == [Estimate(1.0)]


def test_figures_that_are_not_defined_are_left_out() -> None:
    scores = np.random.default_rng(0).random(50)

    def statistic(weights: Weights) -> Weights:
        return np.where(weights[:, 0] > 0, weights @ scores / weights.sum(axis=1), np.nan)

    found = Resamples(np.arange(50)).interval(float(scores.mean()), statistic)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < scores.mean() < found.high < 1


def test_few_weights_are_in_memory_at_a_time() -> None:
    sizes: list[int] = []

    def statistic(weights: Weights) -> Weights:
        sizes.append(weights.size)
        return weights.mean(axis=1) + weights[:, 0]

    Resamples(np.arange(50_000), count=100).interval(1.0, statistic)
    assert max(sizes) <= 2_000_000


def test_no_end_lies_beyond_what_can_be() -> None:
    scores = np.append(np.ones(199), 0.0)
    found = Resamples(np.arange(200)).means(np.stack([scores, 1 - scores]), np.array([1.0, np.inf]))
    assert found[0].high == 1
    assert found[1].low == 0
