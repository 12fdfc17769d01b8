"""What each image adds to a metric: its loss, its Brier score, the rank of its true class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELLS = 1_000_000
"""Probabilities that are looked at together: ten thousand classes shall not fill the memory."""


@dataclass(frozen=True)
class Scores:
    """Of each image.

    Attributes:
        losses: (n,) cross-entropy in nats.
        briers: (n,) squared error of the probabilities, summed over the classes; of two classes, that of the second.
        ranks: (n,) how many classes were thought likelier than the true one; of equal ones the first counts.
    """

    losses: NDArray[np.float64]
    briers: NDArray[np.float64]
    ranks: NDArray[np.int64]


def score(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Scores:
    """Score each image, as scikit-learn's `log_loss` and `brier_score_loss` do, which need n × classes numbers more."""
    step = max(1, CELLS // probabilities.shape[1])
    parts = [
        _score(labels[begin : begin + step], probabilities[begin : begin + step])
        for begin in range(0, len(labels), step)
    ]
    losses, briers, ranks = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Scores(losses, briers, ranks)


def _score(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    shares = probabilities.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    true = np.take_along_axis(shares, labels[:, np.newaxis], axis=1)
    least = np.finfo(np.float64).eps
    losses = -np.log(np.clip(true[:, 0], least, 1 - least))
    briers = np.sum(shares**2, axis=1) - 2 * true[:, 0] + 1
    first = np.arange(shares.shape[1]) < labels[:, np.newaxis]
    ranks = np.sum((shares > true) | ((shares == true) & first), axis=1)
    return losses, briers / 2 if shares.shape[1] == 2 else briers, ranks
