"""Soft targets: labels as shares of classes, for schedules that smooth or weigh them."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.schedules import Schedule

SoftTargets = NDArray[np.float32]


def soft_targets_of(schedule: Schedule, labels: NDArray[np.int64], classes: int) -> SoftTargets | None:
    """Say what a training image's label becomes.

    The cross-entropy is linear in the answer, so a class that is to count twice has shares of twice the size. The
    weights are those of scikit-learn's `balanced`: their mean over the training images is 1.

    Args:
        schedule: may smooth labels and weigh classes.
        labels: (n,) of the training split, every class among them.
        classes: how many there are.

    Returns:
        (classes, classes) float32: in row c, the shares of every class that an image of class c is to be given. None
        if labels can stay what they are.
    """
    if schedule.label_smoothing is None and schedule.class_weights is None:
        return None
    smoothing = schedule.label_smoothing or 0.0
    targets = np.eye(classes) * (1 - smoothing) + smoothing / classes
    if schedule.class_weights == "balanced":
        targets *= (len(labels) / (classes * np.bincount(labels, minlength=classes)))[:, None]
    return targets.astype(np.float32)


def with_soft_targets(targets: SoftTargets, batches: tf.data.Dataset) -> tf.data.Dataset:
    """Replace labels, (n,) int64, by their rows of `targets`, (n, classes) float32."""
    return batches.map(lambda images, known: (images, known | {"label": tf.gather(targets, known["label"])}))
