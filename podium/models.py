"""Trained models: written so that the same weights give the same bytes, read so that no code runs, and asked.

Also how arrays reach a model, which training and evaluation share.
"""

import json
import logging
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from podium.arrays import Split, forget
from podium.errors import PodiumError
from podium.quiet import without_greetings

# TensorFlow reads these once, as it is imported. Memory that a step gave back is kept for the next one, not asked of
# the kernel again, and no more of it than the kernel has, which would otherwise kill the process without a word; and
# oneDNN computes on every x86 processor, not on the newest alone. See decision 0018.
_FREE_MB = (psutil.virtual_memory().available + psutil.swap_memory().free) // 2**20
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
os.environ.setdefault("TF_CPU_BFC_MEM_LIMIT_IN_MB", str(_FREE_MB))
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

with without_greetings():
    import keras
    import tensorflow as tf

    keras.utils.disable_interactive_logging()  # no progress bars from libraries that ask a model
    tf.get_logger().setLevel(logging.ERROR)  # else a second model in one process is told as a mistake
    tf.config.list_logical_devices()  # the rest of the greetings come with the first device

PREDICT_BATCH = 64
"""Pictures that a model sees at once where it does not learn: they take less memory than a training on half as many."""

Batch = tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]
"""Pictures, and what a model is to answer."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, path: Path) -> None:
    """Write a model as `.keras`, without the dates and memory addresses that Keras puts into it.

    Its optimizer stays out: it belongs to the training, and doubles or triples the file.
    """
    whole = path.with_name(f"{path.stem}.dated.keras")
    bare = model.__class__.from_config(model.get_config())  # the same network, not compiled
    bare.set_weights(model.get_weights())
    bare.save(whole)
    with zipfile.ZipFile(whole) as dated, zipfile.ZipFile(path, "w") as undated:
        for name in dated.namelist():
            data = dated.read(name)
            if name == "metadata.json":
                data = json.dumps(json.loads(data) | {"date_saved": "1980-01-01@00:00:00"}).encode()
            if name == "config.json":
                data = _number_shared_objects(data)
            undated.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    whole.unlink()


def _number_shared_objects(config: bytes) -> bytes:
    """Give numbers to the objects that a model's layers share; Keras names them by their place in memory."""
    numbers: dict[bytes, bytes] = {}
    return re.sub(
        rb'("shared_object_id": )(\d+)',
        lambda found: found[1] + numbers.setdefault(found[2], str(len(numbers)).encode()),
        config,
    )


def load_model(path: Path) -> keras.Model:
    """Read a model that `save_model` wrote, in Keras's safe mode: a file that brings code is refused.

    Raises:
        PodiumError: there is no such file, or it is no model.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise PodiumError(f"{path} cannot be loaded as a model: {reason} Train it again with `dvc repro`.") from error


def predict(model: keras.Model, split: Split) -> NDArray[np.float32]:
    """Let a model see a split, batch by batch: (n, classes) float32 probabilities."""
    return predict_heads(model, split)["label"]


def predict_heads(model: keras.Model, split: Split) -> dict[str, NDArray[np.float32]]:
    """Let a model see a split, batch by batch.

    Returns:
        `label`: (n, classes) float32 probabilities; and, if the model has that head, `box`: (n, 4) float32, left,
        top, width and height in pixels of the split's pictures, as the split has them. A model may answer with a
        right edge left of the left one: then the width is negative.
    """
    heads: dict[str, NDArray[np.float32]] = model.predict(once(split), verbose=0)
    if "box" in heads:
        begin, end = np.split(heads["box"] * _size(split), 2, axis=1)
        heads["box"] = np.concatenate([begin, end - begin], axis=1)
    return heads


def answers(labels: NDArray[np.int64], boxes: NDArray[np.float32] | None, split: Split) -> dict[str, NDArray[Any]]:
    """Give what a model is to answer to some pictures of a split.

    Args:
        labels: (n,) int64.
        boxes: (n, 4) left, top, width and height in pixels of the split's pictures; None if it has no boxes.
        split: whose pictures they are.

    Returns:
        `label`: (n,) int64; and, where there are boxes, `box`: (n, 4) float32, left, top, right and bottom as
        shares of the picture's width and height. A box that sticks out of the picture gives shares outside 0..1.
    """
    if boxes is None:
        return {"label": labels}
    begin, size = np.split(boxes, 2, axis=1)
    return {"label": labels, "box": np.concatenate([begin, begin + size], axis=1) / _size(split)}


def _size(split: Split) -> NDArray[np.float32]:
    """Give width, height, width, height of a split's pictures, in pixels."""
    _, height, width, _ = split.images.shape
    return np.array([width, height, width, height], np.float32)


def once(split: Split) -> tf.data.Dataset:
    """Show every picture once, in order.

    Returns:
        Batches of images (n, height, width, channels) uint8 and their `answers`.
    """

    def blocks() -> Iterator[Batch]:
        for start in range(0, len(split), PREDICT_BATCH):
            rows = slice(start, start + PREDICT_BATCH)
            boxes = None if split.boxes is None else split.boxes[rows]
            images = np.array(split.images[rows])
            forget(split.images)
            yield images, answers(np.asarray(split.labels[rows]), boxes, split)

    return as_dataset(
        blocks, tf.TensorSpec((None, *split.images.shape[1:]), tf.uint8), split, -(-len(split) // PREDICT_BATCH)
    )


def as_dataset(
    batches: Callable[[], Iterator[tuple[NDArray[Any], dict[str, NDArray[Any]]]]],
    seen: tf.TensorSpec,
    split: Split,
    count: int,
) -> tf.data.Dataset:
    """Let TensorFlow read batches, a few of them ahead of the model.

    Args:
        batches: gives what a model is to see of a split, and the `answers` to it.
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
