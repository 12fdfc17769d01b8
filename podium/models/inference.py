"""Inference: what a trained model predicts for the images of a split."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.datasets.arrays import Split, forget

LABEL_LAYER = "label"
"""The layer, and the output, that gives the probabilities of the classes in every model of the zoo."""
PREDICT_BATCH = 64
"""Images that a model sees at once where it does not learn: they take less memory than a training on half as many."""

Batch = tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]
"""Images, and what a model is to answer."""


def predict(model: keras.Model, split: Split) -> NDArray[np.float32]:
    """Let a model see a split, batch by batch: (n, classes) float32 probabilities."""
    return predict_heads(model, split)["label"]


def predict_heads(
    model: keras.Model, split: Split, rows: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float32]]:
    """Let a model see a split, batch by batch.

    Args:
        model: one of the zoo's, with further outputs or without.
        split: the images.
        rows: which of them, in ascending order; None: all.

    Returns:
        `label`: (n, classes) float32 probabilities; and, if the model has that head, `box`: (n, 4) float32, left,
        top, width and height in pixels of the split's images, as the split has them. A model may answer with a
        right edge left of the left one: then the width is negative. Further outputs come as they are.
    """
    heads: dict[str, NDArray[np.float32]] = model.predict(evaluation_dataset(split, rows), verbose=0)
    if "box" in heads:
        begin, end = np.split(heads["box"] * _size(split), 2, axis=1)
        heads["box"] = np.concatenate([begin, end - begin], axis=1)
    return heads


def make_targets(labels: NDArray[np.int64], boxes: NDArray[np.float32] | None, split: Split) -> dict[str, NDArray[Any]]:
    """Give what a model is to answer to some images of a split.

    Args:
        labels: (n,) int64.
        boxes: (n, 4) left, top, width and height in pixels of the split's images; None if it has no boxes.
        split: whose images they are.

    Returns:
        `label`: (n,) int64; and, where there are boxes, `box`: (n, 4) float32, left, top, right and bottom as
        shares of the image's width and height. A box that sticks out of the image gives shares outside 0..1.
    """
    if boxes is None:
        return {"label": labels}
    begin, size = np.split(boxes, 2, axis=1)
    return {"label": labels, "box": np.concatenate([begin, begin + size], axis=1) / _size(split)}


def _size(split: Split) -> NDArray[np.float32]:
    """Give width, height, width, height of a split's images, in pixels."""
    _, height, width, _ = split.images.shape
    return np.array([width, height, width, height], np.float32)


def evaluation_dataset(split: Split, rows: NDArray[np.int64] | None = None) -> tf.data.Dataset:
    """Show every image once, in order.

    Args:
        split: the images.
        rows: which of them; None: all.

    Returns:
        Batches of images (n, height, width, channels) uint8 and their targets.
    """
    count = len(split) if rows is None else len(rows)

    def blocks() -> Iterator[Batch]:
        for start in range(0, count, PREDICT_BATCH):
            some = slice(start, start + PREDICT_BATCH) if rows is None else rows[start : start + PREDICT_BATCH]
            boxes = None if split.boxes is None else split.boxes[some]
            images = np.array(split.images[some])
            forget(split.images)
            yield images, make_targets(np.asarray(split.labels[some]), boxes, split)

    return as_dataset(
        blocks, tf.TensorSpec((None, *split.images.shape[1:]), tf.uint8), split, -(-count // PREDICT_BATCH)
    )


def as_dataset(
    batches: Callable[[], Iterator[tuple[NDArray[Any], dict[str, NDArray[Any]]]]],
    seen: tf.TensorSpec,
    split: Split,
    count: int,
) -> tf.data.Dataset:
    """Let TensorFlow read batches, a few of them ahead of the model.

    Args:
        batches: gives what a model is to see of a split, and the targets to it.
        seen: the shape and type of what it sees.
        split: says whether there are boxes.
        count: how many batches there are; `tf.data.INFINITE_CARDINALITY` if they never end.
    """
    known = {"label": tf.TensorSpec((None,), tf.int64)}
    if split.boxes is not None:
        known["box"] = tf.TensorSpec((None, 4), tf.float32)
    shared = tf.data.Options()  # with several GPUs every batch is cut in parts, not every second one left out
    shared.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    whole = tf.data.Dataset.from_generator(batches, output_signature=(seen, known)).prefetch(4)
    return whole.apply(tf.data.experimental.assert_cardinality(count)).with_options(shared)
