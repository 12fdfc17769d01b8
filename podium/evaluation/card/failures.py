"""The card's images: errors and why, hits that were hardly any, boxes, labels that may be wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podium.datasets.arrays import Split
from podium.evaluation.boxes import overlap
from podium.evaluation.card.numbers import percent
from podium.evaluation.card.reading import Card, Facts
from podium.pages.html import shortened
from podium.pages.thumbnails import Box, draw_heat, draw_thumbnail, shrink

MAX_ERRORS, MAX_HITS, MAX_BOXES, MAX_SUSPECTS = 12, 12, 12, 12
"""Images or errors in a section."""
MAX_ID = 90
"""Characters of an image's id below it."""


@dataclass(frozen=True)
class Figure:
    """An image on the card.

    Attributes:
        title: what is to be said of it; empty: nothing.
        note: what is to be said more softly.
        id: the image's.
        thumbnail: a WebP file.
    """

    title: str
    note: str
    id: str
    thumbnail: bytes


@dataclass(frozen=True)
class Failure:
    """An error: the image, what it was taken for, and why.

    Attributes:
        actual, predicted: the classes' names.
        confidence: the predicted class's probability.
        text: the reason, in a sentence.
        figures: the image, then what spoke for the true class and for the predicted one, if that is known.
        neighbours: the most similar training images.
    """

    actual: str
    predicted: str
    confidence: float
    text: str
    figures: list[Figure]
    neighbours: list[Figure]


def show_errors(card: Card) -> list[Failure]:
    """Show the most confident errors."""
    return [_show_error(card, item) for item in card.report.failures.get("errors", [])[:MAX_ERRORS]]


def show_hits(card: Card) -> list[Figure]:
    """Show the images that were named right with least confidence."""
    test = card.splits["test"]
    return [
        _figure(test, item["row"], item["actual"], percent(item["confidence"]))
        for item in card.report.failures.get("hits", [])[:MAX_HITS]
    ]


def show_boxes(card: Card) -> list[Figure]:
    """Show the predicted boxes that cover least of the true ones, and as many from the middle; none without boxes."""
    true, predicted = card.predictions.boxes, card.predictions.predicted_boxes
    if true is None or predicted is None:
        return []
    overlaps = overlap(true, predicted)
    order = np.argsort(overlaps, kind="stable")
    order = order[np.isfinite(true[order]).all(axis=1)]
    half = MAX_BOXES // 2
    middle = max(len(order) // 2 - half // 2, half)
    return [
        _figure(card.splits["test"], row, f"IoU {overlaps[row]:.2f}", _name(card, row), predicted[row])
        for row in (*order[:half].tolist(), *order[middle : middle + half].tolist())
    ]


def show_suspects(card: Card) -> list[Figure]:
    """Show the images whose label may be wrong, the surest first; one that is in no split is left out."""
    table = card.report.tables["suspects"].head(MAX_SUSPECTS)
    wanted = table["id"].tolist() if len(table) else []
    places = {name: _find(split, wanted) for name, split in card.splits.items()}
    figures = []
    for id_, note in zip(wanted, table["note"] if wanted else (), strict=True):
        found = [(name, rows[id_]) for name, rows in places.items() if id_ in rows]
        for name, row in found[:1]:
            figures.append(_figure(card.splits[name], row, _name(card, row, name), f"{name}; {note}"))
    return figures


def _show_error(card: Card, item: Facts) -> Failure:
    test, train, row = card.splits["test"], card.splits["train"], int(item["row"])
    predicted = card.predictions.predicted_boxes
    figures = [_figure(test, row, "the image", "", None if predicted is None else predicted[row])]
    maps, place = card.report.heat_maps, item.get("heat_map")
    if maps is not None and place is not None:
        pixels, _ = shrink(np.asarray(test.images[row]))
        for title, heat in zip((item["actual"], item["predicted"]), maps[place], strict=True):
            figures.append(Figure(f"for {shortened(title, 40)}", "", str(item["id"]), draw_heat(pixels, heat)))
    neighbours = [
        _figure(train, near["row"], near["label"], f"{near['similarity']:.2f} alike") for near in item["neighbours"]
    ]
    return Failure(item["actual"], item["predicted"], item["confidence"], item["text"], figures, neighbours)


def _figure(split: Split, row: int, title: str, note: str, predicted: NDArray[np.float32] | None = None) -> Figure:
    whole = np.asarray(split.images[row])
    pixels, box = shrink(whole, None if split.boxes is None else _corners(split.boxes[row]))
    guess = None if predicted is None else shrink(whole, _corners(predicted))[1]
    id_ = shortened(str(split.ids[row]), MAX_ID)
    return Figure(title, note, id_, draw_thumbnail(pixels, box, guess))


def _corners(box: NDArray[np.float32]) -> Box:
    left, top, width, height = (float(side) for side in box)
    return left, top, width, height


def _name(card: Card, row: int, split: str = "test") -> str:
    return card.predictions.classes[int(card.splits[split].labels[row])]


def _find(split: Split, ids: Sequence[str]) -> dict[str, int]:
    """Give the rows of some images, by their ids."""
    known = np.asarray(split.ids)
    rows = np.flatnonzero(np.isin(known, np.array([*ids], dtype=np.str_)))
    return {str(known[row]): int(row) for row in rows}
