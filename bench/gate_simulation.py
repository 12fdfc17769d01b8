"""How often the gate errs, by simulation: `python -m bench.gate_simulation TIMES` prints a line of JSON a row.

A process of its own, because benches import nothing heavy: a measured process begins with its parent's peak.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtr, ndtri
from scipy.stats import binom, multivariate_normal

from podium.evaluation import tango
from podium.evaluation.paired import turn_signs
from podium.registry.gate import threshold

ERROR, RIGHT, DISCORDANT = 0.05, 0.9, 0.1
"""What the rules allow; how often every model is right; on how many images two trainings differ."""
ALIKE, HARDLY_ALIKE = 0.9, 0.5
"""How much of what sets a training apart is still there an epoch later."""
CELLS = 4_000_000
"""Answers that are in memory at a time."""
SIZES = np.tile(np.arange(1, 21), 14)
"""Of groups of near-duplicates: 280 of them, 2,940 images."""
Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """What is simulated.

    Attributes:
        what: for people.
        most, least: how often a challenger may be promoted, or has to be; None where nothing is promised.
        images: of validation.
        grouped: whether they come in groups of near-duplicates of `SIZES`, right or wrong together.
        candidates: equal ones, of which the best challenges.
        epochs: of each, of which the best counts.
        alike: how alike neighbouring epochs are.
        chosen: whether the champion was chosen in the same way on the same images; else it never saw them.
        nights: decisions on the same images, with new trainings each.
        growth: images more each night.
        number: of the first decision on these images.
        gain: how much more often the challengers are right.
        effort: the part of the usual number of rounds.
    """

    what: str
    most: float | None = None
    least: float | None = None
    images: int = 720
    grouped: bool = False
    candidates: int = 1
    epochs: int = 1
    alike: float = ALIKE
    chosen: bool = False
    nights: int = 1
    growth: int = 0
    number: int = 1
    gain: float = 0.0
    effort: float = 1.0


EQUAL = tuple(
    Case(f"equal models promoted: {what}", most=ERROR, **asked)
    for what, asked in {
        "one candidate": {},
        "one candidate, 100 images": {"images": 100},
        "best of six": {"candidates": 6},
        "best of 15 epochs": {"epochs": 15},
        "best of 30 epochs": {"epochs": 30},
        "best of 60 epochs": {"epochs": 60},
        "best of 30 epochs that are hardly alike": {"epochs": 30, "alike": HARDLY_ALIKE},
        "best of six, 15 epochs each": {"candidates": 6, "epochs": 15},
        "best of six, 30 epochs each": {"candidates": 6, "epochs": 30},
        "best of six, 60 epochs each": {"candidates": 6, "epochs": 60, "effort": 0.5},
        "best of six, 30 epochs each, champion chosen likewise": {"candidates": 6, "epochs": 30, "chosen": True},
        "groups of 1 to 20": {"grouped": True},
        "groups of 1 to 20, best of six, 30 epochs each": {"grouped": True, "candidates": 6, "epochs": 30},
    }.items()
)
NIGHTS = tuple(
    Case(f"equal models promoted in thirty nights: {what}", most=ERROR, nights=30, **asked)
    for what, asked in {
        "one candidate": {},
        "best of six": {"candidates": 6},
        "best of 30 epochs": {"epochs": 30},
        "best of six, 15 epochs each": {"candidates": 6, "epochs": 15, "effort": 0.5},
        "best of six, 30 epochs each": {"candidates": 6, "epochs": 30, "effort": 0.5},
        "best of six, 15 epochs each, 12 images more a night": {
            **{"candidates": 6, "epochs": 15, "growth": 12, "effort": 0.5}
        },
        "best of six, 15 epochs each, groups of 1 to 20": {
            **{"candidates": 6, "epochs": 15, "grouped": True, "effort": 0.5}
        },
    }.items()
)
BETTER = tuple(
    Case(f"two points better, 2,869 images, promoted: {what}", images=2869, gain=0.02, **asked)
    for what, asked in {
        "one candidate": {"least": 0.9, "effort": 2},
        "third decision": {"number": 3},
        "best of six": {"candidates": 6},
        "best of 30 epochs": {"epochs": 30, "effort": 0.5},
        "best of six, 30 epochs each": {"candidates": 6, "epochs": 30, "effort": 0.1},
        "best of six, 30 epochs each, third decision": {"candidates": 6, "epochs": 30, "number": 3, "effort": 0.1},
    }.items()
)
MARGIN, IMAGES = 0.01, 2869
SMALLER = (
    ("smaller, but worse by the margin of one point, 2,869 images: promoted", -0.01, ERROR),
    ("smaller and as good, margin of one point, 2,869 images: promoted", 0.0, None),
)
CLASSES, OF_CLASS = 24, 120
HARMS = (
    ("24 classes × 120 images, one class 15 points worse: vetoed", 0.15, None, 0.8),
    ("24 classes × 120 images, equal models: vetoed", 0.0, ERROR, None),
)


def simulate(case: Case, times: int, seed: int = 0) -> tuple[Hits, Hits]:
    """Give whether equal or better challengers were promoted at least once.

    Returns:
        Each (times,): by the gate, and where the higher accuracy wins.
    """
    generator = np.random.default_rng(seed)
    block = max(1, CELLS // (case.nights * case.candidates * _count(case)))
    found = [_challenge(generator, case, min(block, times - begin)) for begin in range(0, times, block)]
    ours, theirs = (np.concatenate(some) for some in zip(*found, strict=True))
    return ours, theirs


def _count(case: Case) -> int:
    return len(SIZES) if case.grouped else case.images + case.growth * (case.nights - 1)


def _challenge(generator: np.random.Generator, case: Case, rounds: int) -> tuple[Hits, Hits]:
    count, each = _count(case), case.nights * case.candidates
    sizes = SIZES.astype(np.float32) if case.grouped else np.ones(count, np.float32)
    shared = share_of_images(RIGHT, RIGHT + case.gain)
    images = np.sqrt(shared) * _normal(generator, (rounds, 1, count))
    there = np.arange(count) < case.images + case.growth * np.arange(case.nights)[:, np.newaxis]
    weights = sizes * (there if not case.grouped else np.ones_like(there))
    champion, challengers = (
        _train(generator, (images + ndtri(right)) / np.sqrt(1 - shared), case, some, epochs)
        for right, some, epochs in (
            (RIGHT, weights[:1].repeat(case.candidates if case.chosen else 1, 0), case.epochs if case.chosen else 1),
            (RIGHT + case.gain, weights.repeat(case.candidates, 0), case.epochs),
        )
    )
    first = _best(champion, weights[:1], rounds)
    second = _best(challengers, weights, rounds)
    assert second.shape == (rounds, each // case.candidates, count)
    ahead = second.astype(np.int8) - first.astype(np.int8)
    surplus = np.einsum("rnc,nc->rn", ahead.astype(np.float32), weights)
    limits = [threshold(ERROR, case.number + night, case.candidates, case.epochs) for night in range(case.nights)]
    if case.grouped:
        chances = np.ones(surplus.shape)
        spread = np.sqrt((ahead.astype(np.float32) ** 2) @ sizes**2)
        for place in zip(*np.nonzero(surplus > spread), strict=True):  # the others are far from any limit
            chances[place] = turn_signs(ahead[place] * SIZES, "better")
    else:
        better, worse = (np.einsum("rnc,nc->rn", (ahead == sign).astype(np.float32), weights) for sign in (1, -1))
        chances = mid_p(better, worse)
    return (chances <= np.array(limits)).any(axis=1), (surplus > 0).any(axis=1)


def _train(
    generator: np.random.Generator, margins: NDArray[np.float32], case: Case, weights: NDArray[np.float32], epochs: int
) -> Hits:
    """Give (rounds, trainings, images) the hits of the best epoch of each training, by its weighted accuracy."""
    shape = (len(margins), len(weights), margins.shape[-1])
    state, limits = _normal(generator, shape), -margins.astype(np.float32)
    best, most = state > limits, np.full(shape[:2], -1, np.float32)
    for epoch in range(epochs):
        if epoch:
            state *= np.float32(case.alike)
            state += np.float32(np.sqrt(1 - case.alike**2)) * _normal(generator, shape)
        hits = state > limits
        score = np.einsum("rtc,tc->rt", hits.astype(np.float32), weights)
        better = score > most
        best[better], most[better] = hits[better], score[better]
    return best


def _best(hits: Hits, weights: NDArray[np.float32], rounds: int) -> Hits:
    """Give (rounds, nights, images) the hits of the best candidate of each night."""
    nights, count = weights.shape
    of_night = hits.reshape(rounds, nights, -1, count)
    chosen = np.einsum("rnkc,nc->rnk", of_night.astype(np.float32), weights).argmax(axis=2)
    best: Hits = np.take_along_axis(of_night, chosen[:, :, np.newaxis, np.newaxis], axis=2)[:, :, 0]
    return best


def _normal(generator: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return generator.standard_normal(shape, dtype=np.float32)


def share_of_images(first: float, second: float) -> float:
    """Give how much of what makes an answer right lies in the image, so that two trainings differ on `DISCORDANT`."""
    limits, both = ndtri([first, second]), (first + second - DISCORDANT) / 2

    def more(shared: float) -> float:
        return float(multivariate_normal.cdf(limits, cov=[[1, shared], [shared, 1]])) - both

    return float(brentq(more, 0.01, 0.999))


def mid_p(better: NDArray[np.float32], worse: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give McNemar's mid-p, one-sided, of so many images gained and lost."""
    number = (better + worse).astype(np.int64)
    chances: NDArray[np.float64] = bdtr(worse.astype(np.float64), number, 0.5) - binom.pmf(worse, number, 0.5) / 2
    return chances


