"""How many more images? What accuracy becomes with the number of training images, and what twice as many would bring.

An inverse power law, accuracy = c − a · images^(−b), as in R. Figueroa et al., "Predicting sample size required for
classification performance", 2012, https://doi.org/10.1186/1472-6947-12-8, with their weights: larger parts count more.
No further than to twice the images: beyond it such curves are guesses (T. Viering and M. Loog, "The Shape of Learning
Curves: a Review", 2021, arXiv:2103.10948).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 1000
"""How often validation images and seeds are drawn anew for the band."""
FURTHEST = 2.0
"""How far the curve goes, in multiples of the training images."""

LEAST_SIZES = 3
"""Numbers of images that a curve needs: it has three unknowns."""

_EXPONENTS = np.geomspace(0.05, 2, 60)
_POINTS = 16
_BLOCK = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LearningCurve:
    """Trainings on parts of the train split.

    Attributes:
        images: (runs,) int64, how many images each was trained on.
        shares: (runs,) the share of the train split that this was meant to be.
        seeds: (runs,) int64.
        hits: (runs, n) of each run, whether each validation image is right.
        reason: why nothing follows from them, or why there are none.
    """

    images: NDArray[np.int64]
    shares: Floats
    seeds: NDArray[np.int64]
    hits: NDArray[np.bool_]
    reason: str = ""

    @classmethod
    def missing(cls, reason: str) -> "LearningCurve":
        """Say why there is none."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, np.zeros(0), nothing, np.zeros((0, 0), np.bool_), reason)

    @classmethod
    def of(cls, runs: list[tuple[int, float, int, NDArray[np.bool_]]]) -> "LearningCurve":
        """Put runs together, each with its images, share, seed and hits."""
        images, shares, seeds, hits = zip(*runs, strict=True)
        few = len(set(images)) < LEAST_SIZES
        reason = f"The train split is so small that its parts have fewer than {LEAST_SIZES} sizes." if few else ""
        return cls(np.array(images, np.int64), np.array(shares), np.array(seeds, np.int64), np.stack(hits), reason)

    def save(self, path: Path) -> None:
        """Write each run's images, share, seed and validation accuracy as CSV; no rows where there is none."""
        accuracy = self.hits.mean(axis=1) if len(self.hits) else np.zeros(0)
        table = pd.DataFrame({"images": self.images, "share": self.shares, "seed": self.seeds, "accuracy": accuracy})
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


class PowerLaw(NamedTuple):
    """accuracy = `limit` − `loss` · (images / `at`)^(−`exponent`); arrays hold several of them."""

    limit: Floats
    loss: Floats
    exponent: Floats
    at: float

    def __call__(self, images: Floats) -> Floats:
        """Give (curves, m) accuracies for (m,) numbers of images."""
        shrunk: Floats = (images / self.at) ** -self.exponent[:, None]
        return self.limit[:, None] - self.loss[:, None] * shrunk


def fit_power_law(images: NDArray[np.int64], accuracies: Floats, weights: Floats) -> PowerLaw:
    """Fit power laws that rise and end no higher than 1, by weighted least squares.

    For a given exponent the rest is a straight line; exponents are tried one by one, so that no fit can fail.

    Args:
        images: (runs,) of each run.
        accuracies: (curves, runs).
        weights: (curves, runs).
    """
    at = float(images.max())
    best = np.full(len(accuracies), np.inf)
    fitted = np.zeros((3, len(accuracies)))
    total = weights.sum(axis=1)
    for exponent in _EXPONENTS:
        x = (images / at) ** -exponent
        mean_x, mean_y = (weights @ x) / total, (weights * accuracies).sum(axis=1) / total
        spread = weights @ x**2 / total - mean_x**2
        slope = (weights * accuracies) @ x / total - mean_x * mean_y
        loss = np.maximum(-slope / spread, 0)
        limit = mean_y + loss * mean_x
        bound = ((weights * (1 - accuracies)) @ x) / (weights @ x**2)
        loss, limit = np.where(limit > 1, bound, loss), np.minimum(limit, 1)
        errors = (weights * (limit[:, None] - loss[:, None] * x - accuracies) ** 2).sum(axis=1)
        better = errors < best
        best[better] = errors[better]
        fitted[:, better] = np.array([limit, loss, np.full(len(loss), exponent)])[:, better]
    return PowerLaw(fitted[0], fitted[1], fitted[2], at)


