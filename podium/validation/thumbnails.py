"""Small pictures for the page: made in one pass over the dataset, few in memory."""

import io
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from podium.config.tables import Image
from podium.formats.example import Example
from podium.pictures import BadPictureError, Placement, decode, fit, inspect
from podium.workers import map_in_order

SIDE = 96
"""Pixels: the longest side of a thumbnail."""
KEPT = 1 << 26
"""Bytes: 64 MiB of pictures are kept in memory rather than read twice."""
OVERHEAD = 512
"""Bytes that a picture takes beside its own."""
_QUALITY = 80
_BOX = "#35d07f"


class Remembered:
    """Pictures that are read once and kept for a second look, if they are few and small enough together."""

    def __init__(self, read: Callable[[], Iterable[Example]]) -> None:
        self._read = read
        self._kept: list[Example] | None = None

    def first(self) -> Iterator[Example]:
        """Read them, and keep them as long as they take no more than `KEPT`."""
        kept: list[Example] | None = []
        size = 0
        for example in self._read():
            size += example.nbytes + OVERHEAD
            if kept is not None and size <= KEPT:
                kept.append(example)
            else:
                kept = None
            yield example
        self._kept = kept

    def again(self) -> Iterable[Example]:
        """Give them once more, from memory if they were kept."""
        return self._read() if self._kept is None else self._kept


def collect_thumbnails(examples: Iterable[Example], rows: Collection[int]) -> dict[int, bytes]:
    """Make small pictures of some rows of a dataset.

    Args:
        examples: the dataset's pictures, from the first on; what follows the last wanted row is not read.
        rows: the places of the wanted ones among them, from 0.

    Returns:
        A WebP file for each row, at most `SIDE` pixels high and wide, in the shape that people see the picture in,
        its box drawn as an outline. Pictures of less than half that size are enlarged by a whole factor, so that
        one sees their pixels. A row that cannot be used, or is not there, is left out.
    """
    wanted = set(rows)
    read = enumerate(islice(examples, max(wanted, default=-1) + 1))
    chosen = ((row, example) for row, example in read if row in wanted)
    made = map_in_order(lambda one: (one[0], _draw(one[1])), chosen, weigh=lambda one: one[1].nbytes)
    return {row: thumbnail for row, thumbnail in made if thumbnail is not None}


def _draw(example: Example) -> bytes | None:
    """Make the thumbnail of one picture, as WebP; None if the picture cannot be used."""
    picture = example.picture
    try:
        if picture is None or example.fault:
            return None
        if isinstance(picture, bytes):
            facts = inspect(picture, example.id)  # refuses what is too large to decode
            height, width, channels = facts.height, facts.width, facts.channels
            size = _shrink(height, width, channels)
            pixels = decode(picture, size)
        else:
            height, width, channels = picture.shape
            size = _shrink(height, width, channels)
            pixels = fit(picture, size)
    except BadPictureError:
        return None
    factor = max(1, SIDE // max(size.height, size.width))
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    thumbnail = Pillow.fromarray(pixels.squeeze(axis=2) if channels == 1 else pixels).convert("RGB")
    if example.box and np.isfinite(example.box).all():
        left, top, across, down = Placement.of(width, height, size).move(example.box, size)
        edges = np.round(np.array([left, top, left + across, top + down]) * factor).tolist()
        right, bottom = max(edges[0], edges[2] - 1), max(edges[1], edges[3] - 1)
        ImageDraw.Draw(thumbnail).rectangle((edges[0], edges[1], right, bottom), outline=_BOX)
    file = io.BytesIO()
    thumbnail.save(file, "WEBP", quality=_QUALITY, lossless=factor > 1)
    return file.getvalue()


def _shrink(height: int, width: int, channels: int) -> Image:
    """Name the size of a picture, in pixels, once it is small enough: its own, if it is."""
    scale = min(1.0, SIDE / max(height, width))
    return Image(
        height=max(1, round(height * scale)),
        width=max(1, round(width * scale)),
        channels=3 if channels == 3 else 1,
        resize="stretch",
    )
