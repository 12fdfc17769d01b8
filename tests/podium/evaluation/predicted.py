"""Predictions as tests need them: from labels and probabilities, or from how sure and how right a model is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.predictions import Predictions


def make_predictions(
    labels: Sequence[int] | NDArray[np.int64],
    probabilities: NDArray[np.floating],
    *,
    groups: Sequence[int] | NDArray[np.int64] | None = None,
    ids: Sequence[str] | None = None,
) -> Predictions:
    """Give predictions; by default each image is like no other."""
    count, classes = probabilities.shape
    return Predictions(
        ids=np.array([f"image-{row}" for row in range(count)] if ids is None else ids),
        labels=np.asarray(labels, np.int64),
        probabilities=probabilities.astype(np.float32),
        groups=np.arange(count) if groups is None else np.asarray(groups, np.int64),
        digests=np.array([f"{row:064x}" for row in range(count)]),
        classes=tuple(f"class {number}" for number in range(classes)),
        shape=(8, 8, 1),
    )


def make_sure(
    confidence: Sequence[float] | NDArray[np.floating],
    right: Sequence[bool] | NDArray[np.bool_],
    classes: int = 3,
    **more: object,
) -> Predictions:
    """Give predictions of a class by turns, with that confidence; the rest goes to the others alike."""
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, bool)
    predicted = np.arange(len(right)) % classes
    probabilities = np.repeat((1 - confidence[:, np.newaxis]) / (classes - 1), classes, axis=1)
    probabilities[np.arange(len(right)), predicted] = confidence
    labels = np.where(right, predicted, (predicted + 1) % classes)
    return make_predictions(labels, probabilities, **more)
