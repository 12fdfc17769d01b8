from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from podium.evaluation.power import detectable_difference, needed_images, smallest_difference
from podium.evaluation.predictions import Predictions
from tests.podium.evaluation.test_metrics import predict


def mid_p(better: NDArray[np.int64], worse: NDArray[np.int64]) -> NDArray[np.float64]:
    """McNemar's test, two-sided, in the version that D. Fagerland et al. (2013) advise."""
    fewer, count = np.minimum(better, worse), better + worse
    return np.minimum(1, 2 * binom.cdf(fewer, count, 0.5) - binom.pmf(fewer, count, 0.5))


@pytest.mark.parametrize(
    ("images", "discordant"), [(136, 0.14), (136, 0.3), (400, 0.05), (2869, 0.04), (2869, 0.005), (60, 0.02)]
)
def test_the_detectable_difference_is_detected_in_four_of_five_cases(images: int, discordant: float) -> None:
    difference = detectable_difference(images, discordant)
    share = max(discordant, difference)
    counts = np.random.default_rng(0).multinomial(
        images, [(share + difference) / 2, (share - difference) / 2, 1 - share], size=4000
    )
    detected = np.mean(mid_p(counts[:, 0], counts[:, 1]) <= 0.05)
    assert 0.76 < detected < 0.9  # above 0.8 where few images are discordant: their number goes in steps
    if difference < discordant:
        assert detected < 0.84


@pytest.mark.parametrize("discordant", [0.0, 0.004, 0.02, 0.14, 0.5])
@pytest.mark.parametrize("difference", [0.005, 0.02, 0.1])
def test_a_difference_needs_the_images_that_detect_it(difference: float, discordant: float) -> None:
    assert detectable_difference(needed_images(difference, discordant), discordant) == pytest.approx(difference)


def with_errors(images: int, wrong: int, in_group: int = 1) -> Predictions:
    some = predict(images, 2)
    groups = np.arange(images) // in_group
    right = groups >= wrong / in_group
    labels = np.where(right, some.predicted, 1 - some.predicted)
    return replace(some, labels=labels, groups=groups)


def test_car_damage_can_show_nine_points() -> None:
    power = smallest_difference(with_errors(136, 38))
    assert (power.images, power.groups, power.design_effect) == (136, 136, 1)
    assert power.discordant == pytest.approx(0.14, abs=0.001)
    assert power.detectable == pytest.approx(0.09, abs=0.005)
    assert power.text.startswith(
        "On 136 images a paired comparison detects a difference of 8.9 points of accuracy in four of five cases"
    )


def test_hands_in_groups_can_show_about_a_point() -> None:
    power = smallest_difference(with_errors(2869, 29))
    assert 0.003 < power.detectable < 0.006
    grouped = smallest_difference(with_errors(2869, 32, in_group=8))
    assert 0.007 < grouped.detectable < 0.025
    assert grouped.design_effect == pytest.approx(8, abs=0.1)
    assert "which tell as much as 358 independent ones" in grouped.text


def test_the_more_images_the_smaller_the_difference() -> None:
    needs = smallest_difference(with_errors(136, 38)).needed
    assert [need.difference for need in needs] == [0.005, 0.01, 0.02, 0.05, 0.1]
    assert [need.images for need in needs] == sorted((need.images for need in needs), reverse=True)


@pytest.mark.parametrize("images", [1, 2, 3])
def test_of_too_few_images_nothing_can_be_shown(images: int) -> None:
    power = smallest_difference(with_errors(images, 0))
    assert power.detectable == 1
    assert power.text == f"{images} images are too few to compare two models."


def test_a_candidate_without_errors_has_a_detectable_difference() -> None:
    assert 0 < smallest_difference(with_errors(300, 0)).detectable < 0.05
