"""Where a model fails: its most confident errors, its least confident hits, and the classes that it confuses."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.neighbours import Rows, Training, find_nearest
from podium.evaluation.predictions import Predictions
from podium.evaluation.reasons import REASONS, count_confusions, explain, find_mates, find_usual, percent
from podium.files import save_json

MAX_ERRORS, MAX_HITS, MAX_PAIRS, SHOWN_NEIGHBOURS = 24, 12, 20, 3


@dataclass(frozen=True)
class Neighbour:
    """A training image that is like a test image: its row, id, class, and the cosine between their features."""

    row: int
    id: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Item:
    """A test image to look at.

    `why` is the reason for which it is an error, None for a hit; `heat_map` its place in heat_maps.npz, if it has one.
    """

    row: int
    id: str
    actual: str
    predicted: str
    confidence: float
    why: str | None
    text: str
    neighbours: list[Neighbour]
    heat_map: int | None = None


@dataclass(frozen=True)
class Pair:
    """How often one class is taken for another; `share` is of the images of the actual one."""

    actual: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Failures:
    """What is to be looked at.

    Attributes:
        errors: the most confident ones, no more than `MAX_ERRORS`.
        hits: the least confident ones, no more than `MAX_HITS`.
        pairs: the classes that are confused most often, no more than `MAX_PAIRS`.
        counts: `wrong`, and how many of all errors have each of the `REASONS`.
        reference: how many training `images` they were compared with, `of` how many.
    """

    errors: list[Item]
    hits: list[Item]
    pairs: list[Pair]
    counts: dict[str, int]
    reference: dict[str, int]

    @property
    def error_rows(self) -> Rows:
        """The rows of the errors in the test split, in their order here: heat maps are made of these."""
        return np.array([item.row for item in self.errors], np.int64)

    def save(self, folder: Path, maps: NDArray[np.float16] | None) -> None:
        """Write `failures.json` and `heat_maps.npz`; the same failures give the same bytes.

        Args:
            folder: where to.
            maps: (errors, 2, h, w) float16, of each error the heat map for its true and for its predicted class; None:
                the model has none.
        """
        errors, rows = self.errors, self.error_rows
        if maps is None:
            maps, rows = np.zeros((0, 2, 1, 1), np.float16), rows[:0]
        else:
            errors = [replace(item, heat_map=place) for place, item in enumerate(errors)]
        save_json(asdict(replace(self, errors=errors)), folder / "failures.json")
        np.savez(folder / "heat_maps.npz", maps=maps, rows=rows)  # NumPy dates all members 1980


def conflicting_rows(test: Predictions, labels: NDArray[np.int64], groups: NDArray[np.int64]) -> list[int]:
    """Find the training images that are near-duplicates of a test image with another label.

    Args:
        test: the test split's.
        labels: (n,) of the train split.
        groups: (n,) of the train split.
    """
    mates = find_mates(test, labels, groups)
    mine = set(zip(test.labels.tolist(), test.groups.tolist(), strict=True))
    return sorted({row for label, group in mine for other, row in mates.get(group, {}).items() if other != label})


def find_failures(
    test: Predictions,
    features: NDArray[np.float32],
    validation: Predictions,
    validation_features: NDArray[np.float32],
    training: Training,
) -> Failures:
    """Find what a person should look at first, and say of each error why it is one; see `explain`.

    Args:
        test: what the model predicts for the test split.
        features: (n, width) float32, what it sees there.
        validation: the same of the validation split, which says what is usual.
        validation_features: likewise.
        training: what it sees in training images.
    """
    confidence, right = test.confidence, test.right
    wrong, hits = np.flatnonzero(~right), np.flatnonzero(right)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    hits = hits[np.argsort(confidence[hits], kind="stable")][:MAX_HITS]
    usual = find_usual(validation, validation_features, training)
    nearest = find_nearest(features[wrong], training.features)
    reasons = explain(test, wrong, nearest, training, usual)
    counts = Counter(why for why, _ in reasons)
    doubts = [(None, f"Right, but the model is only {percent(sure)} sure.") for sure in confidence[hits].tolist()]
    return Failures(
        errors=_items(test, wrong[:MAX_ERRORS], nearest, training, reasons),
        hits=_items(test, hits, find_nearest(features[hits], training.features), training, doubts),
        pairs=count_pairs(test),
        counts={"wrong": len(wrong)} | {why: counts[why] for why in REASONS},
        reference={"images": len(training.rows), "of": len(training.labels)},
    )


def count_pairs(test: Predictions) -> list[Pair]:
    """Count which classes are taken for which others, the most frequent first, no more than `MAX_PAIRS`."""
    images, counts = Counter(test.labels.tolist()), count_confusions(test)
    ordered = sorted(counts, key=lambda pair: (-counts[pair], images[pair[0]], pair))[:MAX_PAIRS]
    return [
        Pair(test.classes[one], test.classes[other], counts[one, other], round(counts[one, other] / images[one], 4))
        for one, other in ordered
    ]


def _items(
    test: Predictions,
    rows: Rows,
    nearest: tuple[Rows, NDArray[np.float32]],
    training: Training,
    reasons: Sequence[tuple[str | None, str]],
) -> list[Item]:
    names, predicted, confidence, items = test.classes, test.predicted, test.confidence, []
    for row, places, alike, (why, text) in zip(rows.tolist(), *nearest, reasons, strict=False):
        known = training.rows[places[:SHOWN_NEIGHBOURS]].tolist()
        items.append(
            Item(
                row=row,
                id=str(test.ids[row]),
                actual=names[test.labels[row]],
                predicted=names[predicted[row]],
                confidence=round(float(confidence[row]), 4),
                why=why,
                text=text,
                neighbours=[
                    Neighbour(one, str(training.ids[one]), names[training.labels[one]], round(similarity, 4))
                    for one, similarity in zip(known, alike.tolist(), strict=False)
                ],
            )
        )
    return items
