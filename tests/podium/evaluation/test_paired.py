"""What two models' predictions of the same images say of the difference between them."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest, norm, permutation_test

from podium.evaluation.intervals import Floats
from podium.evaluation.paired import (
    Difference,
    adjust_for_number,
    compare_hits,
    compare_statistics,
    mean_difference,
    turn_signs,
)
from podium.evaluation.power import POWER, detectable_difference
from podium.evaluation.resampling import Resamples

Hits = NDArray[np.bool_]


def pairs(better: int, worse: int, alike: int) -> tuple[Hits, Hits]:
    """Give the hits of two models that differ on so many images, one way and the other."""
    first = np.repeat([False, True, True], [better, worse, alike])
    return first, np.repeat([True, False, True], [better, worse, alike])


@pytest.mark.parametrize(("better", "worse"), [(1, 0), (6, 1), (10, 10), (0, 5), (40, 22), (900, 800)])
def test_with_single_images_it_is_mcnemars_mid_p(better: int, worse: int) -> None:
    number, few = better + worse, min(better, worse)
    exact = binomtest(few, number).pvalue
    expected = exact - binom.pmf(few, number, 0.5) if better != worse else 1 - binom.pmf(few, number, 0.5) / 2
    found = compare_hits(*pairs(better, worse, 50), np.arange(number + 50))
    assert found.p_value == pytest.approx(expected, abs=1e-12)
    assert found.value == pytest.approx((better - worse) / (number + 50))


@pytest.mark.parametrize("surpluses", [[3, 1, 1], [2, -1, 5, 5, 0], [-4, -4, -1, 1, 7, 2], [9]])
def test_with_groups_it_is_the_mid_p_of_every_way_to_turn_them(surpluses: list[int]) -> None:
    sums = [abs(sum(signs)) for signs in itertools.product(*({-one, one} for one in surpluses if one))]
    weights = [1.0 if one > abs(sum(surpluses)) else 0.5 if one == abs(sum(surpluses)) else 0.0 for one in sums]
    assert turn_signs(np.array(surpluses)) == pytest.approx(sum(weights) / len(sums))


@pytest.mark.parametrize("surpluses", [[3, 1, 1], [2, -1, 5, 5, 0], [-4, -4, -1, 1, 7, 2], [9], [-9], [0]])
def test_one_sided_what_is_turned_against_the_second_model_does_not_count(surpluses: list[int]) -> None:
    sums = [sum(signs) for signs in itertools.product(*({-one, one} for one in surpluses if one))]
    weights = [1.0 if one > sum(surpluses) else 0.5 if one == sum(surpluses) else 0.0 for one in sums]
    assert turn_signs(np.array(surpluses), "better") == pytest.approx(sum(weights) / len(sums))


def test_it_agrees_with_scipys_permutation_test_but_for_the_half_that_mid_p_takes() -> None:
    surpluses = np.array([3, 1, -2, 1, 5, -1, 1, 2, 4])
    scipys = permutation_test(
        (surpluses, np.zeros(9)), lambda one, other: np.sum(one - other), permutation_type="samples"
    )
    as_often = np.mean([abs(sum(one)) == surpluses.sum() for one in itertools.product(*([-n, n] for n in surpluses))])
    assert turn_signs(surpluses) == pytest.approx(scipys.pvalue - as_often / 2)


def test_twenty_images_of_one_scene_are_one_witness() -> None:
    first, second = pairs(20, 0, 200)
    groups = np.r_[np.zeros(20, int), np.arange(1, 201)]
    assert compare_hits(first, second, np.arange(220)).p_value < 1e-5
    assert compare_hits(first, second, groups).p_value == 0.5


@pytest.mark.parametrize(("better", "worse", "count"), [(12, 2, 50), (0, 3, 40), (25, 25, 400), (7, 0, 7)])
def test_the_interval_is_where_the_score_of_the_likeliest_shares_is_the_quantile(
    better: int, worse: int, count: int
) -> None:
    """Tango's closed form against a search for the likeliest shares of the two kinds of discordant images."""
    found = compare_hits(*pairs(better, worse, count - better - worse), np.arange(count))
    for end in (found.low, found.high):
        assert end is not None
        if abs(end) < 1 - 1e-6:
            assert abs(_score(better, worse, count, end)) == pytest.approx(norm.ppf(0.975), abs=1e-3)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def _score(better: int, worse: int, count: int, difference: float) -> float:
    def unlikely(share: float) -> float:
        parts = [(better, share + difference), (worse, share), (count - better - worse, 1 - 2 * share - difference)]
        return -sum(number * math.log(max(part, 1e-300)) for number, part in parts if number)

    least, most = max(0.0, -difference), (1 - difference) / 2
    share = minimize_scalar(unlikely, bounds=(least, most), method="bounded", options={"xatol": 1e-12}).x
    return (better - worse - count * difference) / math.sqrt(count * (2 * share + difference * (1 - difference)))


