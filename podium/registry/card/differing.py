"""The images on which champion and challenger disagree: which they are, and in which order they are shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from podium.config.gates import OF_BOXES
from podium.evaluation.comparison.measuring import HALF
from podium.pages.thumbnails import draw_thumbnail, shrink
from podium.registry.decision import Answers, Pairs

Rows = NDArray[np.int64]
Images = Callable[[NDArray[np.str_]], list[NDArray[np.uint8]]]
"""Gives the images of some ids, each (height, width, 1 or 3) uint8."""
Kind = Literal["gained", "lost", "both wrong"]

KINDS: tuple[Kind, ...] = ("gained", "lost", "both wrong")
BATCH = 32
"""Images in memory at once."""


@dataclass(frozen=True)
class Says:
    """What one model says of an image.

    Attributes:
        name: the class.
        note: how likely it thinks the label, and how well its box lies.
        right: whether it counts as a hit.
    """

    name: str
    note: str
    right: bool


@dataclass(frozen=True)
class Shown:
    """An image on a page; its thumbnail is a WebP file."""

    row: int
    id: str
    actual: str
    champion: Says
    challenger: Says
    thumbnail: bytes


def hits(answers: Answers, labels: NDArray[np.int64], metric: str) -> NDArray[np.bool_]:
    """Say of which images a model is right, (n,), as a metric means it: of boxes, or of classes."""
    named: NDArray[np.bool_] = answers.predicted == labels
    placed: NDArray[np.bool_] = answers.overlaps >= HALF
    if metric not in OF_BOXES:
        return named
    return placed if metric == "mean_iou" else named & placed


def kind_words(metric: str) -> dict[Kind, str]:
    """Say what the kinds of disagreement are, by the metric that was decided by."""
    if metric == "mean_iou":
        good = f"good (IoU {HALF:g} or more)"
        return {
            "gained": f"The challenger's box alone is {good}",
            "lost": f"The champion's box alone is {good}",
            "both wrong": "Neither box is good, and the classes differ",
        }
    what = "right, class and box" if metric in OF_BOXES else "right"
    return {
        "gained": f"The challenger alone is {what}",
        "lost": f"The champion alone is {what}",
        "both wrong": "Both are wrong, and say different things",
    }


def find_differing(pairs: Pairs, metric: str) -> dict[Kind, Rows]:
    """Find the images on which the two disagree, of each kind those first on which they are furthest apart."""
    first, second = (hits(one, pairs.labels, metric) for one in (pairs.champion, pairs.challenger))
    found: dict[Kind, NDArray[np.bool_]] = {
        "gained": second & ~first,
        "lost": first & ~second,
        "both wrong": ~first & ~second & pairs.differ,
    }
    apart = np.abs(pairs.challenger.losses - pairs.champion.losses)
    if metric in OF_BOXES:
        overlaps = (np.nan_to_num(one.overlaps) for one in (pairs.champion, pairs.challenger))
        apart = np.abs(np.subtract(*overlaps))
    doubt = np.minimum(pairs.champion.losses, pairs.challenger.losses)
    return {kind: _sort(which, doubt if kind == "both wrong" else apart) for kind, which in found.items()}


def order_to_check(pairs: Pairs, differing: Mapping[Kind, Rows]) -> Rows:
    """Give the images on which the two disagree in the order in which a look at their labels decides most.

    First come those that count for one of the two, then those on which both are wrong; among them those first whose
    label the models believe least.
    """
    doubt = pairs.champion.losses + pairs.challenger.losses
    decisive = np.concatenate([differing["gained"], differing["lost"]])
    rest = differing["both wrong"]
    return np.concatenate(
        [rows[np.argsort(-doubt[rows], kind="stable")] for rows in (np.sort(decisive), np.sort(rest))]
    )


def share_out(differing: Mapping[Kind, Rows], most: int) -> dict[Kind, Rows]:
    """Choose at most so many images, as many of each kind as there is room for."""
    chosen, left = dict(differing), most
    by_count = sorted(differing, key=lambda kind: len(differing[kind]))
    for place, kind in enumerate(by_count):
        chosen[kind] = differing[kind][: left // (len(by_count) - place)]
        left -= len(chosen[kind])
    return chosen


def show(pairs: Pairs, rows: Sequence[int] | Rows, images: Images, metric: str, side: int) -> list[Shown]:
    """Give images as a page shows them, no longer than some side in pixels."""
    shown = []
    champion, challenger = (hits(one, pairs.labels, metric) for one in (pairs.champion, pairs.challenger))
    for start in range(0, len(rows), BATCH):
        batch = np.asarray(rows[start : start + BATCH], np.int64)
        for row, image in zip(batch.tolist(), images(pairs.ids[batch]), strict=True):
            first = _says(pairs.champion, pairs.classes, row, bool(champion[row]), metric)
            second = _says(pairs.challenger, pairs.classes, row, bool(challenger[row]), metric)
            small = draw_thumbnail(shrink(image, side=side)[0])
            actual = pairs.classes[pairs.labels[row]]
            shown.append(Shown(row, str(pairs.ids[row]), actual, first, second, small))
    return shown


def _says(answers: Answers, classes: Sequence[str], row: int, right: bool, metric: str) -> Says:
    note = f"label {np.exp(-answers.losses[row]):.0%}" if np.isfinite(answers.losses[row]) else ""
    if metric in OF_BOXES and np.isfinite(answers.overlaps[row]):
        note = f"IoU {answers.overlaps[row]:.2f}"
    return Says(classes[answers.predicted[row]], note, right)


def _sort(which: NDArray[np.bool_], key: NDArray[np.float64]) -> Rows:
    rows = np.flatnonzero(which)
    ordered: Rows = rows[np.argsort(-key[rows], kind="stable")]
    return ordered
