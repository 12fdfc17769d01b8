"""How datasets are laid out. One package a kind, of its name.

Each has `read.read(raw, layout) -> Iterator[Example]`; those that `podium init` finds have `detect.find(contents)`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from math import isnan
from pathlib import Path

import pandas as pd

from podium.config.datasets import Format
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import load

__all__ = ["BOX_COLUMNS", "Example", "read", "read_validated"]

BOX_COLUMNS = ("box_left", "box_top", "box_width", "box_height")
"""Of the manifest: an example's box."""
_IN_TABLES = {"image_parquet"}
"""Kinds whose image files are inside other files."""


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
    # Only the package of this kind is imported, so that a stage depends on no other kind's.
    examples: Iterator[Example] = import_module(f"{__name__}.{layout.kind}.read").read(raw, layout)
    return examples


def read_validated(raw: Path, layout: Format, manifest: pd.DataFrame, wanted: Iterable[bool]) -> Iterator[Example]:
    """Read the images of a manifest: files by their paths in the archive, tables of images from their start.

    Args:
        raw: the folder that `download` filled.
        layout: how its files are laid out.
        manifest: one row an image, in the order of `read`, with the columns id, part, label, format and, if there are
            boxes, `BOX_COLUMNS`.
        wanted: for each row, whether its image is.

    Yields:
        An image for each row; its `image` is None if it is not wanted, or cannot be read any more.

    Raises:
        PodiumError: a file is no longer in the archive.
    """
    if layout.kind in _IN_TABLES or not manifest["format"].any():  # or pixels are in tables
        for example, is_wanted in zip(read(raw, layout), wanted, strict=True):
            yield example if is_wanted else replace(example, image=None)
        return
    columns = (manifest[name].tolist() for name in ("id", "part", "label", *BOX_COLUMNS) if name in manifest)
    with Archive(raw) as archive:
        for (name, part, label, *box), is_wanted in zip(zip(*columns, strict=True), wanted, strict=True):
            if is_wanted:
                yield load(
                    archive, name, part, label, (box[0], box[1], box[2], box[3]) if box and not isnan(box[0]) else None
                )
            else:
                yield Example(name, part, label, None)
