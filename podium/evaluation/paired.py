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

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom, permutation_test

from podium.evaluation.intervals import Floats, Z, count_alike
from podium.evaluation.resampling import CELLS, Resamples

Statistic = Callable[[Floats, Floats], Floats]
"""Gives (b,) differences, the second model's figure less the first's, of two times (b, n) weights: how often each image
counts with the models in their places, and how often with the models changed for each other."""

SWAPS = 1999
"""How often the models are changed for each other, by chance, where not all ways can be gone through."""
_EDGE = 1e-9
"""How near to −1 and 1 a difference is looked for."""


@dataclass(frozen=True)
class Difference:
    """By how much a second model differs from a first one.

    Attributes:
        value: the second's figure less the first's.
        low, high: the ends of the interval, 95 times of 100 right; None where there is none.
        p_value: how often two equal models would differ by as much or more, 0–1; two-sided.
        method: of interval and test, in words.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float
    method: str


def compare_hits(first: NDArray[np.bool_], second: NDArray[np.bool_], groups: NDArray[np.int64]) -> Difference:
    """Compare two shares of hits: accuracies, or shares of boxes that are right.

    The interval is the score interval for paired shares of T. Tango, "Equivalence test and confidence interval for the
    difference in proportions for the paired-sample design", Statistics in Medicine 17, 1998. Where groups hold several
    images it is taken at the effective number of images: their number by how much more the difference varies between
    groups than it would between as many single images. (By simulation it holds 94 to 98 % where a bootstrap of the
    groups holds 89 to 95 %.)

    Args:
        first: (n,) whether the first model hits.
        second: (n,) whether the second one hits, on the same images.
        groups: (n,) the group of near-duplicates of each image.

    Example:
        >>> first, second = np.arange(80) < 60, np.arange(80) < 64  # right on 60 images, and on 4 more
        >>> found = compare_hits(first, second, np.arange(80))
        >>> f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), p = {found.p_value:.3f}"
        '0.050 (0.002 to 0.122), p = 0.062'
    """
    surplus = second.astype(np.int64) - first.astype(np.int64)
    _, members = np.unique(groups, return_inverse=True)
    by_group, count = np.bincount(members, surplus), effective_pairs(first, second, groups)
    low, high = _tango(count * float((surplus > 0).mean()), count * float((surplus < 0).mean()), count, Z)
    grouped = len(by_group) < len(first)
    method = "Tango, effective number of images; mid-p of turned groups" if grouped else "Tango; McNemar mid-p"
    return Difference(float(surplus.mean()), low, high, turn_signs(by_group.astype(np.int64)), method)


def compare_statistics(statistic: Statistic, groups: NDArray[np.int64], resamples: Resamples) -> Difference:
    """Compare two figures that are no shares of hits, such as losses.

    The interval is a bootstrap of the groups that draws the same ones for both models; the test is a permutation test,
    as of hits: it changes the two models' answers for each other, group by group.

    Args:
        statistic: the difference.
        groups: (n,) the group of near-duplicates of each image.
        resamples: of these groups.
    """
    _, members = np.unique(groups, return_inverse=True)
    count, images = int(members.max()) + 1, len(members)
    once = np.ones((1, images))
    value = float(statistic(once, 0 * once)[0])
    method = "cluster bootstrap; permutation of groups"
    if count < 2:
        return Difference(value, None, None, 1.0, method)
    interval = resamples.interval(value, lambda weights: statistic(weights, np.zeros_like(weights)))

    def exchange(first: NDArray[np.int64], _second: NDArray[np.int64], axis: int) -> Floats:
        changed = (np.moveaxis(first, axis, -1).reshape(-1, count) >= count)[:, members].astype(np.float64)
        differences: Floats = statistic(1 - changed, changed)
        return differences.reshape(np.moveaxis(first, axis, -1).shape[:-1])

    places = np.arange(count)
    found = permutation_test(
        (places, places + count),
        exchange,
        permutation_type="samples",
        vectorized=True,
        n_resamples=SWAPS,
        batch=max(1, CELLS // images),
        rng=np.random.default_rng(0),
    )
    return Difference(value, interval.low, interval.high, float(found.pvalue), method)


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


def turn_signs(surpluses: NDArray[np.int64]) -> float:
    """Give the two-sided mid-p of a sum of whole numbers, any of which might have had the other sign.

    The distribution is exact: that of equal numbers is binomial, and those of different ones are folded together. Of
    sums as far from zero as the one at hand, half of the probability counts.

    Example:
        >>> [round(turn_signs(np.array(some)), 3) for some in ([1, 1, 1, 1, 1, -1], [6, -2], [0])]
        [0.125, 0.75, 1.0]
    """
    sizes, counts = np.unique(np.abs(surpluses[surpluses != 0]), return_counts=True)
    if not len(sizes):
        return 1.0
    chance = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        chance = _fold(chance, binom.pmf(np.arange(count + 1), count, 0.5), 2 * size)
    away = np.abs(np.arange(len(chance)) - len(chance) // 2)
    seen = abs(int(surpluses.sum()))
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


def _tango(better: float, worse: float, count: float, quantile: float) -> tuple[float, float]:
    """Give the ends of Tango's interval for (better − worse) / count; see `compare_hits`."""

    def score(difference: float) -> float:
        ahead = better - worse - count * difference
        double, middle = 2 * count, -better - worse + (2 * count - better + worse) * difference
        last = -worse * difference * (1 - difference)
        share = (np.sqrt(max(middle**2 - 4 * double * last, 0)) - middle) / (2 * double)
        variance = count * (2 * share + difference * (1 - difference))
        return float(ahead / np.sqrt(max(variance, _EDGE**2)))

    mean = (better - worse) / count
    lowest, highest = _EDGE - 1, 1 - _EDGE
    low = -1.0 if score(lowest) <= quantile else brentq(lambda at: score(at) - quantile, lowest, mean)
    high = 1.0 if score(highest) >= -quantile else brentq(lambda at: score(at) + quantile, mean, highest)
    return float(low), float(high)
