"""Two models on the same images: how far apart they are, how sure that is, and whether it is more than chance.

Images that are alike are no independent witnesses, so what counts is the group of near-duplicates. Within each group
the second model has so many hits more than the first, or fewer. If the models are equally good, each group might as
well have had that surplus the other way round: the test asks how often chance alone, which turns the surpluses of the
groups round, gives a difference as great as the one at hand. Where every group is one image this is McNemar's test, in
its mid-p version: M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
asymptotic are better than exact conditional", BMC Medical Research Methodology 13:91, 2013.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import binom

from podium.evaluation import tango
from podium.evaluation.intervals import Floats, Z, count_alike
from podium.evaluation.resampling import CELLS, Resamples

Statistic = Callable[[Floats, Floats], Floats]
"""Gives (b,) differences, the second model's figure less the first's, of two times (b, n) weights: how often each image
counts with the models in their places, and how often with the models changed for each other."""

SWAPS = 1999
"""How often the models are changed for each other, by chance, where not all ways can be gone through."""
RARE = 20
"""Where fewer of those ways go as far as the models at hand do, the normal distribution says how often they would."""
_SLACK = 1e-12
"""By which share two equal differences may differ, for the order that they were summed in."""

Side = Literal["both", "better"]
"""Whether a test asks for a difference either way, or for a second model whose figure is the greater one."""


@dataclass(frozen=True)
class Difference:
    """By how much a second model differs from a first one.

    Attributes:
        value: the second's figure less the first's.
        low, high: the ends of the interval, 95 times of 100 right; None where there is none.
        p_value: how often two equal models would differ by as much or more, 0–1; either way, or the second ahead.
        method: of interval and test, in words.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float
    method: str


def compare_hits(
    first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64], side: Side = "both"
) -> Difference:
    """Compare two shares of hits: accuracies, or shares of boxes that are right.

    The interval is Tango's, of the score, see `podium.evaluation.tango`. Where groups hold several images it is taken
    at the effective number of images: their number by how much more the difference varies between groups than it would
    between as many single images. (By simulation it holds 94 to 98 % where a bootstrap of the groups holds 89 to 95 %.)

    Args:
        first: (n,) whether the first model hits.
        second: (n,) whether the second one hits, on the same images.
        groups: (n,) the group of near-duplicates of each image.
        side: of the test; the interval has two sides.

    Example:
        >>> first, second = np.arange(80) < 60, np.arange(80) < 64  # right on 60 images, and on 4 more
        >>> found = compare_hits(first, second, np.arange(80))
        >>> f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), p = {found.p_value:.3f}"
        '0.050 (0.002 to 0.122), p = 0.062'
    """
    surplus = second.astype(np.int64) - first.astype(np.int64)
    _, members = np.unique(groups, return_inverse=True)
    by_group, count = np.bincount(members, surplus), effective_pairs(first, second, groups)
    better, worse = (count * float(some.mean()) for some in (surplus > 0, surplus < 0))
    low, high = tango.interval(better, worse, count, Z)
    grouped = len(by_group) < len(first)
    method = "Tango, effective number of images; mid-p of turned groups" if grouped else "Tango; McNemar mid-p"
    return Difference(float(surplus.mean()), low, high, turn_signs(by_group.astype(np.int64), side), method)


def compare_statistics(
    statistic: Statistic, groups: NDArray[np.int64], resamples: Resamples, side: Side = "both"
) -> Difference:
    """Compare two figures that are no shares of hits, such as losses.

    The interval is a bootstrap of the groups that draws the same ones for both models; the test is a permutation test,
    as of hits: it changes the two models' answers for each other, group by group. Where few of `SWAPS` go as far, the
    normal distribution with their spread tells how many would. That is the careful side: sums of numbers that are
    turned round by chance lie far out less often than it says.

    Args:
        statistic: the difference.
        groups: (n,) the group of near-duplicates of each image.
        resamples: of these groups.
        side: of the test; the interval has two sides.
    """
    _, members = np.unique(groups, return_inverse=True)
    count, images = int(members.max()) + 1, len(members)
    once = np.ones((1, images))
    value = float(statistic(once, 0 * once)[0])
    method = "cluster bootstrap; permutation of groups"
    if count < 2:
        return Difference(value, None, None, 1.0, method)
    interval = resamples.interval(value, lambda weights: statistic(weights, np.zeros_like(weights)))
    chance = _change(statistic, members, count)
    slack = _SLACK * abs(value)
    further = np.array([np.sum(chance >= value - slack), np.sum(chance <= value + slack)])
    drawn = 2**count > len(chance)  # by chance: then the models as they are count as one of the ways
    p_values = (further + drawn) / (len(chance) + drawn)
    p_value = float(p_values[0] if side == "better" else min(1.0, 2 * p_values.min()))
    if drawn and p_value * SWAPS < RARE:
        p_value = (1 if side == "better" else 2) * float(ndtr(-abs(value) / np.sqrt(np.mean(chance**2))))
    return Difference(value, interval.low, interval.high, p_value, method)


