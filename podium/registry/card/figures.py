"""The card's tables: metrics, costs, classes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.card.numbers import DASH, decimal, spell_bytes
from podium.evaluation.intervals import Estimate, estimate_proportion
from podium.registry.card.differing import hits
from podium.registry.card.words import chance, ends, figure, metric_title, signed
from podium.registry.decision import Answers, Measures, Pairs, Test
from podium.registry.kept import KeptDecision

SHARES_OF_HITS = frozenset({"accuracy", "joint_accuracy"})
"""Metrics of which each image is a hit or not, so that they have an interval of their own."""
MAX_CLASSES, MAX_FURTHEST = 60, 10
"""So many classes are shown all; of more, those are that differ most."""


@dataclass(frozen=True)
class Row:
    """A row of the table of figures, written out; what is not known is a dash, and what is not asked is empty.

    Attributes:
        title: the metric.
        champion, challenger, difference: the values.
        champion_ends, challenger_ends, difference_ends: the ends of their intervals.
        p_value: of the test, if it was tested.
        needed: what the p-value had to be.
    """

    title: str
    champion: str
    challenger: str
    difference: str = ""
    champion_ends: str = ""
    challenger_ends: str = ""
    difference_ends: str = ""
    p_value: str = ""
    needed: str = ""


@dataclass(frozen=True)
class Recall:
    """How many images of a class each model finds, 0–1."""

    name: str
    images: int
    champion: float
    challenger: float
    harmed: bool

    @property
    def difference(self) -> float:
        """The challenger's recall less the champion's."""
        return self.challenger - self.champion


def list_figures(kept: KeptDecision, pairs: Pairs | None) -> list[Row]:
    """List the metric that was decided by, with its test, then the others, which have no say."""
    test = kept.decision.test
    rows = [] if test is None else list(_tested(test, kept.rules.margin, pairs))
    own, other = kept.context.measures, kept.context.champion_measures
    for name, value in own.metrics.items():
        if test is None or name != test.metric:
            before = None if other is None else other.metrics.get(name)
            difference = "" if before is None else signed(value - before)
            rows.append(Row(metric_title(name), figure(before), figure(value), difference))
    return rows


def list_costs(kept: KeptDecision) -> list[Row]:
    """List calibration error, size, time and memory, as far as they were measured."""
    own = kept.context.measures
    other = kept.context.champion_measures or Measures({})
    written = (
        ("calibration error (ECE)", decimal(other.ece), decimal(own.ece)),
        ("model file", spell_bytes(other.model_bytes), spell_bytes(own.model_bytes)),
        ("one image alone, 95th percentile", _ms(other.p95_ms), _ms(own.p95_ms)),
        ("memory", _mb(other.peak_mb), _mb(own.peak_mb)),
    )
    return [Row(name, before, now) for name, before, now in written if {before, now} != {DASH}]


def list_recalls(kept: KeptDecision, pairs: Pairs) -> tuple[list[Recall], int]:
    """List the classes with the recall of both models, the greatest loss first; and say how many have images.

    Of more than `MAX_CLASSES` those are listed that differ most, for their number of images.
    """
    size = len(pairs.classes)
    images = np.bincount(pairs.labels, minlength=size)
    here = np.flatnonzero(images)
    champion, challenger = (_found(one, pairs, size)[here] for one in (pairs.champion, pairs.challenger))
    images = images[here]
    order = np.argsort((challenger - champion) / images, kind="stable")
    if len(here) > MAX_CLASSES:
        furthest = np.argsort(-np.abs(challenger - champion) / np.sqrt(images), kind="stable")[:MAX_FURTHEST]
        order = order[np.isin(order, furthest)]
    harmed = {harm.name for harm in kept.decision.harms if harm.shown}
    names = [pairs.classes[here[place]] for place in order]
    return [
        Recall(name, int(all_), float(one / all_), float(two / all_), name in harmed)
        for name, all_, one, two in zip(names, images[order], champion[order], challenger[order], strict=True)
    ], len(here)


def most_telling(kept: KeptDecision, pairs: Pairs, most: int = 3) -> list[tuple[str, float]]:
    """Give the classes of whose images the two models disagree on the greatest share, with it; at least two images."""
    first, second = (hits(one, pairs.labels, kept.rules.metric) for one in (pairs.champion, pairs.challenger))
    images = np.bincount(pairs.labels, minlength=len(pairs.classes))
    apart = np.bincount(pairs.labels[first != second], minlength=len(pairs.classes))
    shares = np.where(apart > 1, apart / np.maximum(images, 1), 0)
    order = np.argsort(-shares, kind="stable")[:most]
    return [(pairs.classes[place], float(shares[place])) for place in order if shares[place] > apart.sum() / len(pairs)]


def _tested(test: Test, margin: float | None, pairs: Pairs | None) -> Iterator[Row]:
    both = ["", ""]
    if pairs is not None and test.metric in SHARES_OF_HITS:
        both = [_interval(_estimate(one, pairs, test.metric)) for one in (pairs.champion, pairs.challenger)]
    yield Row(
        title=metric_title(test.metric),
        champion=figure(test.champion),
        challenger=figure(test.challenger),
        difference=signed(test.difference),
        champion_ends=both[0],
        challenger_ends=both[1],
        difference_ends=ends(test.low, test.high, sign=True),
        p_value=chance(test.p_value),
        needed=f"at most {chance(test.threshold)}",
    )
    if test.worse_p_value is not None and margin is not None:
        title = f"not worse by {margin:g}"
        yield Row(title, "", "", p_value=chance(test.worse_p_value), needed=f"at most {chance(test.threshold)}")


def _estimate(answers: Answers, pairs: Pairs, metric: str) -> Estimate:
    return estimate_proportion(hits(answers, pairs.labels, metric), pairs.groups)


def _interval(estimate: Estimate) -> str:
    return ends(estimate.low, estimate.high)


def _found(answers: Answers, pairs: Pairs, size: int) -> NDArray[np.int64]:
    return np.bincount(pairs.labels[answers.predicted == pairs.labels], minlength=size)


def _ms(value: float | None) -> str:
    return DASH if value is None else f"{value:.3g} ms"


def _mb(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f} MB"
