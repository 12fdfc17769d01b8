"""Intervals of what is measured on a sample of images, 95 times of 100 right, whatever is alike in it.

The unit is the group of near-duplicates, not the image: twenty shots of one scene are right or wrong together and
tell little more than one. A proportion has a closed form: Wilson's interval with the effective number of images.
Everything else is drawn again: a bootstrap of whole groups.

scipy.special gives the quantiles of the normal distribution and of Student's t, numpy draws. scipy.stats has Wilson's
interval for whole numbers of independent images alone (the tests hold ours to it), and its bootstrap knows no groups.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
"""How often an interval shall hold the truth."""

CELLS = 2_000_000
"""Weights that are in memory at a time: 16 MB."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: what was measured.
        low: where the interval begins; None where it has none.
        high: where it ends.
        method: how the interval came about; empty where there is none.
    """

    value: float
    low: float | None = None
    high: float | None = None
    method: str = ""


def estimate_proportion(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> Estimate:
    """Estimate a proportion, such as the accuracy, by E. B. Wilson's interval (1927) of the effective images.

    Args:
        hits: (n,) whether each image counts.
        groups: (n,) the group of near-duplicates of each image.

    Raises:
        ValueError: there is no image.
    """
    if len(hits) == 0:
        raise ValueError("a proportion of no images is not defined")
    value = float(np.mean(hits))
    low, high = wilson(value, effective_images(hits, groups))
    return Estimate(value, low, high, "Wilson")


def effective_images(hits: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    """Give the number of independent images that would tell a proportion as exactly as these do.

    The variance is that of whole groups, about their common proportion; with few groups it is itself uncertain, for
    which Student's t pays (E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", 1998). Where all images are right, or all wrong, nothing
    tells how much a group's images agree: they are taken to agree wholly.
    """
    images = len(hits)
    _, inverse = np.unique(groups, return_inverse=True)
    sizes = np.bincount(inverse).astype(np.float64)
    wholly = images**2 / np.sum(sizes**2)
    if wholly == images:
        return float(images)
    value = float(np.mean(hits))
    if len(sizes) == 1 or value in {0.0, 1.0}:
        return float(wholly)
    count = len(sizes)
    surplus = np.bincount(inverse, weights=hits) - value * sizes
    variance = count / (count - 1) * np.sum(surplus**2) / images**2
    effective = value * (1 - value) / variance if variance > 0 else images
    pay = ndtri((1 + LEVEL) / 2) / stdtrit(count - 1, (1 + LEVEL) / 2)
    return float(min(images, effective) * pay**2)


def wilson(value: float, images: float) -> tuple[float, float]:
    """Give the ends of Wilson's interval of a proportion of so many independent images, whole or not."""
    square = ndtri((1 + LEVEL) / 2) ** 2 / images
    middle = (value + square / 2) / (1 + square)
    half = np.sqrt(square * (value * (1 - value) + square / 4)) / (1 + square)
    return float(max(0.0, min(value, middle - half))), float(min(1.0, max(value, middle + half)))


class Resamples:
    """The same groups drawn again and again, with replacement: a cluster bootstrap, the same at every run."""

    def __init__(self, groups: NDArray[np.int64], count: int = 1000, seed: int = 0) -> None:
        """Take the groups of the images (n,), how often to draw, and the seed."""
        _, self._inverse = np.unique(groups, return_inverse=True)
        self._groups = int(self._inverse.max()) + 1 if len(groups) else 0
        self._count = count
        self._seed = seed

    def interval(self, value: float, statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Estimate:
        """Give a figure its interval: between the percentiles of what it would have been on the resamples.

        Args:
            value: the figure on the images themselves.
            statistic: gives (b,) figures for (b, n) weights: how often each image was drawn.
        """
        if self._groups < 2:
            return Estimate(value)
        values = np.concatenate([statistic(counts[:, self._inverse]) for counts in self._draw()])
        values = values[np.isfinite(values)]
        if len(values) == 0:
            return Estimate(value)
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(value, float(min(low, value)), float(max(high, value)), "cluster bootstrap")

    def _draw(self) -> Iterator[NDArray[np.float64]]:
        """Give the resamples in blocks: (b, groups) how often each group was drawn."""
        generator = np.random.default_rng(self._seed)
        step = max(1, CELLS // max(self._groups, len(self._inverse)))
        for begin in range(0, self._count, step):
            rows = min(step, self._count - begin)
            drawn = generator.integers(0, self._groups, (rows, self._groups))
            drawn += np.arange(rows)[:, np.newaxis] * self._groups
            counts = np.bincount(drawn.ravel(), minlength=rows * self._groups)
            yield counts.reshape(rows, self._groups).astype(np.float64)
