from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from bench.simulation import ALONE, MIXED, PARTLY, TWENTIES, Design, cover_accuracy, cover_metrics
from podium.evaluation.intervals import (
    Estimate,
    Resamples,
    count_alike,
    effective_images,
    estimate_proportion,
    estimate_proportions,
    estimate_score,
)

Weights = NDArray[np.float64]


def hits(right: int, images: int) -> NDArray[np.bool_]:
    return np.arange(images) < right


class TestProportion:
    @pytest.mark.parametrize(("right", "images"), [(0, 1), (1, 1), (2, 2), (1, 2), (80, 100), (100, 100), (7100, 7172)])
    def test_of_single_images_it_is_scipys(self, right: int, images: int) -> None:
        found = estimate_proportion(hits(right, images), np.arange(images))
        wanted = binomtest(right, images).proportion_ci(method="wilson")
        assert (found.value, found.low, found.high) == pytest.approx((right / images, wanted.low, wanted.high))

    @pytest.mark.parametrize("right", [5, 16, 20])
    def test_of_groups_alike_it_is_scipys_of_the_groups(self, right: int) -> None:
        """But that the variance of 20 groups is taken from one degree of freedom less."""
        found = estimate_proportion(np.repeat(hits(right, 20), 20), np.repeat(np.arange(20), 20))
        wanted = binomtest(right, 20).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.01)

    @pytest.mark.parametrize("right", [True, False])
    def test_of_one_group_it_is_that_of_one_image(self, right: bool) -> None:
        found = estimate_proportion(np.full(30, right), np.zeros(30, np.int64))
        wanted = binomtest(int(right), 1).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))

    def test_many_at_once_are_those_one_by_one(self) -> None:
        generator = np.random.default_rng(0)
        keys, groups = generator.integers(0, 5, 300), generator.integers(0, 80, 300)
        right = generator.random(300) < 0.9
        value, low, high = estimate_proportions(keys, right, groups, 6)
        for key in range(5):
            one = estimate_proportion(right[keys == key], groups[keys == key])
            assert (value[key], low[key], high[key]) == pytest.approx((one.value, one.low, one.high))
        assert np.isnan([value[5], low[5], high[5]]).all()

    def test_the_order_of_images_and_the_names_of_groups_do_not_matter(self) -> None:
        generator = np.random.default_rng(0)
        right, groups, order = generator.random(200) < 0.8, generator.integers(0, 60, 200), generator.permutation(200)
        other = estimate_proportion(right[order], groups[order] * 7 + 1000)
        one = estimate_proportion(right, groups)
        assert (one.low, one.high) == pytest.approx((other.low, other.high))

    def test_of_no_images_it_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no images"):
            estimate_proportion(np.array([], bool), np.array([], np.int64))

    def test_groups_that_agree_count_as_few_images(self) -> None:
        twenties = np.repeat(np.arange(30), 20)
        alike = effective_images(np.repeat(hits(24, 30), 20), twenties)
        mixed = effective_images(np.random.default_rng(0).random(600) < 0.8, twenties)
        assert 28 < alike <= 30 < 150 < mixed <= 600
        assert count_alike(twenties) == 30


