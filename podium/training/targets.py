"""Labels as shares of classes, for schedules that smooth or weigh them."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.tables import Schedule

Shares = NDArray[np.float32]


def shares_of(schedule: Schedule, labels: NDArray[np.int64], classes: int) -> Shares | None:
    """Say what a training picture's label becomes.

    The cross-entropy is linear in the answer, so a class that is to count twice has shares of twice the size. The
    weights are those of scikit-learn's `balanced`: their mean over the training pictures is 1.

    Args:
        schedule: may smooth labels and weigh classes.
        labels: (n,) of the training split, every class among them.
        classes: how many there are.

    Returns:
        (classes, classes) float32: in row c, the shares of every class that a picture of class c is to be given. None
        if labels can stay what they are.
    """
    if schedule.label_smoothing is None and schedule.class_weights is None:
        return None
    smoothing = schedule.label_smoothing or 0.0
    shares = np.eye(classes) * (1 - smoothing) + smoothing / classes
    if schedule.class_weights == "balanced":
        shares *= (len(labels) / (classes * np.bincount(labels, minlength=classes)))[:, None]
    return shares.astype(np.float32)


def answer_with(shares: Shares, batches: tf.data.Dataset) -> tf.data.Dataset:
    """Replace labels, (n,) int64, by their rows of `shares`, (n, classes) float32."""
    return batches.map(lambda pictures, known: (pictures, known | {"label": tf.gather(shares, known["label"])}))
