"""How datasets are laid out. One module a kind of format; each has `read(raw, format) -> Iterator[Example]`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podium.config.datasets import Format
from podium.datasets.formats.csv_index import read as csv_index
from podium.datasets.formats.digit_struct import read as digit_struct
from podium.datasets.formats.digits import read as digits
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_folder import read as image_folder
from podium.datasets.formats.labelled_names import read as labelled_names
from podium.datasets.formats.pixel_csv import read as pixel_csv

__all__ = ["Example", "read"]

_READ: dict[str, Callable[[Path, Any], Iterator[Example]]] = {
    "csv_index": csv_index.read,
    "digit_struct": digit_struct.read,
    "digits": digits.read,
    "image_folder": image_folder.read,
    "labelled_names": labelled_names.read,
    "pixel_csv": pixel_csv.read,
}


def read(raw: Path, layout: Format) -> Iterator[Example]:
    """Read a dataset image by image, in the archive's own order, never all of it at once.

    Args:
        raw: the folder that `download` filled.
        layout: how its files are laid out.

    Yields:
        Every image, also one that cannot be used: that one says why in `fault`.

    Raises:
        PodiumError: the files are not laid out like this at all.
    """
    return _READ[layout.kind](raw, layout)