def test_the_interval_of_models_that_never_differ_is_no_point() -> None:
    found = compare_hits(*pairs(0, 0, 100), np.arange(100))
    assert (found.value, found.p_value) == (0, 1)
    assert (found.low, found.high) == (pytest.approx(-0.037, abs=1e-3), pytest.approx(0.037, abs=1e-3))
    grouped = compare_hits(*pairs(0, 0, 100), np.arange(100) // 20)
    assert grouped.high == pytest.approx(0.43, abs=0.01)


def test_turned_round_everything_is_turned_round() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.random(300) < 0.7, generator.random(300) < 0.8
    groups = generator.integers(0, 120, 300)
    one, other = compare_hits(first, second, groups), compare_hits(second, first, groups)
    assert (one.value, one.p_value) == (-other.value, pytest.approx(other.p_value))
    assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))


def draw_hits(generator: np.random.Generator, sizes: NDArray[np.int64], right: float) -> Hits:
    """Give the hits of a model on groups whose images nearly always go the same way."""
    of_group = np.repeat(generator.random(len(sizes)) < right, sizes)
    alone = generator.random(sizes.sum()) < 0.1
    return np.where(alone, generator.random(sizes.sum()) < right, of_group)


@pytest.mark.parametrize(
    "sizes", [np.ones(200, int), np.r_[np.full(40, 10), np.ones(160, int)]], ids=["single", "tens"]
)
def test_equal_models_differ_in_one_case_of_twenty_and_the_interval_holds_in_the_others(
    sizes: NDArray[np.int64],
) -> None:
    generator = np.random.default_rng(0)
    groups, rounds = np.repeat(np.arange(len(sizes)), sizes), 400
    found = [compare_hits(*(draw_hits(generator, sizes, 0.85) for _ in range(2)), groups) for _ in range(rounds)]
    assert np.mean([one.p_value <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.02)
    assert np.mean([one.low <= 0 <= one.high for one in found if one.low is not None and one.high is not None]) > 0.93


def test_images_taken_for_groups_would_cry_wolf() -> None:
    """The same as above with the groups unknown: why they count."""
    generator = np.random.default_rng(0)
    sizes = np.r_[np.full(40, 10), np.ones(160, int)]
    found = [
        compare_hits(*(draw_hits(generator, sizes, 0.85) for _ in range(2)), np.arange(sizes.sum())) for _ in range(200)
    ]
    assert np.mean([one.p_value <= 0.05 for one in found]) > 0.25


def compare_means(scores: Floats, groups: NDArray[np.int64], count: int = 1000) -> Difference:
    return compare_statistics(mean_difference(scores), groups, Resamples(groups, count))


@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_a_difference_of_means_agrees_with_the_normal_distribution(shift: float) -> None:
    scores = np.random.default_rng(3).normal(shift, 1, 400)
    found, error = compare_means(scores, np.arange(400)), scores.std() / 20
    assert found.value == pytest.approx(scores.mean())
    assert (found.low, found.high) == pytest.approx((scores.mean() - 2 * error, scores.mean() + 2 * error), abs=0.02)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(scores.mean()) / error), abs=0.03)


