"""CSV tables with one image a row: a label, then the pixels of a square gray image, row by row.

    label,pixel1,pixel2,…,pixel784
    3,107,118,…,202

This is how Kaggle delivers Sign Language MNIST, Fashion MNIST, the Digit Recognizer and others.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from podium.config.datasets import PixelCsvFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.errors import PodiumError

BLOCK_BYTES = 1 << 22
"""How much of a table is in memory at a time, as text: 4 MiB."""


def read(raw: Path, layout: PixelCsvFormat) -> Iterator[Example]:
    """Read the tables one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, name in layout.files.items():
            yield from _read_table(archive, _Table(name, part, *_read_header(archive, name, layout.label_column)))


def _read_table(archive: Archive, table: "_Table") -> Iterator[Example]:
    rows = 0
    try:
        with archive.open(table.name) as file:
            for labels, pixels in _read_blocks(file, table):
                for label, row in zip(labels, pixels, strict=True):
                    yield table.example(rows, label, row)
                    rows += 1
    except pa.ArrowInvalid:
        # Some row is not made of whole numbers of 0-255. Read on slowly, and say which.
        with archive.open(table.name) as file:
            for example in _read_carefully(file, table, rows):
                yield example
                rows += 1
    if not rows:
        raise PodiumError(f"{table.name} has a header and no rows. Expected one row an image.")


@dataclass(frozen=True)
class _Table:
    name: str
    part: str
    columns: list[str]
    label: str

    @property
    def side(self) -> int:
        return isqrt(len(self.columns) - 1)

    def example(self, row: int, label: str, pixels: NDArray[np.uint8] | None, fault: str = "") -> Example:
        image = None if pixels is None else pixels.reshape(self.side, self.side, 1)
        return Example(f"{self.name}:{row + 2}", self.part, label, image, fault)  # line 1 is the header


def _read_header(archive: Archive, name: str, label: str) -> tuple[list[str], str]:
    with archive.open(name) as file:
        line = file.readline().removeprefix(codecs.BOM_UTF8)
    columns = [column.strip().strip('"') for column in line.decode("utf-8", "replace").split(",")]
    if label not in columns:
        raise PodiumError(
            f"{name} has no column '{label}'; its first columns are {', '.join(columns[:5])}. "
            "Name the label's column in params.yaml, at format.label_column."
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise PodiumError(f"{name} has two columns named '{twice[0]}'. Expected each pixel once.")
    count = len(columns) - 1
    if count == 0 or isqrt(count) ** 2 != count:
        numbers = {int(found[0]) for column in columns if (found := re.findall(r"\d+$", column))}
        missing = sorted(set(range(min(numbers, default=0), max(numbers, default=-1) + 1)) - numbers)
        hint = f" Number {missing[0]} is missing." if missing else ""
        raise PodiumError(f"{name} has {count} pixel columns, which make no square image.{hint}")
    return columns, label


def _read_blocks(file: IO[bytes], table: _Table) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Give labels and pixels (n, pixels) of a few thousand rows at a time."""
    types = {column: pa.uint8() for column in table.columns} | {table.label: pa.string()}
    with pa_csv.open_csv(  # closed by whoever reads no further, too: its thread would outlive us
        file,
        read_options=pa_csv.ReadOptions(block_size=BLOCK_BYTES, column_names=table.columns, skip_rows=1),
        convert_options=pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
    ) as batches:
        for batch in batches:
            if any(column.null_count for column in batch.columns):
                raise pa.ArrowInvalid("an empty cell")
            labels = batch.column(table.label).to_pylist()
            pixels = [batch.column(column).to_numpy() for column in table.columns if column != table.label]
            yield labels, np.stack(pixels, axis=1)


def _read_carefully(file: IO[bytes], table: _Table, start: int) -> Iterator[Example]:
    """Give the rows from `start` on, one by one, each bad one with its fault."""
    lines = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=""))
    place = table.columns.index(table.label)
    row = -1  # that is the header
    try:
        for cells in lines:
            if cells:
                if row >= start:
                    yield _read_row(cells, table, row, place)
                row += 1
    except csv.Error as error:
        yield table.example(row, "", None, f"{error}: is there a quote that is never closed?")


def _read_row(cells: list[str], table: _Table, row: int, place: int) -> Example:
    if len(cells) != len(table.columns):
        return table.example(row, "", None, f"{len(cells)} cells where {len(table.columns)} were expected")
    label = cells.pop(place)
    pixels = [_pixel(cell) for cell in cells]
    if None not in pixels:
        return table.example(row, label, np.array(pixels, dtype=np.uint8))
    bad = pixels.index(None)
    column = [name for name in table.columns if name != table.label][bad]
    return table.example(row, label, None, f"{column} is '{cells[bad][:40]}', expected a whole number of 0-255")


def _pixel(cell: str) -> int | None:
    """Read a pixel as the fast way does: blanks around it and hexadecimal digits are fine."""
    text = cell.strip(" \t")
    if not text.isascii() or len(text) > 20:
        return None
    try:
        value = int(text, 16) if text[:2] in ("0x", "0X") else int(text) if text.isdecimal() else -1
    except ValueError:
        return None
    return value if 0 <= value <= 255 else None