def _change(statistic: Statistic, members: NDArray[np.int64], count: int) -> Floats:
    """Give the differences with the models changed for each other in some groups: in every way, or in `SWAPS`."""
    ways = 2**count if 2**count <= SWAPS else SWAPS
    generator, step = np.random.default_rng(0), max(1, CELLS // len(members))
    found = []
    for begin in range(0, ways, step):
        some = np.arange(begin, min(begin + step, ways))
        if ways == SWAPS:
            changed = generator.integers(0, 2, (len(some), count), dtype=np.int8)
        else:
            changed = (some[:, np.newaxis] >> np.arange(count) & 1).astype(np.int8)
        weights = changed[:, members].astype(np.float64)
        found.append(statistic(1 - weights, weights))
    return np.concatenate(found)


def mean_difference(scores: Floats) -> Statistic:
    """Give the statistic of a mean: scores (n,) are the second model's less the first's, image by image."""

    def statistic(kept: Floats, changed: Floats) -> Floats:
        means: Floats = (kept - changed) @ scores / (kept + changed).sum(axis=1)
        return means

    return statistic


def effective_pairs(first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Give the number of independent images that would tell a difference of hits as exactly as these do.

    It is never more than the images are. Where the models never differ nothing varies, and the images of a group are
    taken to be one.
    """
    surplus = second.astype(np.int64) - first.astype(np.int64)
    _, members = np.unique(groups, return_inverse=True)
    sizes, count, mean = np.bincount(members), len(surplus), float(surplus.mean())
    single = float(((surplus - mean) ** 2).sum())
    if len(sizes) == count:
        return float(count)
    if single == 0 or len(sizes) < 2:
        return count_alike(groups)
    off = np.bincount(members, surplus) - sizes * mean
    grouped = len(sizes) / (len(sizes) - 1) * float((off**2).sum())
    return count / max(1.0, grouped / single)


def turn_signs(surpluses: NDArray[np.int64], side: Side = "both") -> float:
    """Give the mid-p of a sum of whole numbers, any of which might have had the other sign.

    The distribution is exact: that of equal numbers is binomial, and those of different ones are folded together. Of
    sums as far from zero as the one at hand, or as great as it, half of the probability counts.

    Example:
        >>> [round(turn_signs(np.array(some)), 3) for some in ([1, 1, 1, 1, 1, -1], [6, -2], [0])]
        [0.125, 0.75, 1.0]
    """
    sizes, counts = np.unique(np.abs(surpluses[surpluses != 0]), return_counts=True)
    if not len(sizes):
        return 1.0 if side == "both" else 0.5
    chance = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        chance = _fold(chance, binom.pmf(np.arange(count + 1), count, 0.5), 2 * size)
    away, seen = np.arange(len(chance)) - len(chance) // 2, int(surpluses.sum())
    if side == "both":
        away, seen = np.abs(away), abs(seen)
    return float(min(1.0, chance[away > seen].sum() + chance[away == seen].sum() / 2))


def adjust_for_number(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for how many were looked at.

    By S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    Example:
        >>> adjust_for_number([0.02, 0.01, 0.5])
        [0.04, 0.03, 0.5]
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.asarray(p_values, np.float64)[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(raised))
    return [float(value) for value in adjusted]


def _fold(one: Floats, other: Floats, step: int) -> Floats:
    """Give the distribution of the sum of two numbers; the places of the other's are `step` apart."""
    total = np.zeros(len(one) + step * (len(other) - 1))
    if len(one) < len(other):
        for place, chance in enumerate(one):
            total[place : place + step * (len(other) - 1) + 1 : step] += chance * other
    else:
        for place, chance in enumerate(other):
            total[place * step : place * step + len(one)] += chance * one
    return total