class TestCoverage:
    """The long version is `python -m bench coverage`."""

    @pytest.mark.parametrize("design", [ALONE, TWENTIES, MIXED], ids=lambda design: design.title.replace(" ", "_"))
    @pytest.mark.parametrize("images", [60, 200, 600])
    def test_an_accuracy_lies_in_its_interval_95_times_of_100(self, design: Design, images: int) -> None:
        ours, theirs = cover_accuracy(design, images, times=250)
        assert 0.93 - 0.006 < ours.mean() < 0.97 + 0.006  # two standard errors of the simulation
        assert ours.min() > 0.88
        assert design is ALONE or theirs.mean() < 0.75, "images that are alike are no independent ones"

    def test_partly_alike_groups_are_no_worse(self) -> None:
        ours, theirs = cover_accuracy(PARTLY, 600, times=250)
        assert 0.93 < ours.mean() < 0.985
        assert theirs.mean() < 0.65

    @pytest.mark.soak
    @pytest.mark.parametrize("design", [ALONE, TWENTIES, MIXED, PARTLY], ids=lambda design: design.title)
    @pytest.mark.parametrize("images", [60, 136, 600, 1000, 3000])
    def test_many_accuracies_lie_in_their_interval(self, design: Design, images: int) -> None:
        ours, _ = cover_accuracy(design, images // 20 * 20 if design is TWENTIES else images, times=2000)
        assert 0.93 < ours.mean() < (1 if design is PARTLY else 0.971)
        assert ours.min() > 0.905

    def test_other_figures_lie_in_theirs(self) -> None:
        for name, share in cover_metrics(ALONE, 200, times=60).items():
            assert share >= 0.85, name

    @pytest.mark.soak
    @pytest.mark.parametrize(("design", "images"), [(ALONE, 136), (ALONE, 600), (TWENTIES, 3000), (MIXED, 600)])
    def test_other_figures_lie_in_theirs_95_times_of_100(self, design: Design, images: int) -> None:
        for name, share in cover_metrics(design, images, times=1000).items():
            assert (0.88 if name == "pr_auc" else 0.915) < share < 0.985, name


class TestScore:
    def test_with_a_proportions_variance_it_is_that_proportions(self) -> None:
        wanted = estimate_proportion(hits(900, 1000), np.arange(1000))
        found = estimate_score(0.9, 0.9 * 0.1 / 1000, np.array([1000.0]), 100, "jackknife")
        assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-4)

    def test_from_less_than_zero_on_it_reaches_down_to_where_it_can(self) -> None:
        found = estimate_score(-1.0, 0.0, np.array([10.0]), 0, "jackknife", least=-1.0)
        assert found.low == pytest.approx(-1)
        assert found.high is not None
        assert -1 < found.high < 0.5


class TestResamples:
    @pytest.mark.parametrize("statistic", [lambda weights: weights @ np.arange(400) / weights.sum(axis=1)])
    def test_the_same_images_give_the_same_interval(self, statistic: Callable[[Weights], Weights]) -> None:
        groups = np.arange(400) // 2
        assert Resamples(groups).interval(199.5, statistic) == Resamples(groups).interval(199.5, statistic)
        assert Resamples(groups, seed=1).interval(199.5, statistic) != Resamples(groups).interval(199.5, statistic)

    def test_of_a_mean_it_is_that_of_the_standard_error(self) -> None:
        scores = np.random.default_rng(0).normal(5, 1, 2000)
        mean = scores.mean()
        resamples = Resamples(np.arange(2000))
        bca = resamples.interval(mean, lambda weights: weights @ scores / weights.sum(axis=1))
        student = resamples.means(scores[np.newaxis], np.array([np.inf]))[0]
        half = 1.96 * scores.std() / np.sqrt(2000)
        for found in (bca, student):
            assert (found.low, found.high) == pytest.approx((mean - half, mean + half), abs=0.005)

    def test_whole_groups_are_drawn(self) -> None:
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
    def test_of_too_few_groups_there_is_no_interval(self, groups: list[int]) -> None:
        scores = np.arange(len(groups), dtype=np.float64)
        resamples = Resamples(np.array(groups))
        assert resamples.interval(1.0, lambda weights: weights @ scores / weights.sum(axis=1)) == Estimate(1.0)
        assert resamples.means(scores[np.newaxis], np.array([np.inf])) == [Estimate(float(scores.mean()))]

    def test_where_nothing_differs_there_is_no_interval(self) -> None:
        resamples, ones = Resamples(np.arange(50)), np.ones((1, 50))
        assert resamples.interval(1.0, lambda weights: np.ones(len(weights))) == Estimate(1.0)
        assert resamples.means(ones, np.array([np.inf])) == [Estimate(1.0)]

    def test_figures_that_are_not_defined_are_left_out(self) -> None:
        scores = np.random.default_rng(0).random(50)

        def statistic(weights: Weights) -> Weights:
            return np.where(weights[:, 0] > 0, weights @ scores / weights.sum(axis=1), np.nan)

        found = Resamples(np.arange(50)).interval(float(scores.mean()), statistic)
        assert found.low is not None
        assert found.high is not None
        assert 0 < found.low < scores.mean() < found.high < 1

    def test_few_weights_are_in_memory_at_a_time(self) -> None:
        sizes: list[int] = []

        def statistic(weights: Weights) -> Weights:
            sizes.append(weights.size)
            return weights.mean(axis=1) + weights[:, 0]

        Resamples(np.arange(50_000), count=100).interval(1.0, statistic)
        assert max(sizes) <= 2_000_000

    def test_no_end_lies_beyond_what_can_be(self) -> None:
        scores = np.append(np.ones(199), 0.0)
        found = Resamples(np.arange(200)).means(np.stack([scores, 1 - scores]), np.array([1.0, np.inf]))
        assert found[0].high == 1
        assert found[1].low == 0
