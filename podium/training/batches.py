"""The input pipeline: batches from memory-mapped arrays, read and moved while the model computes."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.arrays import Split
from podium.config.tables import Schedule
from podium.models import Batch, answers, as_dataset
from podium.training.augmentation import Mover


def endless(split: Split, schedule: Schedule, first_batch: int) -> tf.data.Dataset:
    """Show every picture once a round, in an order drawn anew each round, for ever.

    Args:
        split: the training split.
        schedule: batch size, seed and augmentation.
        first_batch: how many batches earlier phases took: a later one goes on where they ended.

    Returns:
        Batches of images (n, height, width, channels) uint8 and their `answers`; boxes move with their pictures.
    """
    _, height, width, _ = split.images.shape

    def rounds() -> Iterator[Batch]:
        for number, batches in rounds_of(len(split), schedule, first_batch):
            mover = schedule.augmentation and Mover(schedule.augmentation, schedule.seed, number, len(split))
            for rows in batches:
                images, boxes = split.images[rows], None if split.boxes is None else split.boxes[rows]
                if mover:
                    images = mover.move(images, rows)
                    boxes = None if boxes is None else mover.move_boxes(boxes, rows, width, height)
                yield images, answers(split.labels[rows], boxes, split)

    return as_dataset(rounds, split).apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def rounds_of(count: int, schedule: Schedule, first_batch: int) -> Iterator[tuple[int, list[NDArray[np.int64]]]]:
    """Draw an order anew each round, for ever.

    Args:
        count: how many rows there are to show.
        schedule: batch size and seed.
        first_batch: how many batches were shown before.

    Yields:
        A round's number, from 0, and the rows of each of its batches, sorted, which is kinder to the disk. The first
        round may lack its beginning, and the last batch of each may be short.
    """
    size = schedule.batch_size
    a_round = math.ceil(count / size)
    for number in itertools.count(first_batch // a_round):
        order = np.random.default_rng([schedule.seed, number, 0]).permutation(count)
        begin = first_batch % a_round if number == first_batch // a_round else 0
        yield number, [np.sort(order[batch * size : (batch + 1) * size]) for batch in range(begin, a_round)]
