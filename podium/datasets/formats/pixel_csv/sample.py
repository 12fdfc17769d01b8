"""The first rows of a table, read within bounds: nobody knows yet what it is."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import get_args

from podium.config.datasets import Separator
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.pixel_csv.cells import read_rows
from podium.datasets.formats.pixel_csv.table import MAX_LINE_BYTES, split_names

MAX_ROWS = 60
MAX_BYTES = 1 << 22
"""4 MiB."""
MAX_SCANNED_BYTES = 1 << 26
"""64 MiB: so far is looked for a second value of a column."""
NUMBER = r"-?\d+(\.\d*)?([eE][-+]?\d+)?"
_NUMBER = re.compile(NUMBER)


@dataclass(frozen=True)
class Sample:
    """The beginning of a table.

    Attributes:
        table: its path in the archive.
        separator: between cells.
        header: whether its first line names columns.
        columns: their names; of a table without a header, their places from 1 on.
        rows: the cells of the first images.
        count: about how many rows there are.
    """

    table: str
    separator: Separator
    header: bool
    columns: list[str]
    rows: list[list[str]]
    count: int

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each column; the first is 0."""
        return {column: place for place, column in enumerate(self.columns)}

    def values(self, column: str) -> list[str]:
        """Give what stands in a column."""
        place = self.places[column]
        return [row[place].strip() for row in self.rows]


def take_sample(archive: Archive, table: str) -> Sample | None:
    """Read a table's first rows; None if there is no table, or none that could hold pixels."""
    lines, size, whole = _first_lines(archive, table)
    if not lines or len(lines[0]) > MAX_LINE_BYTES:
        return None
    counts = {separator: lines[0].count(separator.encode()) for separator in get_args(Separator)}
    separator: Separator = max(counts, key=lambda each: counts[each])
    try:
        text = [line.decode("utf-8-sig" if number == 0 else "utf-8", "replace") for number, line in enumerate(lines)]
        rows = [[*map(str.strip, cells)] for cells in read_rows(text, separator) if cells]
    except csv.Error:
        return None
    first, body = rows[0] if rows else [], rows[1:]
    if len(first) < 2 and not (len(first) == 1 and body and len(body[0]) == 1):
        return None
    header = has_header(first, body)
    if not header:
        body = rows
    body = [row for row in body if len(row) == len(first)]
    read = sum(map(len, lines))
    count = len(rows) if whole else round(len(lines) * size / max(read, 1))
    names = split_names(lines[0], separator) if header else [str(place) for place in range(1, len(first) + 1)]
    if len(names) != len(first) or len(set(names)) < len(names):
        return None
    return Sample(table, separator, header, names, body, count - header)


def has_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Tell a line of names from an image.

    Names may be numbers: 0, 1, 2, …, or what a program makes of a line of pixels that it took for names: 0, 0.1, 0.2.
    """
    cells = first[1:] if _NUMBER.fullmatch(first[-1]) else first[:-1]
    if not all(_NUMBER.fullmatch(cell) for cell in cells) or not cells:
        return len(first) > 1 or not re.fullmatch(r"[\d\s,.]*", first[0])
    if len(set(cells)) < len(cells):
        return False
    whole = [int(cell) for cell in cells if cell.isdecimal()]
    if len(whole) == len(cells):
        return len(cells) > 1 and all(after - one == 1 for one, after in pairwise(whole))
    return bool(body) and all(cell.isdecimal() for cell in body[0][1:])


def vary_more(archive: Archive, sample: Sample) -> str | None:
    """Tell which of the first and the last column is a label, beside pixels that hardly vary at an image's corners.

    Returns:
        The column with fewer images of its most frequent value; None if both have one value for all.
    """
    ends: tuple[Counter[bytes], Counter[bytes]] = (Counter(), Counter())
    mark, left = sample.separator.encode(), MAX_SCANNED_BYTES
    with archive.open(sample.table) as file:
        if sample.header:
            file.readline(MAX_LINE_BYTES)
        while left > 0 and (line := file.readline(MAX_LINE_BYTES)):
            left -= len(line)
            if len(line) > 2:
                ends[0][line.partition(mark)[0]] += 1
                ends[1][line.rstrip().rpartition(mark)[2]] += 1
    most = [max(values.values(), default=0) for values in ends]
    if most[0] == most[1]:
        return None
    return sample.columns[0] if most[0] < most[1] else sample.columns[-1]


def _first_lines(archive: Archive, table: str) -> tuple[list[bytes], int, bool]:
    """Give the first whole lines, the table's size in bytes, and whether these are all."""
    lines: list[bytes] = []
    left = MAX_BYTES
    try:
        with archive.open(table) as file:
            while len(lines) <= MAX_ROWS and left > 0 and (line := file.readline(min(left, MAX_LINE_BYTES + 1))):
                left -= len(line)
                lines.append(line)
            whole = not file.read(1)
    except DamagedFile:
        return [], 0, False
    if lines and not whole and not lines[-1].endswith(b"\n"):
        lines.pop()
    return lines, archive.size(table), whole
