"""Predictions and features of a world in which every class is a direction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from podium.evaluation.neighbours import Training
from podium.evaluation.predictions import Predictions

CLASSES = ("cat", "dog", "owl")
WIDTH = 16
NOISE = 0.1
"""Of images that say what is usual; those that are looked at have less."""


def make_features(labels: Sequence[int] | np.ndarray, seed: int = 3, noise: float = 0.03) -> np.ndarray:
    """Give each image the direction of its class, and some noise: (n, WIDTH) float32."""
    drawn = np.random.default_rng(seed).normal(0, noise, (len(labels), WIDTH))
    return (np.eye(WIDTH)[np.asarray(labels) % WIDTH] + drawn).astype(np.float32)


def make_predictions(
    labels: Sequence[int] | np.ndarray,
    predicted: Sequence[int] | np.ndarray,
    confidence: float | Sequence[float] | np.ndarray = 0.9,
    classes: Sequence[str] = CLASSES,
    **changes: Any,
) -> Predictions:
    """Say what is predicted, and how surely; the other classes share the rest."""
    count = len(labels)
    sure = np.broadcast_to(np.asarray(confidence, np.float32), count)
    rest = (1 - sure) / max(len(classes) - 1, 1)
    probabilities = np.repeat(rest[:, None], len(classes), axis=1)
    probabilities[np.arange(count), np.asarray(predicted)] = sure
    keys = {
        "ids": np.array([f"image-{row}" for row in range(count)]),
        "labels": np.asarray(labels, np.int64),
        "probabilities": probabilities.astype(np.float32),
        "groups": 10_000 + np.arange(count),
        "digests": np.array([f"{row:064x}" for row in range(count)]),
        "classes": tuple(classes),
        "shape": (8, 8, 1),
    }
    return Predictions(**(keys | changes))


def make_training(labels: Sequence[int] | np.ndarray, seed: int = 1, **changes: Any) -> Training:
    """Have all training images as the reference; none is alike another."""
    count = len(labels)
    keys = {
        "ids": np.array([f"train-{row}" for row in range(count)]),
        "labels": np.asarray(labels, np.int64),
        "groups": np.arange(count),
        "rows": np.arange(count),
        "features": make_features(labels, seed, NOISE),
    }
    return Training(**(keys | changes))
