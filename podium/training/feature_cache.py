"""The feature cache: a backbone that stays as it is looks at every image once, and the head learns from what it saw.

A file has the features of one split: .npy, (n, *features) float32, memory-mapped. No halves: they are off by a 2,000th.
With augmentation it has several copies of the images, each augmented in its own way, one after the other.
"""

import hashlib
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.schedules import Phase, Schedule
from podium.datasets.arrays import Split, forget, open_split
from podium.files import exclusive_lock, file_digest, remove
from podium.models.inference import PREDICT_BATCH, as_dataset, make_targets
from podium.models.zoo import BACKBONE_LAYER
from podium.progress import show_progress
from podium.training.augmentation import Augmenter
from podium.training.batches import rounds_of

CACHE_LIMIT_BYTES = 8_000_000_000
"""Bytes that the cache may take. VGG16's features of 25,000 photographs are 2.5 GB."""
STALE_PART_SECONDS = 7 * 24 * 3600
"""Seconds: what a killed run left unfinished is resumed for so long."""

_IMAGES_PER_BLOCK = 32
"""Images that the backbone looks at at once. More are no faster, and VGG16's first layers give 13 MB an image each."""

Features = NDArray[np.float32]


class BackboneInputs:
    """The images of a split as the backbone is to see them: as they are, or augmented copies of them."""

    def __init__(self, split: Split, schedule: Schedule | None = None, copies: int = 1) -> None:
        """Know the split.

        Args:
            split: whose images they are.
            schedule: how to augment them; None: not at all.
            copies: how often each comes.
        """
        self.split, self._copies = split, copies
        augmentation = schedule.augmentation if schedule else None
        self.how = repr((augmentation, schedule.seed, copies)) if schedule and augmentation else ""
        """What the images depend on besides the split."""
        self._augmenters = [
            Augmenter(augmentation, schedule.seed, copy, len(split))
            for copy in range(copies)
            if schedule and augmentation
        ]

    def __len__(self) -> int:
        return self._copies * len(self.split)

    def images(self, begin: int, end: int) -> NDArray[np.uint8]:
        """Give the nth to the mth image, counted over all copies: (m - n, height, width, channels) uint8."""
        rows = np.arange(begin, min(end, len(self)))
        if not self._augmenters:
            return np.asarray(self.split.images[rows])
        copies, rows = np.divmod(rows, len(self.split))
        augmented = [
            self._augmenters[copy].augment(self.split.images[rows[copies == copy]], rows[copies == copy])
            for copy in np.unique(copies)
        ]
        return np.concatenate(augmented)

    def make_targets(self) -> dict[str, NDArray[Any]]:
        """Give the targets of all of them."""
        labels = np.tile(np.asarray(self.split.labels), self._copies)
        if self.split.boxes is None:
            return make_targets(labels, None, self.split)
        rows, (_, height, width, _) = np.arange(len(self.split)), self.split.images.shape
        boxes = np.asarray(self.split.boxes)
        augmented = [augmenter.augment_boxes(boxes, rows, width, height) for augmenter in self._augmenters]
        return make_targets(labels, np.concatenate(augmented or [boxes]), self.split)


