"""MNIST's own files: all images in one, all labels in another.

train-images-idx3-ubyte     60,000 × 28 × 28 bytes
train-labels-idx1-ubyte     60,000 bytes
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np

from podium.config.datasets import IdxFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.idx.header import open_idx, read_exactly
from podium.errors import PodiumError

MAX_IMAGE_BYTES = 1 << 26
"""64 MiB."""
MAX_LABELS = 1 << 27
BLOCK_BYTES = 1 << 20


def read(raw: Path, layout: IdxFormat) -> Iterator[Example]:
    """Read the parts one after the other; an image is named by its place, the first is 0. See `formats.read`."""
    with Archive(raw) as archive:
        for part, name in layout.images.items():
            yield from _read_part(archive, part, name, None if part == "unlabelled" else layout.labels[part])


def _read_part(archive: Archive, part: str, name: str, labels_name: str | None) -> Iterator[Example]:
    labels = None if labels_name is None else _read_labels(archive, labels_name)
    with open_idx(archive, name) as ((count, *shape), images):
        shape = shape if len(shape) == 3 else [*shape, 1]
        size = prod(shape)
        if len(shape) != 3 or shape[2] not in (1, 3) or not 0 < size <= MAX_IMAGE_BYTES:
            sizes = " × ".join(map(str, (count, *shape)))
            raise PodiumError(f"{name} has the sizes {sizes}; expected images × height × width.")
        if labels is not None and len(labels) != count:
            raise PodiumError(f"{labels_name} has {len(labels):,} labels, and {name} has {count:,} images.")
        if not count:
            raise PodiumError(f"{name} has no images.")
        step = max(1, BLOCK_BYTES // size)
        for start in range(0, count, step):
            rows = min(step, count - start)
            pixels = np.frombuffer(read_exactly(images, rows * size, name), np.uint8).reshape(rows, *shape)
            for row, image in enumerate(pixels, start):
                yield Example(f"{name}:{row}", part, "" if labels is None else str(labels[row]), image)
        if images.read(1):
            raise PodiumError(f"{name} goes on after {count:,} images, which is all that its first bytes say.")


def _read_labels(archive: Archive, name: str) -> bytes:
    with open_idx(archive, name) as ((count, *rest), file):
        if rest or count > MAX_LABELS:
            raise PodiumError(
                f"{name} has the sizes {count} × {' × '.join(map(str, rest))}; expected one label an image."
            )
        labels = read_exactly(file, count, name)
        if file.read(1):
            raise PodiumError(f"{name} goes on after {count:,} labels, which is all that its first bytes say.")
    return labels
