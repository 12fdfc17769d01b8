import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.registry.gate import SAME, budget_share, refresh_advice, shares_images, sketch, threshold


def digests(first: int, last: int) -> NDArray[np.str_]:
    return np.array([hashlib.sha256(str(number).encode()).hexdigest() for number in range(first, last)])


def test_all_decisions_together_have_no_more_than_the_error() -> None:
    shares = [budget_share(number) for number in range(1, 10_000)]
    assert shares == sorted(shares, reverse=True)
    assert 0.999 < sum(shares) < 1


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({}, 1),
        ({"candidates": 6}, 6),
        ({"epochs": 30}, 15.5),
        ({"candidates": 6, "epochs": 30}, 93),
        ({"epochs": 1}, 1),
    ],
)
def test_what_was_chosen_on_the_images_pays_for_it(asked: dict[str, int], part: float) -> None:
    assert threshold(0.05, 3, **asked) == pytest.approx(0.05 * 6 / (np.pi**2 * 9) / part)


def test_a_sketch_is_of_a_set_whatever_its_order_and_repetitions() -> None:
    some = digests(0, 1000)
    assert sketch(some) == sketch(np.r_[some[::-1], some[:9]])
    assert len(sketch(some)) == 256
    assert sketch(some) == tuple(sorted(one[:8] for one in some))[:256]


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [((0, 100), (0, 100), 1), ((0, 100), (50, 150), 0.5), ((0, 100), (0, 200), 0.5), ((0, 200), (0, 100), 1)],
)
def test_of_small_sets_the_share_is_exact(one: tuple[int, int], other: tuple[int, int], share: float) -> None:
    assert shares_images(sketch(digests(*one)), sketch(digests(*other))) == share


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((0, 3000), (1000, 4000), 2 / 3),
        ((0, 3000), (0, 6000), 0.5),
        ((0, 9000), (8000, 10_000), 0.5),
        ((0, 300), (0, 300), 1),
    ],
)
def test_of_large_sets_it_is_estimated(one: tuple[int, int], other: tuple[int, int], share: float) -> None:
    found = []
    for turn in range(20):
        shift = turn * 100_000
        ends = [sketch(digests(begin + shift, end + shift)) for begin, end in (one, other)]
        found.append(shares_images(*ends))
    assert np.mean(found) == pytest.approx(share, abs=0.05)
    assert np.max(np.abs(np.array(found) - share)) < 0.3


def test_the_share_of_half_the_images_is_found_within_four_points() -> None:
    found = [
        shares_images(*(sketch(digests(begin, begin + 1000)) for begin in (turn * 5000, turn * 5000 + 500)))
        for turn in range(60)
    ]
    assert np.std(found) < 0.05


def test_other_images_open_a_new_budget_and_what_nothing_is_known_of_does_not() -> None:
    assert shares_images(sketch(digests(0, 900)), sketch(digests(2000, 2900))) < SAME
    assert shares_images((), sketch(digests(0, 9))) == 0
    assert shares_images(sketch(digests(0, 50_000)), ("ffffffff",)) == 1


def test_the_advice_names_the_share_and_how_many_images_are_a_new_set() -> None:
    advice = refresh_advice(4, 300)
    assert "Decision 4 on these images: it had 3.8% of the error" in advice
    assert "more than 150 of these 300" in advice
    assert "more than 300 new ones beside them" in advice


@pytest.mark.parametrize(
    ("fresh", "kept", "new"), [(50, 50, False), (51, 49, True), (100, 100, False), (101, 100, True)]
)
def test_what_the_advice_says_is_so(fresh: int, kept: int, new: bool) -> None:
    advice = refresh_advice(1, 100)
    assert "more than 50 of these 100" in advice
    assert "more than 100 new ones beside" in advice
    now = sketch(np.r_[digests(0, kept), digests(1000, 1000 + fresh)])
    assert (shares_images(sketch(digests(0, 100)), now) < SAME) is new
