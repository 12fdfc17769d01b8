"""One table, as far as its first rows tell: whether it holds images, and how."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from podium.config.datasets import Part, Separator
from podium.datasets.archive import Archive
from podium.datasets.formats.pixel_csv.cells import numbers, parse_cells, pixel
from podium.datasets.formats.pixel_csv.columns import MAX_OTHERS, Roles, assign_roles, doubt_label, pick_end
from podium.datasets.formats.pixel_csv.geometry import MIN_PIXELS, pixel_columns, square, tell_order
from podium.datasets.formats.pixel_csv.sample import NUMBER, Sample, take_sample, vary_more
from podium.datasets.formats.pixel_csv.table import Shape

MIN_COLUMNS_BY_NUMBER = 64
"""So many numbered columns of whole numbers are pixels, even if they make no square."""


@dataclass(frozen=True)
class Found:
    """A table of pixels.

    Attributes:
        table: its path in the archive.
        count: about how many rows it has.
        header: whether its first line names columns.
        separator: between cells.
        shape: of its images.
        cell: the column with all pixels; None if each has a column.
        labels: the columns that may be the label, several if it is not clear; none if it has no labels.
        split: the column that says the part.
        words: what its words stand for.
        others: the columns that are left aside.
        doubts: what is not clear, each a sentence.
        fault: why it cannot be read; empty if it can.
        order_is_clear: whether the pixels say how three channels are ordered.
    """

    table: str
    count: int
    header: bool
    separator: Separator
    shape: Shape
    cell: str | None
    labels: list[str]
    split: str | None
    words: dict[str, Part]
    others: list[str]
    doubts: list[str]
    fault: str = ""
    order_is_clear: bool = True


def look(archive: Archive, table: str) -> Found | None:
    """Look at a table; None if it is none of pixels."""
    sample = take_sample(archive, table)
    if sample is None:
        return None
    few = sample.columns if len(sample.columns) <= MAX_OTHERS else []
    if cells := [column for column in few if _holds_pixels(sample.values(column))]:
        return _by_cell(archive, sample, cells)
    pixels, shape, label, doubts = _find_pixels(archive, sample)
    known = set(pixels)
    beside = [column for column in sample.columns if column not in known]
    if len(pixels) < MIN_PIXELS or len(beside) > MAX_OTHERS:
        return None
    roles = assign_roles(archive, sample, beside) if label is None else Roles.of_label(label, beside)
    found = _describe(sample, roles, None, shape or square(len(pixels)), doubts)
    fault = _bad_pixels(sample, pixels)
    if shape is None and square(len(pixels)) is None:
        values = {value for row in sample.rows[:5] for value in row}
        if fault or len(pixels) < MIN_COLUMNS_BY_NUMBER or not all(value.isdecimal() for value in values):
            return None
        fault = (
            f"It has {len(pixels)} columns of pixels, which make no square image. If no column is missing, write "
            "params.yaml by hand, with the height and the width"
        )
    if fault or found.fault:
        return replace(found, fault=found.fault or fault)
    if shape is None and found.shape.channels == 3:
        return _with_order(found, _pixels_of(sample, pixels))
    return found


def _describe(sample: Sample, roles: Roles, cell: str | None, shape: Shape | None, doubts: list[str]) -> Found:
    return Found(
        table=sample.table,
        count=sample.count,
        header=sample.header,
        separator=sample.separator,
        shape=shape or Shape(0, 0),
        cell=cell,
        labels=roles.labels,
        split=roles.split,
        words=roles.words,
        others=roles.others,
        doubts=[*doubts, *doubt_label(sample, roles.labels)],
        fault=roles.fault,
    )


def _by_cell(archive: Archive, sample: Sample, cells: list[str]) -> Found:
    """Describe a table with all pixels of an image in a cell."""
    beside = [column for column in sample.columns if column not in cells]
    (count, _), *others = Counter(len(numbers(value)) for value in sample.values(cells[0])).most_common()
    shape = square(count)
    found = _describe(sample, assign_roles(archive, sample, beside), cells[0], shape, [])
    if len(cells) > 1:
        names = ", ".join(f"'{cell}'" for cell in cells)
        return replace(found, fault=f"Several of its columns hold images: {names}. Expected one image a row")
    if shape is None or (others and others[0][1] > 0.1 * len(sample.rows)):
        sizes = "of several sizes" if others else f"of {count:,} pixels, which make no square"
        return replace(found, fault=f"Its column '{cells[0]}' holds images {sizes}")
    parsed = parse_cells(sample.values(cells[0]), count)
    good = [one for one in parsed if not isinstance(one, str)]
    if len(good) < 0.1 * len(parsed):
        fault = next(
            f"Its column '{cells[0]}', line {n}: {one}" for n, one in enumerate(parsed, 2) if isinstance(one, str)
        )
        return replace(found, fault=fault)
    return _with_order(found, np.stack(good)) if shape.channels == 3 else found


def _holds_pixels(values: Sequence[str]) -> bool:
    """Say whether nearly all cells are a row of numbers."""
    many = rf"\[?\s*{NUMBER}(?:[\s,]+{NUMBER}){{{MIN_PIXELS - 1},}}\s*\]?"
    return bool(values) and sum(bool(re.fullmatch(many, value)) for value in values) > 0.9 * len(values)


def _find_pixels(archive: Archive, sample: Sample) -> tuple[list[str], Shape | None, str | None, list[str]]:
    """Give the columns of pixels, the shape if names say it, the label if places say it, and what is not clear."""
    if sample.header:
        pixels, shape = pixel_columns(sample.columns)
        named = not all(re.fullmatch(NUMBER, column) for column in sample.columns)
        if named or (len(pixels) == len(sample.columns) and square(len(pixels))):
            return pixels, shape, None, []
    columns = sample.columns
    if not all(re.fullmatch(NUMBER, value) for row in sample.rows for value in row[1:-1]):
        return [], None, None, []
    numbered = sample.values(columns[0])
    if square(len(columns)):
        return [*columns], None, None, []
    if square(len(columns) - 1) is None and [*map(_next, numbered)][:-1] == numbered[1:]:
        columns = columns[1:]
    if square(len(columns) - 1) is None:
        return [], None, None, []
    narrow = replace(sample, columns=[*columns], rows=[row[len(row) - len(columns) :] for row in sample.rows])
    label = pick_end(narrow) or (vary_more(archive, sample) if columns is sample.columns else None)
    doubts = [] if label else [f"Nothing says which column is the label; '{columns[0]}' is taken for it."]
    label = label or columns[0]
    return [column for column in columns if column != label], None, label, doubts


def _next(value: str) -> str:
    return str(int(value) + 1) if value.isdecimal() and len(value) < 10 else ""


def _bad_pixels(sample: Sample, pixels: Sequence[str]) -> str:
    """Say what is wrong if nearly all rows have pixels that are none."""
    places = [sample.places[column] for column in pixels]
    bad = []
    for number, row in enumerate(sample.rows):
        first = next(((name, row[at]) for name, at in zip(pixels, places, strict=True) if pixel(row[at]) is None), None)
        if first:
            bad.append((number + 1 + sample.header, *first))
    if not sample.rows or len(bad) <= 0.9 * len(sample.rows):
        return ""
    line, column, value = bad[0]
    fractions = all(re.fullmatch(NUMBER, value) and not value.lstrip("-").isdecimal() for *_, value in bad)
    hint = "The pixels are fractions; multiply them so that white is 255, and write the table anew with whole numbers"
    more = "; so are all rows that were looked at" if len(bad) == len(sample.rows) else ""
    return f"Its column '{column}' is '{value[:40]}' in line {line}; expected a whole number of 0-255{more}. " + (
        hint if fractions else "Write the table anew, with pixels of 0-255"
    )


def _pixels_of(sample: Sample, pixels: Sequence[str]) -> NDArray[np.uint8]:
    places = [sample.places[column] for column in pixels]
    rows = [[pixel(row[place]) for place in places] for row in sample.rows]
    return np.array([row for row in rows if None not in row], dtype=np.uint8)


def _with_order(found: Found, pixels: NDArray[np.uint8]) -> Found:
    shape, clear = tell_order(found.shape, pixels)
    return replace(found, shape=shape, order_is_clear=clear)
