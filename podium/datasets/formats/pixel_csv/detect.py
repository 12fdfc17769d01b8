"""CSV tables with one image a row: a label column, and a square of pixel columns."""

import codecs
import re
from collections import defaultdict
from math import isqrt

from podium.config.datasets import PixelCsvFormat
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading
from podium.datasets.formats.survey.words import assign_tables

MIN_PIXELS = 16
"""Pixels of the smallest square."""
MAX_HEADER_BYTES = 1 << 22
"""Bytes of a header: 4 MiB."""


def find(contents: Contents) -> list[Reading]:
    """Find tables of pixels. Where several kinds of image are there, the kind whose tables are the largest."""
    kinds: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    for table in contents.tables():
        if kind := _kind(contents.archive, table):
            kinds[kind].append((table, contents.archive.size(table)))
    if not kinds:
        return []
    label, pixels = max(kinds, key=lambda kind: sum(size for _, size in kinds[kind]))
    notes = [
        f"The table '{table}' has images of another size and is left aside."
        for kind, tables in kinds.items()
        for table, _ in tables
        if kind != (label, pixels)
    ]
    parts = assign_tables(kinds[label, pixels], notes)
    if contents.tree.count:
        notes.append(f"Its {contents.tree.count:,} image files are left aside: the tables have the images.")
    files = {part: table for part, table in parts.items() if part != "unlabelled"}  # none is, but types do not say so
    if not files:
        return []
    layout = PixelCsvFormat(kind="pixel_csv", files=files, label_column=label)
    strength = NAMES_SAY_SO if contents.tree.count else WRITTEN_DOWN
    return [Reading(format=layout, what="tables of pixels", images=0, strength=strength, notes=notes)]


def _kind(archive: Archive, table: str) -> tuple[str, int] | None:
    """Give the name of the label column and the number of pixel columns, whose names end in a number."""
    try:
        with archive.open(table) as file:
            header = file.readline(MAX_HEADER_BYTES).removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    except DamagedFile:
        return None
    columns = [column.strip().strip('"') for column in header.split(",")]
    labels = [column for column in columns if not re.search(r"\d$", column)]
    pixels = len(columns) - 1
    if len(labels) != 1 or pixels < MIN_PIXELS or isqrt(pixels) ** 2 != pixels:
        return None
    return labels[0], pixels