def extrapolate(curve: LearningCurve, groups: NDArray[np.int64], seed: int = 0) -> dict[str, object] | None:
    """Say what twice as many training images would bring.

    The band is of the curve alone: that of curves fitted to validation images and seeds drawn anew. It is no interval
    of a single training.

    Args:
        curve: trainings on parts of the train split.
        groups: (n,) of the validation split: near-duplicates are drawn together.
        seed: of the draws.

    Returns:
        unit; band, in words; curve, a list of images, value, low, high, up to `doubled`, the last of them; gain, the
        difference between twice the images and all, with low and high; text, all of it in words. None where there is
        no curve.
    """
    sizes, place = np.unique(curve.images, return_inverse=True)
    if len(sizes) < LEAST_SIZES:
        return None
    ranks = (place + 1) / len(sizes)
    law = fit_power_law(curve.images, curve.hits.mean(axis=1)[None], ranks[None])
    drawn = fit_power_law(curve.images, *_draw(curve, groups, place, ranks, seed))
    most = float(sizes[-1])
    where = np.geomspace(sizes[0], FURTHEST * most, _POINTS).round()
    where[-1] = FURTHEST * most
    value, low, high = law(where)[0], *_ends(drawn(where))
    both = np.array([most, FURTHEST * most])
    gain, gain_low, gain_high = np.diff(law(both))[0, 0], *_ends(np.diff(drawn(both)))[:, 0]
    points = [
        {"images": int(images)} | {"value": _round(one), "low": _round(two), "high": _round(three)}
        for images, one, two, three in zip(where, value, low, high, strict=True)
    ]
    ends = f"{100 * gain_low:.1f} to {100 * gain_high:.1f}"
    return {
        "unit": "validation accuracy",
        "band": f"{100 * LEVEL:.0f} % of {DRAWS:,} curves, each fitted to validation images and seeds drawn anew",
        "curve": points,
        "doubled": points[-1],
        "gain": {"value": _round(gain), "low": _round(gain_low), "high": _round(gain_high)},
        "text": f"Twice as many images would bring about {100 * gain:.1f} points ({ends}).",
    }


def _draw(
    curve: LearningCurve, groups: NDArray[np.int64], place: NDArray[np.int64], ranks: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Draw validation images, by groups, and the seeds of each size anew: (draws, runs) accuracies and weights."""
    random = np.random.default_rng(seed)
    _, member = np.unique(groups, return_inverse=True)
    count = member.max() + 1
    images = np.bincount(member, minlength=count)
    hits = np.stack([np.bincount(member, weights=one, minlength=count) for one in curve.hits], axis=1)
    accuracies = np.zeros((DRAWS, len(ranks)))
    for begin in range(0, DRAWS, _BLOCK):
        times = random.multinomial(count, np.full(count, 1 / count), _BLOCK)
        accuracies[begin : begin + _BLOCK] = (times @ hits) / (times @ images)[:, None]
    weights = np.zeros_like(accuracies)
    for size in range(place.max() + 1):
        runs = np.flatnonzero(place == size)
        weights[:, runs] = random.multinomial(len(runs), np.full(len(runs), 1 / len(runs)), DRAWS)
    return accuracies, weights * ranks


def _ends(values: Floats) -> Floats:
    """Give the ends of the band of (draws, m) values: (2, m)."""
    ends: Floats = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
    return ends


def _round(value: float) -> float:
    return round(float(value), 4)
