"""Cells to pixels: one number, or all pixels of an image in one cell, with blanks between."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

EXPECTED = "expected a whole number of 0-255"
MAX_CELL_LETTERS = 1 << 22
"""A cell with all pixels of a photograph of a megapixel."""


def read_rows(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Read a table's cells; raises csv.Error where a quote is never closed, or a cell is too large."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_LETTERS))
    yield from csv.reader(lines, delimiter=separator)


def pixel(cell: str) -> int | None:
    """Read a pixel as pyarrow does: blanks around it and hexadecimal digits are fine. None if it is none."""
    text = cell.strip(" \t")
    if not text.isascii() or len(text) > 20:
        return None
    try:
        value = int(text, 16) if text[:2] in ("0x", "0X") else int(text) if text.isdecimal() else -1
    except ValueError:
        return None
    return value if 0 <= value <= 255 else None


def numbers(text: str) -> list[str]:
    """Give the numbers of a cell: blanks, commas or both stand between them."""
    return re.split(r"[\s,]+", text.strip(" \t,"))


def parse_cells(texts: Sequence[str], count: int) -> list[NDArray[np.uint8] | str]:
    """Read cells that hold all pixels of an image.

    Args:
        texts: the cells.
        count: how many pixels each has.

    Returns:
        The pixels of each, or what is wrong with it.
    """
    try:
        return [*_parse_at_once(texts, count)]
    except pa.ArrowInvalid:
        return [_parse(text, count) for text in texts]


def _parse_at_once(texts: Sequence[str], count: int) -> NDArray[np.uint8]:
    """Read cells as one column of numbers; raises ArrowInvalid if one is not like the others."""
    texts = [text.strip() for text in texts]
    if any(text.count(" ") != count - 1 or "\n" in text for text in texts):
        raise pa.ArrowInvalid("a cell with another number of pixels")
    if not texts:
        return np.empty((0, count), dtype=np.uint8)
    data = "\n".join(texts).replace(" ", "\n").encode()
    table = pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(column_names=["pixel"], block_size=len(data) + 1, use_threads=False),
        parse_options=pa_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(column_types={"pixel": pa.uint8()}, null_values=[]),
    )
    if table.num_rows != len(texts) * count:
        raise pa.ArrowInvalid("a cell of several lines")
    pixels: NDArray[np.uint8] = table.column(0).to_numpy().reshape(len(texts), count)
    return pixels


def _parse(text: str, count: int) -> NDArray[np.uint8] | str:
    cells = numbers(text)
    if len(cells) != count:
        return f"{len(cells):,} pixels where {count:,} were expected"
    values = [pixel(cell) for cell in cells]
    if None in values:
        return f"a pixel is '{cells[values.index(None)][:40]}', {EXPECTED}"
    return np.array(values, dtype=np.uint8)
