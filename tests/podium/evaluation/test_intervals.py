import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from bench.simulation import ALONE, MIXED, PARTLY, TWENTIES, Design, cover_accuracy, cover_metrics
from podium.evaluation.intervals import (
    count_alike,
    effective_images,
    estimate_proportion,
    estimate_proportions,
    estimate_score,
)


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
            assert (0.86 if name == "pr_auc" else 0.91) < share < 0.99, name


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
