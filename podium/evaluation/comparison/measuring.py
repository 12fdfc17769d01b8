"""The figures of models on the images that all of them saw, and how they differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from podium.evaluation.boxes import overlap
from podium.evaluation.comparison.contenders import Common, Contender, find_common
from podium.evaluation.intervals import Estimate, Resamples, estimate_proportion
from podium.evaluation.paired import Difference, adjust_for_number, compare_hits, compare_statistics
from podium.evaluation.predictions import Predictions

ALPHA = 0.05
"""A difference is called more than noise where two equal models would show as great a one less often than this."""
HALF = 0.5
"""Of intersection over union: from here on a box is right."""

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]
"""Gives (b,) figures for (b, n) weights."""


@dataclass(frozen=True)
class Figure:
    """One metric of all contenders.

    Attributes:
        name: the metric's.
        better: "higher" or "lower".
        estimates: of each contender.
        differences: of each contender but the first, to the first; p-values are adjusted for their number.
    """

    name: str
    better: str
    estimates: tuple[Estimate, ...]
    differences: tuple[Difference, ...]

    def verdict(self, number: int) -> str:
        """Say what a difference shows, in words: "better", "worse" or "no more than noise"."""
        found = self.differences[number]
        if found.p_value >= ALPHA:
            return "no more than noise"
        return "better" if (found.value > 0) == (self.better == "higher") else "worse"


@dataclass(frozen=True)
class Comparison:
    """Contenders beside each other.

    Attributes:
        dataset: whose images.
        split: which of them.
        contenders: at least two.
        common: the images that all saw.
        figures: the accuracy first.
        detectable: the smallest difference of accuracies, 0–1, that is found in four of five cases where two models
            differ on as many of these images as the contenders do; None where it is not known.
    """

    dataset: str
    split: str
    contenders: tuple[Contender, ...]
    common: Common
    figures: tuple[Figure, ...]
    detectable: float | None = None

    def describe(self) -> list[str]:
        """Say in sentences what was compared, and what it can show."""
        groups, both = len(np.unique(self.common.groups)), "both" if len(self.contenders) == 2 else "all"
        images = _many(len(self.common), "image")
        within = "" if groups == len(self.common) else f" in {_many(groups, 'group')} of near-duplicates"
        sentences = [f"{images}{within} of the {self.split} split, seen by {both}."]
        alone = "that only {} saw" if both == "both" else "that {} saw and another did not"
        for one, count in zip(self.contenders, self.common.left_out, strict=True):
            if count:
                sentences.append(f"Left out: {_many(count, 'image')} {alone.format(one.name)}.")
        if self.common.relabelled:
            sentences.append(f"Left out: {_many(self.common.relabelled, 'image')} that got another label in between.")
        if self.detectable is not None:
            sentences.append(
                f"What these images can show: a difference of {100 * self.detectable:.1f} points of accuracy is found "
                "in four of five cases, a smaller one less often."
            )
        return sentences


def compare(contenders: Sequence[Contender], split: str = "test") -> Comparison:
    """Compare models on the images that all of them saw.

    Args:
        contenders: two or more; the others are compared with the first.
        split: of which images.

    Raises:
        PodiumError: they cannot be compared.
    """
    common = find_common(contenders, split)
    resamples = Resamples(common.groups)
    figures = [
        _compare_shares("accuracy", [some.right for some in common.predictions], common.groups),
        _compare_resampled(
            "macro F1", "higher", [_macro_f1(some) for some in common.predictions], resamples, len(common)
        ),
        _compare_resampled(
            "log loss", "lower", [_mean(_losses(some)) for some in common.predictions], resamples, len(common)
        ),
        *_compare_boxes(common),
    ]
    return Comparison(contenders[0].dataset, split, tuple(contenders), common, tuple(figures))


def _compare_shares(name: str, hits: Sequence[NDArray[np.bool_]], groups: NDArray[np.int64]) -> Figure:
    differences = [compare_hits(hits[0], other, groups) for other in hits[1:]]
    return Figure(name, "higher", tuple(estimate_proportion(one, groups) for one in hits), _adjusted(differences))


def _compare_resampled(
    name: str, better: str, statistics: Sequence[Statistic], resamples: Resamples, images: int
) -> Figure:
    once = np.ones((1, images))
    values = [float(statistic(once)[0]) for statistic in statistics]
    first = statistics[0]

    def less(other: Statistic) -> Statistic:
        return lambda weights: other(weights) - first(weights)

    differences = [
        compare_statistics(value - values[0], less(other), resamples)
        for value, other in zip(values[1:], statistics[1:], strict=True)
    ]
    estimates = [resamples.interval(value, one) for value, one in zip(values, statistics, strict=True)]
    return Figure(name, better, tuple(estimates), _adjusted(differences))


def _compare_boxes(common: Common) -> list[Figure]:
    """Compare the boxes, on the images where a true one is known to all; none where a contender predicts none."""
    overlaps = []
    for some in common.predictions:
        if some.boxes is None or some.predicted_boxes is None:
            return []
        overlaps.append(
            np.where(np.isfinite(some.boxes).all(axis=1), overlap(some.boxes, some.predicted_boxes), np.nan)
        )
    known = np.isfinite(overlaps).all(axis=0)
    if not known.any():
        return []
    groups = common.groups[known]
    shares, right = [one[known] for one in overlaps], [some.right[known] for some in common.predictions]
    means = [_mean(one) for one in shares]
    return [
        _compare_resampled("mean IoU", "higher", means, Resamples(groups), int(known.sum())),
        _compare_shares(
            "joint accuracy", [is_ & (one >= HALF) for is_, one in zip(right, shares, strict=True)], groups
        ),
    ]


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _adjusted(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    adjusted = adjust_for_number([one.p_value for one in differences])
    return tuple(replace(one, p_value=p_value) for one, p_value in zip(differences, adjusted, strict=True))


def _losses(some: Predictions) -> Numbers:
    """Give the cross-entropy of each image, in nats, with scikit-learn's bound on what is as good as impossible."""
    exact = some.probabilities.astype(np.float64)
    true = exact[np.arange(len(some)), some.labels] / exact.sum(axis=1)
    losses: Numbers = -np.log(np.clip(true, np.finfo(np.float64).eps, 1))
    return losses


def _mean(values: Numbers) -> Statistic:
    return lambda weights: weights @ values / weights.sum(axis=1)


def _macro_f1(some: Predictions) -> Statistic:
    """Give the mean F1 of the classes that are there or are predicted, as scikit-learn's `f1_score` does."""
    images, classes = np.arange(len(some)), len(some.classes)

    def members(which: NDArray[np.int64], counted: NDArray[np.bool_]) -> csr_array:
        rows = images[counted]
        return csr_array((np.ones(len(rows)), (which[counted], rows)), shape=(classes, len(some)))

    everything = np.ones(len(some), bool)
    hits = members(some.labels, some.right)
    both = members(some.labels, everything) + members(some.predicted, everything)

    def statistic(weights: Numbers) -> Numbers:
        twice, total = 2 * (hits @ weights.T), both @ weights.T
        scores = np.divide(twice, total, out=np.zeros_like(total), where=total > 0)
        means: Numbers = scores.sum(axis=0) / np.maximum((total > 0).sum(axis=0), 1)
        return means

    return statistic