def split_at_backbone(network: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a network behind its pretrained backbone, and behind what follows it without weights or chance (pooling).

    Both parts share their layers with the network: who trains the back trains the network's head.

    Args:
        network: one of the zoo's, with a layer `base`.

    Returns:
        The front, from raw images, (n, height, width, channels) uint8, to features, (n, *features) float32; and the
        back, from features to the network's named outputs.
    """
    behind = network.layers[[layer.name for layer in network.layers].index(BACKBONE_LAYER) + 1 :]
    cut = behind[0].input
    for layer in behind:
        if layer.input is not cut or layer.variables or sum(other.input is cut for other in behind) > 1:
            break
        cut = layer.output
    return keras.Model(network.input, cut, name="front"), keras.Model(cut, network.output, name="back")


def can_cache(network: keras.Model, phase: Phase, schedule: Schedule, train: int, validation: int) -> bool:
    """Say whether a phase can learn from features, and whether the backbone has less to do then.

    The answer depends on the page and on the dataset alone, never on what lies in the cache: features change the last
    digits of what is learnt, and the same training is to give the same bytes.

    Args:
        network: what is trained.
        phase: one of the schedule's; only with the backbone as it is.
        schedule: only without augmentation, unless the phase takes augmented copies.
        train: how many images the training split has.
        validation: how many the validation split has.
    """
    is_augmented = schedule.augmentation is not None and phase.augmented_copies is None
    if phase.trainable != "head" or is_augmented or all(layer.name != BACKBONE_LAYER for layer in network.layers):
        return False
    a_round = math.ceil(train / schedule.batch_size)
    rounds, rest = divmod(phase.epochs * (schedule.steps_per_epoch or a_round), a_round)
    looks = rounds * train + rest * schedule.batch_size + phase.epochs * validation
    seen = train * (phase.augmented_copies or 1) + validation
    return seen < looks and 4 * math.prod(split_at_backbone(network)[0].output.shape[1:]) * seen <= CACHE_LIMIT_BYTES


def cached_features(front: keras.Model, split: Path, folder: Path, shown: BackboneInputs | None = None) -> Features:
    """Give the features of images, from the cache or for it. A killed run is resumed.

    Args:
        front: the first part of a network, as `split_at_backbone` gives it.
        split: the folder of the split's arrays.
        folder: the cache. What was not used for longest goes where it would take more than `CACHE_LIMIT_BYTES`.
        shown: the split's images as the backbone is to see them; None: as they are.

    Returns:
        (n, *features) float32, memory-mapped and read-only.

    Raises:
        TransientError: another process makes the same features.
    """
    shown = shown or BackboneInputs(open_split(split))
    shape = (len(shown), *front.output.shape[1:])
    path = folder / f"{_key(front, file_digest(split / 'images.npy') + shown.how)}.npy"
    part = folder / f".{path.name}.part"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(part, f"{path} is being written"):
        if not _is_whole(path, shape):
            remove(path)
            prune(folder, CACHE_LIMIT_BYTES - 4 * math.prod(shape))
            _fill(part, shape, front, shown)
            part.replace(path)
        os.utime(path)  # used just now
        features: Features = np.load(path, mmap_mode="r")
    return features


def prune(folder: Path, bound: int) -> None:
    """Remove what was not used for longest until the cache takes no more than `bound` bytes; and stale parts."""
    with suppress(FileNotFoundError):  # another process prunes too
        kept = 0
        for path in sorted(folder.glob("[!.]*.npy"), key=lambda path: path.stat().st_mtime, reverse=True):
            kept += path.stat().st_size
            if kept > bound:
                remove(path)
        for path in folder.glob(".*"):
            if time.time() - path.stat().st_mtime > STALE_PART_SECONDS:
                remove(path)


def feature_training_dataset(
    features: Features, shown: BackboneInputs, schedule: Schedule, first_batch: int
) -> tf.data.Dataset:
    """Show (n, *features) float32 and their targets for ever, in the order of `training_dataset`.

    Copies take turns, one a round.
    """
    count = len(shown.split)

    def order() -> Iterator[NDArray[np.int64]]:
        for number, batches in rounds_of(count, schedule, first_batch):
            yield from (rows + number * count % len(shown) for rows in batches)

    return _as_dataset(features, shown, tf.data.INFINITE_CARDINALITY, order)


def feature_evaluation_dataset(features: Features, shown: BackboneInputs) -> tf.data.Dataset:
    """Show the features of a split once, in order, as `evaluation_dataset` shows its images."""
    starts = range(0, len(shown), PREDICT_BATCH)
    return _as_dataset(features, shown, len(starts), lambda: (slice(start, start + PREDICT_BATCH) for start in starts))


def _as_dataset(
    features: Features, shown: BackboneInputs, count: int, order: Callable[[], Iterator[Any]]
) -> tf.data.Dataset:
    known = shown.make_targets()

    def show() -> Iterator[tuple[Features, dict[str, NDArray[Any]]]]:
        for rows in order():
            yield np.array(features[rows]), {name: values[rows] for name, values in known.items()}
            forget(features)

    return as_dataset(show, tf.TensorSpec((None, *features.shape[1:]), tf.float32), shown.split, count)


def _is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    try:
        features = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return bool(features.shape == shape and features.dtype == np.float32)


def _fill(part: Path, shape: tuple[int, ...], front: keras.Model, shown: BackboneInputs) -> None:
    """Write features block by block, from where a killed run was, less a block that may not have reached the disk."""
    look, block = _graph(front, shown.split.images.shape[1:]), 4 * _IMAGES_PER_BLOCK * math.prod(shape[1:])
    part.touch()
    with part.open("r+b") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        begin = max((part.stat().st_size - file.tell()) // block - 1, 0)
        file.truncate(file.tell() + begin * block)
        file.seek(0, os.SEEK_END)
        blocks = range(begin, math.ceil(shape[0] / _IMAGES_PER_BLOCK))
        for number in show_progress(blocks, f"blocks of {_IMAGES_PER_BLOCK} images", blocks.stop, begin):
            file.write(look(shown.images(number * _IMAGES_PER_BLOCK, (number + 1) * _IMAGES_PER_BLOCK)).data)
            file.flush()
            os.fsync(file.fileno())
            forget(shown.split.images)


def _graph(front: keras.Model, shape: tuple[int, ...]) -> Callable[[NDArray[np.uint8]], Features]:
    """Compile a front with its weights as constants, which TensorFlow folds: MobileNet gains a quarter (measured)."""
    weights = [[one.numpy() for one in some] for some in (front.trainable_variables, front.non_trainable_variables)]

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.uint8)])  # type: ignore[untyped-decorator]
    def look(images: tf.Tensor) -> tf.Tensor:
        return tf.cast(front.stateless_call(*weights, images, training=False)[0], tf.float32)

    return lambda images: look(images).numpy()


def _key(front: keras.Model, images: str) -> str:
    """Sum up all that features depend on: the layers, their weights, the images, and who computes."""
    code = 1  # one more where other code gives other features
    devices = [device.device_type for device in tf.config.list_physical_devices()]
    computer = (keras.__version__, tf.__version__, os.cpu_count(), devices, os.environ.get("TF_ENABLE_ONEDNN_OPTS"))
    config = re.sub(r'"shared_object_id": \d+', "", front.to_json())  # those are places in memory
    digest = hashlib.sha256(repr((code, _IMAGES_PER_BLOCK, images, computer, config)).encode())
    for weight in front.get_weights():
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()[:32]
