"""A table of pixels: which of its columns is what, and how a row's pixels make an image."""

import codecs
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from podium.config.datasets import Column, Part, PixelCsvFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED
from podium.errors import PodiumError

MAX_LINE_BYTES = 1 << 22
"""Bytes of a table's first line: 4 MiB."""


@dataclass(frozen=True)
class Shape:
    """How pixels, one after the other, make an image."""

    height: int
    width: int
    channels: int = 1
    planar: bool = False
    """All of a channel's pixels stand together."""

    @property
    def count(self) -> int:
        """How many numbers an image has."""
        return self.height * self.width * self.channels

    def image(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give the image (height, width, channels)."""
        if self.planar:
            return np.ascontiguousarray(pixels.reshape(self.channels, self.height, self.width).transpose(1, 2, 0))
        return pixels.reshape(self.height, self.width, self.channels)


@dataclass(frozen=True)
class Table:
    """A table that a page names.

    Attributes:
        name: its path in the archive.
        part: of its images, unless a column says it.
        columns: all, in its order; those of a table without a header are named 1, 2, ….
        label: the label's column; None if the images are unlabelled.
        cell: the column with all pixels; None if each has a column of its own.
        pixels: these columns, in the order of the image.
        shape: of every image.
        split: the column with the part's word.
        words: the part that a word stands for.
        first_line: of its first image, in the file.
        separator: between cells.
    """

    name: str
    part: str
    columns: Sequence[str]
    label: str | None
    cell: str | None
    pixels: Sequence[str]
    shape: Shape
    split: str | None
    words: Mapping[str, Part]
    first_line: int
    separator: str

    def example(
        self, row: int, label: str, word: str | None, pixels: NDArray[np.uint8] | str | None, fault: str = ""
    ) -> Example:
        """Make an example of a row; the first is 0. Where a cell holds no pixels, `pixels` says what is wrong."""
        part = self.part
        if isinstance(pixels, str):
            pixels, fault = None, f"{self.cell}: {pixels}"
        if word is not None:
            part = self.words.get(word.strip(), "")
            if not part:
                fault = fault or f"{self.split} is '{word[:40]}', which split_words does not name"
                part, pixels = self.part, None
        image = None if pixels is None else self.shape.image(pixels)
        label = "" if part == UNLABELLED else label
        return Example(f"{self.name}:{row + self.first_line}", part, label, image, fault)


def open_table(archive: Archive, name: str, part: Part, layout: PixelCsvFormat) -> Table:
    """Read a table's header, and hold the page against it.

    Raises:
        PodiumError: its columns are others than the page says.
    """
    separator = layout.separator or ","
    columns = _read_columns(archive, name, separator, header=layout.header is None)
    label: str | None = str(layout.label_column)
    split = _place(layout.split_column)
    if part == UNLABELLED:
        label, split = (column if column in columns else None for column in (label, split))
    cell = _place(layout.pixels_column)
    for key, column in (("label_column", label), ("split_column", split), ("pixels_column", cell)):
        if column is not None and column not in columns:
            raise PodiumError(_lacks(name, columns, key, column))
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise PodiumError(f"{name} has two columns named '{twice[0]}'. Expected each pixel once.")
    others: set[str | None] = {*map(str, layout.other_columns or ())}
    taken = {label, split, cell, *others}
    if part == UNLABELLED and layout.header is False and cell is None:  # its places are not those of the other parts
        several = (taken, others, set[str | None]())
        taken = next((each for each in several if _shape(layout, len({*columns} - each))), taken)
        label = label if label in taken else None
    pixels = [] if cell is not None else in_order([column for column in columns if column not in taken])
    shape = _shape(layout, len(pixels))
    if shape is None:
        raise PodiumError(_no_image(layout, name, pixels))
    return Table(
        name=name,
        part=part,
        columns=columns,
        label=label,
        cell=cell,
        pixels=pixels,
        shape=shape,
        split=split,
        words=layout.split_words or {},
        first_line=2 if layout.header is None else 1,
        separator=separator,
    )


def in_order(columns: list[str]) -> list[str]:
    """Put columns in the order of their numbers, if these are 0, 1, 2, … or 1, 2, 3, …, each once."""
    found = [re.fullmatch(r"(\D*)0*(\d{1,9})", column) for column in columns]
    if None in found or len({match[1] for match in found if match}) != 1:
        return columns
    by_number = {int(match[2]): column for match, column in zip(found, columns, strict=True) if match}
    first = min(by_number)
    if first > 1 or len(by_number) < len(columns) or max(by_number) != first + len(columns) - 1:
        return columns
    return [by_number[number] for number in sorted(by_number)]


def split_names(line: bytes, separator: str) -> list[str]:
    """Give the cells of a table's first line."""
    text = line.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    return [column.strip().strip('"').strip() for column in text.split(separator)]


def _read_columns(archive: Archive, name: str, separator: str, *, header: bool) -> list[str]:
    with archive.open(name) as file:
        line = file.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES:
        raise PodiumError(f"The first line of {name} is longer than {MAX_LINE_BYTES:,} bytes; expected columns.")
    names = split_names(line, separator)
    return names if header else [str(place) for place in range(1, len(names) + 1)]


def _place(column: Column | None) -> str | None:
    return None if column is None else str(column)


def _lacks(name: str, columns: Sequence[str], key: str, column: str) -> str:
    numbers = all(re.fullmatch(r"[\d.]+", each) for each in columns)
    hint = " If its first line is an image already, write header: false." if numbers and len(columns) > 1 else ""
    what = "the label's column" if key == "label_column" else "the column"
    return (
        f"{name} has no column '{column}'; its first columns are {', '.join(columns[:5])}. "
        f"Name {what} in params.yaml, at format.{key}.{hint}"
    )


def _shape(layout: PixelCsvFormat, count: int) -> Shape | None:
    """Give the shape of images of so many pixels in columns; None if they make no image."""
    channels, planar = layout.channels or 1, layout.order == "planar"
    if layout.height is not None and layout.width is not None:
        shape = Shape(layout.height, layout.width, channels, planar)
        return shape if layout.pixels_column is not None or shape.count == count else None
    side = isqrt(count // channels)
    return Shape(side, side, channels, planar) if count and channels * side**2 == count else None


def _no_image(layout: PixelCsvFormat, name: str, pixels: Sequence[str]) -> str:
    channels = f" of {layout.channels} channels" if layout.channels else ""
    if layout.height is not None and layout.width is not None:
        expected = layout.height * layout.width * (layout.channels or 1)
        return (
            f"{name} has {len(pixels)} pixel columns; expected {expected}: {layout.height} × {layout.width} "
            f"pixels{channels}. Correct format in params.yaml."
        )
    numbers = {int(found[0]) for column in pixels if (found := re.findall(r"\d{1,9}$", column))}
    gap = next((each for each in range(min(numbers, default=0), max(numbers, default=0)) if each not in numbers), 0)
    hint = f" Number {gap} is missing." if gap else ""
    return f"{name} has {len(pixels)} pixel columns, which make no square image{channels}.{hint}"
