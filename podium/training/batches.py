"""The input pipeline: batches from memory-mapped arrays, read and augmented in threads while the model computes."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.schedules import Schedule
from podium.datasets.arrays import Split, forget
from podium.models.inference import Batch, as_dataset, make_targets
from podium.training.augmentation import Augmenter

BATCH_THREADS = 4
"""Threads that make batches. They wait unless the model takes faster than they make; more would wait for each other."""

THREAD_NAME_PREFIX = "podium-batch"


class Part(NamedTuple):
    """What a batch is made of: rows of the split, and what augments the images of their round."""

    rows: NDArray[np.int64]
    augmenter: Augmenter | None


def training_dataset(
    split: Split, schedule: Schedule, first_batch: int, workers: int = BATCH_THREADS
) -> tf.data.Dataset:
    """Show every image once a round, in an order drawn anew each round, for ever.

    Args:
        split: the training split.
        schedule: batch size, seed and augmentation.
        first_batch: how many batches earlier phases took: a later one goes on where they ended.
        workers: how many threads make batches; what they make does not depend on it.

    Returns:
        Batches of images (n, height, width, channels) uint8 and their targets; boxes move with their images.
    """
    _, height, width, _ = split.images.shape

    def make(part: Part) -> Batch:
        rows, augmenter = part
        images, boxes = split.images[rows], None if split.boxes is None else split.boxes[rows]
        forget(split.images)
        if augmenter:
            images = augmenter.augment(images, rows)
            boxes = None if boxes is None else augmenter.augment_boxes(boxes, rows, width, height)
        return images, make_targets(split.labels[rows], boxes, split)

    def batches() -> Iterator[Batch]:
        cv2.setNumThreads(1)  # a small image is not worth several threads; the batches are
        yield from _ahead(make, _parts(schedule, len(split), first_batch), workers)

    seen = tf.TensorSpec((None, *split.images.shape[1:]), tf.uint8)
    return as_dataset(batches, seen, split, tf.data.INFINITE_CARDINALITY)


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


def _parts(schedule: Schedule, count: int, first_batch: int) -> Iterator[Part]:
    """Draw the batches of a split of so many images, for ever; each knows all that it needs to be made."""
    for number, batches in rounds_of(count, schedule, first_batch):
        augmenter = Augmenter(schedule.augmentation, schedule.seed, number, count) if schedule.augmentation else None
        yield from (Part(rows, augmenter) for rows in batches)


def _ahead(make: Callable[[Part], Batch], parts: Iterator[Part], workers: int) -> Iterator[Batch]:
    """Make batches in threads, in their order, no more than twice as many ahead as there are threads."""
    with ThreadPoolExecutor(workers, thread_name_prefix=THREAD_NAME_PREFIX) as pool:
        try:
            waiting: deque[Future[Batch]] = deque()
            for part in parts:
                waiting.append(pool.submit(make, part))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
