"""CSV tables with one image a row: a label, then the pixels, row by row.

    label,pixel1,pixel2,…,pixel784                 emotion,pixels,Usage
    3,107,118,…,202                                0,70 80 82 … 106,Training

This is how Kaggle delivers Sign Language MNIST, Fashion MNIST, the Digit Recognizer and others; on the right is the
Facial Expression Recognition Challenge.
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from podium.config.datasets import PixelCsvFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.pixel_csv.cells import EXPECTED, parse_cells, pixel, read_rows
from podium.datasets.formats.pixel_csv.table import Table, open_table
from podium.errors import PodiumError

BLOCK_BYTES = 1 << 22
"""How much of a table is in memory at a time, as text: 4 MiB."""
JUDGED_ROWS = 100
"""A table of which nearly all of the first rows are bad is bad as a whole."""
MIN_JUDGED_ROWS = 20
MAX_BAD_SHARE = 0.9

Block = tuple[list[str], list[str | None], NDArray[np.uint8] | list[NDArray[np.uint8] | str]]
"""Labels, words of the split column, and pixels (n, pixels) of a few thousand rows."""


def read(raw: Path, layout: PixelCsvFormat) -> Iterator[Example]:
    """Read the tables one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, name in layout.files.items():
            table = open_table(archive, name, part, layout)
            yield from _judge(_read_table(archive, table), table)


def _read_table(archive: Archive, table: Table) -> Iterator[Example]:
    rows = 0
    try:
        with archive.open(table.name) as file:
            for labels, words, pixels in _read_blocks(file, table):
                for label, word, row in zip(labels, words, pixels, strict=True):
                    yield table.example(rows, label, word, row)
                    rows += 1
    except pa.ArrowInvalid:
        # Some row is not made of whole numbers of 0-255. Read on slowly, and say which.
        with archive.open(table.name) as file:
            for example in _read_carefully(file, table, rows):
                yield example
                rows += 1
    if not rows:
        what = "a header and no rows" if table.first_line > 1 else "no rows"
        raise PodiumError(f"{table.name} has {what}. Expected one row an image.")


def _read_blocks(file: IO[bytes], table: Table) -> Iterator[Block]:
    strings = [column for column in (table.label, table.split, table.cell) if column is not None]
    wanted = [*strings, *table.pixels]
    types = dict.fromkeys(table.pixels, pa.uint8()) | dict.fromkeys(strings, pa.string())
    with pa_csv.open_csv(  # closed by whoever reads no further, too: its thread would outlive us
        file,
        read_options=pa_csv.ReadOptions(
            block_size=BLOCK_BYTES, column_names=table.columns, skip_rows=table.first_line - 1
        ),
        parse_options=pa_csv.ParseOptions(delimiter=table.separator),
        convert_options=pa_csv.ConvertOptions(column_types=types, include_columns=wanted, strings_can_be_null=False),
    ) as batches:
        for batch in batches:
            if any(column.null_count for column in batch.columns):
                raise pa.ArrowInvalid("an empty cell")
            labels = batch.column(table.label).to_pylist() if table.label else [""] * batch.num_rows
            words = batch.column(table.split).to_pylist() if table.split else [None] * batch.num_rows
            if table.cell is not None:
                texts = batch.column(table.cell).to_pylist()
                yield [label.strip() for label in labels], words, parse_cells(texts, table.shape.count)
            else:
                yield labels, words, np.stack([batch.column(column).to_numpy() for column in table.pixels], axis=1)


def _read_carefully(file: IO[bytes], table: Table, start: int) -> Iterator[Example]:
    """Give the rows from `start` on, one by one, each bad one with its fault."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    places = {column: place for place, column in enumerate(table.columns)}
    row = 1 - table.first_line  # that is the header
    try:
        for cells in read_rows(text, table.separator):
            if cells:
                if row >= start:
                    yield _read_row(cells, table, row, places)
                row += 1
    except csv.Error as error:
        yield table.example(row, "", None, None, f"{error}: is there a quote that is never closed?")


def _read_row(cells: list[str], table: Table, row: int, places: dict[str, int]) -> Example:
    if len(cells) != len(table.columns):
        return table.example(row, "", None, None, f"{len(cells)} cells where {len(table.columns)} were expected")
    label = cells[places[table.label]] if table.label else ""
    word = cells[places[table.split]] if table.split else None
    if table.cell is not None:
        (found,) = parse_cells([cells[places[table.cell]]], table.shape.count)
        return table.example(row, label.strip(), word, found)
    chosen = [cells[places[column]] for column in table.pixels]
    pixels = [pixel(cell) for cell in chosen]
    if None not in pixels:
        return table.example(row, label, word, np.array(pixels, dtype=np.uint8))
    bad = pixels.index(None)
    return table.example(row, label, word, None, f"{table.pixels[bad]} is '{chosen[bad][:40]}', {EXPECTED}")


def _judge(examples: Iterator[Example], table: Table) -> Iterator[Example]:
    """Give the examples of a table, unless nearly all of the first are bad.

    Raises:
        PodiumError: they are; one message stands for all.
    """
    first = [*islice(examples, JUDGED_ROWS)]
    bad = [example for example in first if example.fault]
    if len(first) >= MIN_JUDGED_ROWS and len(bad) > MAX_BAD_SHARE * len(first):
        fractions = all("." in example.fault for example in bad)
        hint = (
            "Its pixels seem to be fractions: multiply them so that white is 255, and save them as whole numbers."
            if fractions
            else "If its columns or pixels are others, correct format in params.yaml, or write the table anew."
        )
        raise PodiumError(
            f"{table.name} has no images that can be read: {bad[0].id} says that {bad[0].fault}, and "
            f"{len(bad)} of the first {len(first)} rows are alike. {hint}"
        )
    yield from first
    yield from examples