def replace_by_smaller(gain: float, times: int, seed: int = 0) -> tuple[Hits, Hits]:
    """Give (times,) whether a smaller challenger was promoted within `MARGIN`; and where the higher accuracy wins."""
    shares, limit = [(DISCORDANT + gain) / 2, (DISCORDANT - gain) / 2, 1 - DISCORDANT], threshold(ERROR, 1)
    counts = np.random.default_rng(seed).multinomial(IMAGES, shares, times).astype(np.float32)
    better, worse = counts[:, 0], counts[:, 1]
    found = [tango.not_worse(*some, IMAGES, MARGIN) for some in zip(better.tolist(), worse.tolist(), strict=True)]
    return (np.array(found) <= limit) | (mid_p(better, worse) <= limit), better > worse


def veto(worse_by: float, times: int, seed: int = 0) -> Hits:
    """Give (times,) whether harm to a class was shown, where one class of the challenger is worse by so much."""
    generator, found = np.random.default_rng(seed), []
    shared = share_of_images(RIGHT, RIGHT)
    limits = ndtri(np.r_[RIGHT - worse_by, np.full(CLASSES - 1, RIGHT)])[:, np.newaxis]
    block = CELLS // (CLASSES * OF_CLASS)
    for begin in range(0, times, block):
        shape = (min(block, times - begin), CLASSES, OF_CLASS)
        images = np.sqrt(shared) * _normal(generator, shape)
        first, second = (
            images + np.sqrt(1 - shared) * _normal(generator, shape) > -limit for limit in (ndtri(RIGHT), limits)
        )
        lost, gained = (np.sum(some, axis=2).astype(np.float32) for some in (first & ~second, second & ~first))
        found.append(mid_p(lost, gained).min(axis=1) <= ERROR / CLASSES)  # the first step of Holm's correction
    return np.concatenate(found)


def list_rows(times: int) -> Iterator[dict[str, object]]:
    """Give the rows of the bench: what, how often by the gate and by the higher accuracy, the promise, rounds."""
    for case in (*EQUAL, *NIGHTS, *BETTER):
        rounds = max(1, int(times * case.effort))
        ours, theirs = simulate(case, rounds)
        yield {
            **{"what": case.what, "ours": ours.mean(), "other": theirs.mean(), "times": rounds},
            **{"most": case.most, "least": case.least},
        }
    for what, gain, most in SMALLER:
        ours, theirs = replace_by_smaller(gain, times)
        yield {
            **{"what": what, "ours": ours.mean(), "other": theirs.mean(), "times": times},
            **{"most": most, "least": None},
        }
    for what, worse_by, most, least in HARMS:
        yield {"what": what, "ours": veto(worse_by, times).mean(), "times": times, "most": most, "least": least}


if __name__ == "__main__":
    for row in list_rows(int(sys.argv[1])):
        print(json.dumps(row), flush=True)
