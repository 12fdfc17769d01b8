"""Thumbnails of a dataset's images, made in one pass."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from podium.datasets.formats.example import Example
from podium.images.parallel import map_in_order
from podium.pages.thumbnails import _draw

KEPT = 1 << 26
"""Bytes: 64 MiB of images are kept in memory rather than read twice."""
OVERHEAD = 512
"""Bytes that an image takes beside its own."""


class Remembered:
    """Images that are read once and kept for a second look, if they are few and small enough together."""

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
    """Make small images of some rows of a dataset.

    Args:
        examples: the dataset's images, from the first on; what follows the last wanted row is not read.
        rows: the places of the wanted ones among them, from 0.

    Returns:
        A WebP file for each row, at most `SIDE` pixels high and wide, in the shape that people see the image in,
        its box drawn as an outline. Images of less than half that size are enlarged by a whole factor, so that
        one sees their pixels. A row that cannot be used, or is not there, is left out.
    """
    wanted = set(rows)
    read = enumerate(islice(examples, max(wanted, default=-1) + 1))
    chosen = ((row, example) for row, example in read if row in wanted)
    made = map_in_order(lambda one: (one[0], _draw(one[1])), chosen, weigh=lambda one: one[1].nbytes)
    return {row: thumbnail for row, thumbnail in made if thumbnail is not None}