def test_of_few_groups_every_way_to_change_the_models_is_gone_through() -> None:
    scores, groups = np.array([3.0, 1.0, 2.0, 0.5, 0.25]), np.array([0, 0, 1, 2, 2])
    sums = [abs(sum(signs)) for signs in itertools.product((4, -4), (2, -2), (0.75, -0.75))]
    assert compare_means(scores, groups).p_value == pytest.approx(np.mean([one >= 6.75 for one in sums]))


def test_equal_means_differ_in_one_case_of_twenty_where_groups_are_alike() -> None:
    generator = np.random.default_rng(0)
    sizes = np.r_[np.full(10, 5), np.ones(20, int)]
    groups, rounds = np.repeat(np.arange(30), sizes), 60
    found = [compare_means(np.repeat(generator.normal(0, 1, 30), sizes), groups, 50).p_value for _ in range(rounds)]
    assert np.mean([one <= 0.05 for one in found]) == pytest.approx(0.05, abs=0.06)


@pytest.mark.parametrize("shift", [0.05, 0.15, 0.4])
def test_one_sided_a_mean_agrees_with_the_normal_distribution_far_out_too(shift: float) -> None:
    scores = np.random.default_rng(3).normal(shift, 1, 400)
    expected = norm.sf(scores.mean() * 20 / np.sqrt(np.mean(scores**2)))
    for side, sides in (("better", 1), ("both", 2)):
        found = compare_statistics(mean_difference(scores), np.arange(400), Resamples(np.arange(400), 20), side)
        assert found.p_value == pytest.approx(sides * expected, rel=0.5, abs=1e-9)
    lost = compare_statistics(mean_difference(-scores), np.arange(400), Resamples(np.arange(400), 20), "better")
    assert lost.p_value == pytest.approx(1 - expected, abs=0.02)


@pytest.mark.parametrize("count", [8, 40])
def test_changing_the_models_is_scipys_permutation_test(count: int) -> None:
    scores = np.random.default_rng(1).normal(0.3, 1, count)
    for side, alternative in (("better", "greater"), ("both", "two-sided")):
        scipys = permutation_test(
            (scores, np.zeros(count)),
            lambda one, other: np.mean(one - other),
            permutation_type="samples",
            alternative=alternative,
            n_resamples=1999,
            rng=np.random.default_rng(5),
        )
        found = compare_statistics(mean_difference(scores), np.arange(count), Resamples(np.arange(count), 20), side)
        assert found.p_value == pytest.approx(scipys.pvalue, abs=1e-9 if count == 8 else 0.02)


def test_what_does_not_differ_has_no_small_p_value() -> None:
    found = compare_means(np.zeros(9), np.arange(9))
    assert (found.value, found.p_value) == (0, 1)


def test_one_group_alone_has_no_interval() -> None:
    found = compare_means(np.ones(4) / 2, np.zeros(4, int))
    assert (found.value, found.low, found.high, found.p_value) == (0.5, None, None, 1)


def test_holm_keeps_the_order_and_goes_no_higher_than_one() -> None:
    assert adjust_for_number([0.01, 0.04, 0.03, 0.9]) == pytest.approx([0.04, 0.09, 0.09, 0.9])
    assert adjust_for_number([0.9, 0.8]) == [1, 1]
    assert adjust_for_number([0.02]) == [0.02]


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 4])
def test_what_is_called_detectable_is_found_in_four_of_five_cases(size: int) -> None:
    generator = np.random.default_rng(2)
    groups, discordant = np.repeat(np.arange(400), size), 0.1
    difference = detectable_difference(400, discordant)
    found = []
    for _ in range(300):
        chance = np.repeat(generator.random(400), size)  # the images of a group go one way
        better, worse = (discordant + difference) / 2, (discordant - difference) / 2
        first, second = chance >= better, (chance < better) | (chance >= better + worse)
        found.append(compare_hits(first, second, groups).p_value <= 0.05)
    assert np.mean(found) == pytest.approx(POWER, abs=0.06)
