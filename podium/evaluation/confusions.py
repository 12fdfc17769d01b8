"""Which class is taken for which: counts, the order in which they are shown, and their files."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.predictions import Predictions
from podium.pages.seriation import seriate

MAX_CELLS = 1_000_000
"""Cells of a confusion matrix as a CSV file: of more than a thousand classes it is the list of the pairs that occur."""
MAX_GROUPED = 400
"""Classes that are grouped by what they are taken for, the most confused; the others follow in their own order."""
MAX_BLOCK = 12
"""Classes in a block."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Confusions:
    """How often each class was predicted as each class, without the pairs that never occur.

    Attributes:
        classes: their names.
        actual: (pairs,) the number of the true class, ascending.
        predicted: (pairs,) of the predicted class, ascending within a true class.
        counts: (pairs,) how many images, at least 1.
    """

    classes: tuple[str, ...]
    actual: Ints
    predicted: Ints
    counts: Ints

    @property
    def support(self) -> Ints:
        """(classes,) how many images each class has."""
        return np.bincount(self.actual, self.counts, len(self.classes)).astype(np.int64)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(pairs,) whether the predicted class is not the true one."""
        wrong: NDArray[np.bool_] = self.actual != self.predicted
        return wrong

    def dense(self, some: Ints) -> Ints:
        """Give the matrix of some classes, in their order: rows are true, columns predicted."""
        places = np.full(len(self.classes), -1)
        places[some] = np.arange(len(some))
        rows, columns = places[self.actual], places[self.predicted]
        inside = (rows >= 0) & (columns >= 0)
        matrix = np.zeros((len(some), len(some)), np.int64)
        matrix[rows[inside], columns[inside]] = self.counts[inside]
        return matrix

    def shrink(self, order: Ints, cells: int) -> NDArray[np.float64]:
        """Give the matrix of errors in an order, as at most `cells` × `cells` shares of the true classes' images."""
        size = min(len(order), cells)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order)) * size // len(order)
        errors, images = np.zeros((size, size)), np.zeros(size)
        np.add.at(images, places, self.support)
        wrong = self.wrong
        np.add.at(errors, (places[self.actual[wrong]], places[self.predicted[wrong]]), self.counts[wrong])
        return errors / np.maximum(images, 1)[:, None]

    def blocks(self) -> list[Ints]:
        """Give the classes in blocks that are confused with each other, the block with most errors first."""
        errors = np.bincount(self.actual[self.wrong], self.counts[self.wrong], len(self.classes))
        errors += np.bincount(self.predicted[self.wrong], self.counts[self.wrong], len(self.classes))
        some = np.sort(np.argsort(-errors, kind="stable")[:MAX_GROUPED])
        counts = self.dense(some)
        shares = counts / np.maximum(self.support[some], 1)[:, None]
        np.fill_diagonal(shares, 0)
        np.fill_diagonal(counts, 0)
        groups = seriate(shares + shares.T, MAX_BLOCK)
        groups.sort(key=lambda group: -counts[np.ix_(group, group)].sum())
        others = np.setdiff1d(np.arange(len(self.classes)), some)
        return [some[group] for group in groups] + [others[[place]] for place in range(len(others))]


def count_confusions(predictions: Predictions) -> Confusions:
    """Count them."""
    classes = len(predictions.classes)
    pairs, counts = np.unique(predictions.labels * classes + predictions.predicted, return_counts=True)
    return Confusions(predictions.classes, pairs // classes, pairs % classes, counts)


def save_confusions(confusions: Confusions, predictions: Predictions, folder: Path) -> None:
    """Write the CSV files.

    `confusion_matrix.csv` has a row for each true class and a column for each predicted one, in the classes' own
    order; `confusion_matrix_normalised.csv` the shares of each row, with zeros for a class without images. Above
    `MAX_CELLS` they have a row for each pair that occurs instead: actual, predicted, count or share.
    `confusions.csv` has a row for each image, for DVC to plot: actual, predicted.
    """
    names = confusions.classes
    if len(names) ** 2 <= MAX_CELLS:
        counts = confusions.dense(np.arange(len(names)))
        shares = counts / np.maximum(confusions.support, 1)[:, None]
        headers = [["actual", *names]] * 2
        whole = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
        parts = [[name, *_rounded(row)] for name, row in zip(names, shares.tolist(), strict=True)]
    else:
        headers = [["actual", "predicted", what] for what in ("count", "share")]
        share = confusions.counts / confusions.support[confusions.actual]
        pairs = [[names[one], names[two]] for one, two in zip(confusions.actual, confusions.predicted, strict=True)]
        whole = [[*pair, count] for pair, count in zip(pairs, confusions.counts.tolist(), strict=True)]
        parts = [[*pair, *_rounded([one])] for pair, one in zip(pairs, share.tolist(), strict=True)]
    _write(folder / "confusion_matrix.csv", headers[0], whole)
    _write(folder / "confusion_matrix_normalised.csv", headers[1], parts)
    each = zip(predictions.labels, predictions.predicted, strict=True)
    _write(folder / "confusions.csv", ["actual", "predicted"], ([names[one], names[two]] for one, two in each))


def _rounded(shares: Sequence[float]) -> list[str]:
    return [f"{share:.6f}" for share in shares]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
