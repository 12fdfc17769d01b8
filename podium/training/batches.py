"""The input pipeline: batches from memory-mapped arrays, read and moved while the model computes."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from podium.arrays import Split
from podium.config.tables import Schedule
from podium.models import Batch, as_dataset
from podium.training.augmentation import Mover


def endless(split: Split, schedule: Schedule, first_epoch: int) -> tf.data.Dataset:
    """Show every picture once a round, in an order drawn anew each round, for ever.

    Args:
        split: the training split.
        schedule: batch size, seed and augmentation.
        first_epoch: the round to begin with, so that a later phase does not repeat the first one's draws.

    Returns:
        Batches of images (n, height, width, channels) uint8 and {"label": (n,) int64}.
    """

    def rounds() -> Iterator[Batch]:
        epoch = first_epoch
        while True:
            order = np.random.default_rng([schedule.seed, epoch, 0]).permutation(len(split))
            mover = Mover(schedule.augmentation, schedule.seed, epoch, len(split)) if schedule.augmentation else None
            for start in range(0, len(split), schedule.batch_size):
                rows = np.sort(order[start : start + schedule.batch_size])  # sorted: kinder to the disk
                images = split.images[rows]
                yield mover.move(images, rows) if mover else images, {"label": split.labels[rows]}
            epoch += 1

    return as_dataset(rounds, split).apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
