"""MNIST's own files: all images in one, all labels in another.

train-images-idx3-ubyte     60,000 × 28 × 28 bytes
train-labels-idx1-ubyte     60,000 bytes
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from podium.config.datasets import IdxFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.idx.header import open_idx, read_exactly
from podium.errors import PodiumError

MAX_IMAGE_BYTES = 1 << 26
"""64 MiB."""
BLOCK_BYTES = 1 << 20


def read(raw: Path, layout: IdxFormat) -> Iterator[Example]:
    """Read the parts one after the other; an image is named by its place, the first is 0. See `formats.read`."""
    with Archive(raw) as archive:
        for part, name in layout.images.items():
            yield from _read_part(archive, part, name, None if part == "unlabelled" else layout.labels[part])


def _read_part(archive: Archive, part: str, name: str, labels_name: str | None) -> Iterator[Example]:
    with ExitStack() as stack:
        (count, *shape), images = stack.enter_context(open_idx(archive, name))
        shape = shape if len(shape) == 3 else [*shape, 1]
        size = int(np.prod(shape, dtype=object))
        if len(shape) != 3 or shape[2] not in (1, 3) or not 0 < size <= MAX_IMAGE_BYTES:
            sizes = " × ".join(map(str, (count, *shape)))
            raise PodiumError(f"{name} has the sizes {sizes}; expected images × height × width.")
        labels = None
        if labels_name is not None:
            (labelled, *rest), labels = stack.enter_context(open_idx(archive, labels_name))
            if rest or labelled != count:
                raise PodiumError(f"{labels_name} has {labelled:,} labels, and {name} has {count:,} images.")
        if not count:
            raise PodiumError(f"{name} has no images.")
        step = max(1, BLOCK_BYTES // size)
        for start in range(0, count, step):
            rows = min(step, count - start)
            pixels = np.frombuffer(read_exactly(images, rows * size, name), np.uint8).reshape(rows, *shape)
            known = read_exactly(labels, rows, labels_name or "") if labels else None
            for row in range(rows):
                yield Example(f"{name}:{start + row}", part, str(known[row]) if known else "", pixels[row])
        if images.read(1):
            raise PodiumError(f"{name} goes on after {count:,} images, which is all that its first bytes say.")
