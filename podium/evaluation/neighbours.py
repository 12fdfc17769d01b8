"""Nearest training images: which ones a model sees as most like an image, and how far from all of them it is.

Two images are compared by the cosine of the angle between their features, those of the model's last layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REFERENCE_IMAGES = 1500
"""Training images to compare with: a split may have a million, and each costs a look of the model."""
NEIGHBOURS = 5
"""How many of the nearest count: the furthest of them says how far from train an image is."""

_BLOCK = 1024

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Training:
    """The train split, and what a model sees in some of it.

    Attributes:
        ids: (n,) of all training images.
        labels: (n,) int64.
        groups: (n,) int64, their groups of near-duplicates.
        rows: (m,) which of them are the reference, ascending; see `reference_rows`.
        features: (m, width) float32 of these.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    rows: Rows
    features: NDArray[np.float32]


def reference_rows(
    labels: NDArray[np.int64], always: Sequence[int] = (), count: int = REFERENCE_IMAGES, seed: int = 0
) -> Rows:
    """Choose training images to compare with, of every class as many as of the others, as far as it has them.

    Args:
        labels: (n,) of the train split.
        always: rows that are to be among them; at most `count` of them.
        count: how many are chosen beside these.
        seed: of the draw.

    Returns:
        Rows, ascending, without repeats: all of them where the split has no more than `count`.
    """
    lots = np.random.default_rng(seed).permutation(len(labels))
    by_class = np.lexsort((lots, labels))
    ordered = labels[by_class]
    turn = np.arange(len(labels)) - np.searchsorted(ordered, ordered)  # the how-manieth of its class
    chosen = by_class[np.lexsort((lots[by_class], turn))][:count]
    return np.union1d(chosen, np.array(always[:count], np.int64)).astype(np.int64)


def find_nearest(
    features: NDArray[np.float32], reference: NDArray[np.float32], count: int = NEIGHBOURS
) -> tuple[Rows, NDArray[np.float32]]:
    """Find the nearest of a reference.

    Args:
        features: (n, width).
        reference: (m, width).
        count: how many; fewer if the reference has no more.

    Returns:
        (n, count) places in the reference, the nearest first; and their similarities, −1..1.
    """
    count = min(count, len(reference))
    known = _unit(reference).T
    places = np.zeros((len(features), count), np.int64)
    similarities = np.zeros((len(features), count), np.float32)
    for begin in range(0, len(features), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        alike = _unit(features[rows]) @ known
        nearest = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(alike, nearest, axis=1)
        order = np.lexsort((nearest, -found), axis=1)
        places[rows] = np.take_along_axis(nearest, order, axis=1)
        similarities[rows] = np.take_along_axis(found, order, axis=1)
    return places, similarities


def distance_to(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say how far from the reference images are: the distance to the furthest of the nearest, 0..2.

    The score of Y. Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", 2022, arXiv:2204.06507:
    between features of length 1.

    Args:
        similarities: (n, count), from `find_nearest`.
    """
    distances: NDArray[np.float32] = np.sqrt(np.maximum(2 - 2 * similarities[:, -1], 0))
    return distances


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give features the length 1; what is zero stays so, and is like nothing."""
    exact = np.asarray(features, np.float32)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
    return unit
