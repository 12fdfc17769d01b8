"""What the pairs show of one metric: how far the challenger is ahead, and what chance alone would make of it."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from podium.config.gates import OF_BOXES, Metric
from podium.evaluation import tango
from podium.evaluation.comparison.measuring import HALF
from podium.evaluation.counts import estimate_counted
from podium.evaluation.intervals import Floats, Z
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.evaluation.paired import (
    Difference,
    Statistic,
    compare_hits,
    compare_statistics,
    effective_pairs,
    mean_difference,
)
from podium.evaluation.paired_f1 import macro_f1_difference
from podium.evaluation.power import POWER, needed_images
from podium.evaluation.resampling import Resamples
from podium.registry.decision import Answers, Pairs

LEAST = 1e-300
"""No p-value is taken to be smaller."""
MOST = 10**9
"""More images are not asked for."""


@dataclass(frozen=True)
class Gain:
    """How far the challenger is ahead of the champion; what is better counts up, also where the metric counts down.

    Attributes:
        champion, challenger: the metric's values.
        found: their difference, with its interval and one-sided p-value.
        images, groups: how many were compared.
        gained, lost: in how many groups the challenger has more hits than the champion, and fewer.
        error: the standard error of the difference; None where it is not known.
        discordant: the share of images on which one hits and the other does not; None if the metric is none of hits.
        effective: as how many independent images they tell.
    """

    champion: float
    challenger: float
    found: Difference
    images: int
    groups: int
    gained: int
    lost: int
    error: float | None
    discordant: float | None
    effective: float

    def worse_by(self, margin: float) -> float:
        """Give how often a challenger that is worse by the margin would do as well as this one or better; one-sided."""
        if self.discordant is not None:
            better, worse = (self.effective * (self.discordant + sign * self.found.value) / 2 for sign in (1, -1))
            return tango.not_worse(better, worse, self.effective, margin)
        return 1.0 if self.error is None else float(ndtr(-(self.found.value + margin) / self.error))

    def missing(self, threshold: float, margin: float = 0.0) -> int | None:
        """Give about how many images more show a gain, or that nothing is lost but the margin, in four of five cases.

        That is if the difference at hand is the true one, and the images to come are as alike as these are.

        Args:
            threshold: below which p-value it counts as shown.
            margin: by how much the challenger may be worse.
        """
        ahead, quantile = self.found.value + margin, -float(ndtri(max(threshold, LEAST)))
        if ahead <= 0:
            return None
        if self.discordant is not None and not margin:
            needed = self.images / self.effective * needed_images(ahead, self.discordant, quantile)
        elif self.error is not None:
            needed = self.images * ((quantile + float(ndtri(POWER))) * self.error / ahead) ** 2
        else:
            return None
        return max(1, ceil(min(needed, MOST)) - self.images)


def measure_gain(pairs: Pairs, metric: Metric) -> Gain:
    """Compare the two models by a metric, on the images that it is defined for."""
    rows = find_measured(pairs, metric)
    labels, groups = pairs.labels[rows], pairs.groups[rows]
    first, second = (_take(answers, rows) for answers in (pairs.champion, pairs.challenger))
    hits = [
        (some.predicted == labels) & ((metric != "joint_accuracy") | (some.overlaps >= HALF))
        for some in (first, second)
    ]
    surplus = _by_group(hits[1].astype(np.int64) - hits[0], groups)
    counts = (len(labels), len(surplus), int((surplus > 0).sum()), int((surplus < 0).sum()))
    if metric in ("accuracy", "joint_accuracy"):
        found, effective = compare_hits(hits[0], hits[1], groups, "better"), effective_pairs(hits[0], hits[1], groups)
        discordant = float((hits[0] != hits[1]).mean())
        error = float(np.sqrt(max(discordant - found.value**2, 0) / effective))
        shares = [float(some.mean()) for some in hits]
        return Gain(shares[0], shares[1], found, *counts, error or None, discordant, effective)
    values, statistic = _statistic(metric, labels, groups, first, second)
    found = compare_statistics(statistic, groups, Resamples(groups), "better")
    known = None if found.low is None or found.high is None else (found.high - found.low) / (2 * Z)
    return Gain(values[0], values[1], found, *counts, known or None, None, len(labels))


def find_measured(pairs: Pairs, metric: Metric) -> NDArray[np.bool_]:
    """Find the images that a metric is defined for: of boxes those with a known one."""
    if metric not in OF_BOXES:
        return np.ones(len(pairs), bool)
    return np.isfinite(pairs.champion.overlaps) & np.isfinite(pairs.challenger.overlaps)


def _statistic(
    metric: Metric, labels: NDArray[np.int64], groups: NDArray[np.int64], first: Answers, second: Answers
) -> tuple[list[float], Statistic]:
    """Give the values of both models, and the statistic of how far the second is ahead."""
    if metric == "macro_f1":
        values = [estimate_counted(labels, some.predicted, groups)["macro_f1"].value for some in (first, second)]
        return values, macro_f1_difference(labels, first.predicted, second.predicted)
    one, two = (some.losses if metric == "loss" else some.overlaps for some in (first, second))
    ahead: Floats = one - two if metric in SMALLER_IS_BETTER else two - one
    return [float(one.mean()), float(two.mean())], mean_difference(ahead)


def _take(answers: Answers, rows: NDArray[np.bool_]) -> Answers:
    return Answers(answers.predicted[rows], answers.losses[rows], answers.overlaps[rows])


def _by_group(surplus: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    _, members = np.unique(groups, return_inverse=True)
    return np.rint(np.bincount(members, surplus)).astype(np.int64)
