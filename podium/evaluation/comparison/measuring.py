"""The figures of models on the images that all of them saw, and how they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from podium.evaluation.boxes import overlap
from podium.evaluation.comparison.contenders import Common, Contender, find_common
from podium.evaluation.intervals import Estimate, Floats
from podium.evaluation.metrics import SMALLER_IS_BETTER, measure_all
from podium.evaluation.paired import (
    Difference,
    adjust_for_number,
    compare_hits,
    compare_statistics,
    effective_pairs,
    mean_difference,
)
from podium.evaluation.paired_f1 import macro_f1_difference
from podium.evaluation.power import detectable_difference
from podium.evaluation.predictions import Predictions
from podium.evaluation.resampling import Resamples
from podium.evaluation.scores import score

ALPHA = 0.05
"""A difference is called more than noise where two equal models would show as great a one less often than this."""
HALF = 0.5
"""Of intersection over union: from here on a box is right."""

TITLES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "loss": "log loss",
    "mean_iou": "mean IoU",
    "joint_accuracy": "joint accuracy",
}
"""The metrics that are compared, and what a page calls them."""


@dataclass(frozen=True)
class Figure:
    """One metric of all contenders.

    Attributes:
        name: the metric's, see `measure_all`.
        estimates: of each contender.
        differences: of each contender but the first, to the first; p-values are adjusted for their number.
    """

    name: str
    estimates: tuple[Estimate, ...]
    differences: tuple[Difference, ...]

    @property
    def title(self) -> str:
        """What a page calls the metric."""
        return TITLES[self.name]

    @property
    def is_better_higher(self) -> bool:
        """Whether the higher of two is the better."""
        return self.name not in SMALLER_IS_BETTER

    def verdict(self, number: int) -> str:
        """Say what a difference shows, in words: "better", "worse" or "no more than noise"."""
        found = self.differences[number]
        if found.p_value >= ALPHA:
            return "no more than noise"
        return "better" if (found.value > 0) == self.is_better_higher else "worse"


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
            differ on as many of these images as the contenders do.
    """

    dataset: str
    split: str
    contenders: tuple[Contender, ...]
    common: Common
    figures: tuple[Figure, ...]
    detectable: float

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
        found = (
            f"a difference of {100 * self.detectable:.1f} points of accuracy is found in four of five cases, a smaller "
            "one less often"
        )
        sentences.append(f"What they can show: {found if self.detectable < 1 else 'nothing, they are too few'}.")
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
    first, *others = common.predictions
    estimates = [measure_all(some) for some in common.predictions]
    differences = [_compare(first, other) for other in others]
    figures = tuple(
        Figure(name, tuple(some[name] for some in estimates), _adjusted([some[name] for some in differences]))
        for name in TITLES
        if all(name in some for some in (*estimates, *differences))
    )
    detectable = max(_detectable(first, other) for other in others)
    return Comparison(contenders[0].dataset, split, tuple(contenders), common, figures, detectable)


def _detectable(first: Predictions, second: Predictions) -> float:
    """Give the smallest difference of accuracies that two models which differ as often would show in most cases."""
    discordant = float((first.right != second.right).mean())
    return detectable_difference(effective_pairs(first.right, second.right, first.groups), discordant)


def _compare(first: Predictions, second: Predictions) -> Mapping[str, Difference]:
    """Compare two models; that of boxes is on the images of which both know the true one."""
    resamples, groups = Resamples(first.groups), first.groups
    losses = score(second.labels, second.probabilities).losses - score(first.labels, first.probabilities).losses
    of_f1 = macro_f1_difference(second.labels, first.predicted, second.predicted)
    found = {
        "accuracy": compare_hits(first.right, second.right, groups),
        "macro_f1": compare_statistics(of_f1, groups, resamples),
        "loss": compare_statistics(mean_difference(losses), groups, resamples),
    }
    one, two = _overlaps(first), _overlaps(second)
    known = np.isfinite(one) & np.isfinite(two)
    if known.any():
        some, joint = groups[known], [(of.right & (at >= HALF))[known] for of, at in ((first, one), (second, two))]
        found["mean_iou"] = compare_statistics(mean_difference((two - one)[known]), some, Resamples(some))
        found["joint_accuracy"] = compare_hits(joint[0], joint[1], some)
    return found


def _overlaps(some: Predictions) -> Floats:
    """Give the overlap of each image's boxes; NaN where a box is not known."""
    if some.boxes is None or some.predicted_boxes is None:
        return np.full(len(some), np.nan)
    return np.where(np.isfinite(some.boxes).all(axis=1), overlap(some.boxes, some.predicted_boxes), np.nan)


def _adjusted(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    adjusted = adjust_for_number([one.p_value for one in differences])
    return tuple(replace(one, p_value=p_value) for one, p_value in zip(differences, adjusted, strict=True))


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
