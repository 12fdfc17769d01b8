"""Thumbnails of a dataset's images, made in one pass."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

import numpy as np

from podium.config.datasets import Image
from podium.datasets.formats.example import Example
from podium.images.decoding import decode, inspect
from podium.images.fitting import Placement, fit
from podium.images.opening import BadImageError
from podium.images.parallel import map_in_order
from podium.pages.thumbnails import draw_thumbnail, thumbnail_size

MAX_KEPT_BYTES = 1 << 26
"""Bytes: 64 MiB of images are kept in memory rather than read twice."""
OVERHEAD_BYTES = 512
"""Bytes that an image takes beside its own."""


class Remembered:
    """Images that are read once and kept for a second look, if they are few and small enough together."""

    def __init__(self, read: Callable[[], Iterable[Example]]) -> None:
        self._read = read
        self._kept: list[Example] | None = None

    def first(self) -> Iterator[Example]:
        """Read them, and keep them as long as they take no more than `MAX_KEPT_BYTES`."""
        kept: list[Example] | None = []
        size = 0
        for example in self._read():
            size += example.nbytes + OVERHEAD_BYTES
            if kept is not None and size <= MAX_KEPT_BYTES:
                kept.append(example)
            else:
                kept = None
            yield example
        self._kept = kept

    @property
    def kept(self) -> bool:
        """Whether a second look reads nothing."""
        return self._kept is not None

    def again(self) -> Iterable[Example]:
        """Give them once more, from memory if they were kept."""
        return self._read() if self._kept is None else self._kept


def collect_thumbnails(examples: Iterable[Example], rows: Collection[int]) -> dict[int, bytes]:
    """Make small images of some rows of a dataset.

    Args:
        examples: the dataset's images, from the first on; what follows the last wanted row is not read.
        rows: the places of the wanted ones among them, from 0.

    Returns:
        A WebP file for each row, of `thumbnail_size`, in the shape that people see the image in, its box drawn as an
        outline. A row that cannot be used, or is not there, is left out.
    """
    wanted = set(rows)
    read = enumerate(islice(examples, max(wanted, default=-1) + 1))
    chosen = ((row, example) for row, example in read if row in wanted)
    made = map_in_order(lambda one: (one[0], _draw(one[1])), chosen, weigh=lambda one: one[1].nbytes)
    return {row: thumbnail for row, thumbnail in made if thumbnail is not None}


def _draw(example: Example) -> bytes | None:
    """Make the thumbnail of one image; None if the image cannot be used."""
    image = example.image
    try:
        if image is None or example.fault:
            return None
        if isinstance(image, bytes):
            facts = inspect(image, example.id)  # refuses what is too large to decode
            height, width, size = facts.height, facts.width, _size(facts.height, facts.width, facts.channels)
            pixels = decode(image, size)
        else:
            height, width, channels = image.shape
            size = _size(height, width, channels)
            pixels = fit(image, size)
    except BadImageError:
        return None
    known = example.box is not None and np.isfinite(example.box).all()
    box = Placement.of(width, height, size).move(example.box, size) if example.box and known else None
    return draw_thumbnail(pixels, box)


def _size(height: int, width: int, channels: int) -> Image:
    small = thumbnail_size(height, width)
    return Image(height=small[0], width=small[1], channels=3 if channels == 3 else 1, resize="stretch")
