"""The difference of two models' macro F1: of images drawn again, or with the models changed for each other."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from podium.evaluation.intervals import Floats
from podium.evaluation.paired import Statistic


def macro_f1_difference(labels: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> Statistic:
    """Give the difference of the mean F1 of the classes that are there or are predicted, as scikit-learn counts it.

    Args:
        labels: (n,) the true classes.
        first: (n,) what the first model predicts.
        second: (n,) what the second one predicts.
    """
    classes = int(max(some.max() for some in (labels, first, second))) + 1
    (hits, both), (their_hits, theirs) = (_count(labels, predicted, classes) for predicted in (first, second))

    def figure(right: Floats, total: Floats) -> Floats:
        scores = np.divide(2 * right, total, out=np.zeros_like(total), where=total > 0)
        means: Floats = scores.sum(axis=0) / np.maximum((total > 0).sum(axis=0), 1)
        return means

    def statistic(kept: Floats, changed: Floats) -> Floats:
        keep, change = kept.T, changed.T
        of_second = figure(their_hits @ keep + hits @ change, theirs @ keep + both @ change)
        of_first = figure(hits @ keep + their_hits @ change, both @ keep + theirs @ change)
        return of_second - of_first

    return statistic


def _count(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> tuple[csr_array, csr_array]:
    """Give two tables (classes, n): which images are right, of their class; and which are of a class or said to be."""
    images, ones, shape = np.arange(len(labels)), np.ones(len(labels)), (classes, len(labels))
    actual, said = (csr_array((ones, (which, images)), shape=shape) for which in (labels, predicted))
    good = predicted == labels
    right = csr_array((ones[good], (labels[good], images[good])), shape=shape)
    return right, actual + said
