"""How datasets are laid out. One module a kind of format; each has `read(raw, format) -> Iterator[Example]`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from podium.config.tables import Format
from podium.formats import csv_index, digit_struct, digits, image_folder, labelled_names, pixel_csv
from podium.formats.example import Example

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
    """Read a dataset picture by picture, in the archive's own order, never all of it at once.

    Args:
        raw: the folder that `download` filled.
        layout: how its files are laid out.

    Yields:
        Every picture, also one that cannot be used: that one says why in `fault`.

    Raises:
        PodiumError: the files are not laid out like this at all.
    """
    return _READ[layout.kind](raw, layout)
