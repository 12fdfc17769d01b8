"""CSV tables with one image a row: a label, and the pixels, each in a column or all in one cell."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from podium.config.datasets import Column, Part, PixelCsvFormat
from podium.datasets.formats.pixel_csv.families import Family, make_families
from podium.datasets.formats.pixel_csv.look import Found, look
from podium.datasets.formats.pixel_csv.table import Shape
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading

MANY_IMAGES = 0.1
"""Image files, as a share of a table's rows, that make one ask which of the two the dataset is."""
MAX_LABELS = 4
"""Columns that may be the label, of which each is shown as a reading."""
MAX_RIVALS = 3
"""Tables that would do as well, of which each has a line."""
_SAME_ELSEWHERE = re.compile(r"idx\d[-.]u?byte(\.gz)?$", re.IGNORECASE)

Kind = tuple[object, ...]


def find(contents: Contents) -> list[Reading]:
    """Find tables of pixels: a reading for each dataset that they make, the one with the most images first."""
    found = [one for table in contents.tables() if (one := look(contents.archive, table))]
    refused = [one for one in found if one.fault]
    found = _agree([one for one in found if not one.fault])
    kinds: dict[Kind, list[Found]] = defaultdict(list)
    for one in found:
        if one.labels:
            kinds[(*_kind(one), tuple(one.labels), one.split)].append(one)
    families = [
        family
        for tables in kinds.values()
        for family in make_families(tables, [one for one in found if not one.labels and _kind(one) == _kind(tables[0])])
    ]
    families.sort(key=lambda family: (not family.is_named, -family.pixels))
    readings: list[Reading] = []
    for place, family in enumerate(families):
        readings += _read_family(contents, family, found, families[0] if place else None)
    used = {_kind(one) for one in found if one.labels}
    refused += [one for one in found if not one.labels and _kind(one) not in used]
    return readings + [_refusal(contents, one) for one in refused]


def _agree(found: list[Found]) -> list[Found]:
    """Where a table's first images do not say how its channels are ordered, go by another table's."""
    clear = {(one.shape.height, one.shape.width, one.shape.channels): one.shape for one in found if one.order_is_clear}
    agreed = []
    for one in found:
        shape = clear.get((one.shape.height, one.shape.width, one.shape.channels), one.shape)
        if not one.order_is_clear and shape is one.shape:
            order = _order(shape)
            one.doubts.append(
                f"Whether the three channels are interleaved or planar does not show; {order} is a guess."
            )
        agreed.append(one if one.order_is_clear else replace(one, shape=shape))
    return agreed


def _order(shape: Shape) -> Literal["interleaved", "planar"] | None:
    return None if shape.channels == 1 else "planar" if shape.planar else "interleaved"


def _kind(found: Found) -> Kind:
    return (found.header, found.separator, found.shape, found.cell)


def _read_family(contents: Contents, family: Family, found: list[Found], largest: Family | None) -> Iterator[Reading]:
    """Give the readings of a dataset's tables: one for each column that may be the label.

    Args:
        contents: the archive's.
        family: the dataset.
        found: all tables of pixels.
        largest: the dataset that comes before this one.
    """
    first = family.first
    photographs = contents.tree.count
    many = photographs >= MANY_IMAGES * family.count
    notes, doubts, aside = [*family.notes], [*first.doubts], {}
    for one in found:
        if one in family.parts.values():
            continue
        rival = one.labels and one.shape == first.shape and (family.rivals or one not in family.left)
        if rival:
            doubts.append(f"The table '{one.table}' would do as well as '{first.table}'.")
            aside[one.table] = "another table of images of the same size"
        else:
            other = "has images of another size and " if one.shape != first.shape else ""
            notes.append(f"The table '{one.table}' {other}is left aside.")
            aside[one.table] = f"a table {'of images of another size' if other else 'that no part is named for'}"
    del doubts[len(first.doubts) + MAX_RIVALS :]
    if largest:
        doubts.append(f"The table '{largest.first.table}' has a dataset, too, which rather is the one that is meant.")
    if many and photographs:
        doubts.append(f"The archive also has {photographs:,} image files, which may be the same images, and larger.")
    elif photographs:
        notes.append(f"Its {photographs:,} image files are left aside: the tables have the images.")
    copies = [name for name in contents.files if _SAME_ELSEWHERE.search(name)]
    if copies:
        notes.append(
            f"{len(copies)} files such as '{copies[0]}' are left aside: by their names, they hold the same images."
        )
    aside |= dict.fromkeys(copies, "an idx file, which by its name holds the same images as the tables")
    for label in first.labels[:MAX_LABELS]:
        others = [name for name in first.labels if name != label]
        names = ", ".join(f"'{name}'" for name in others[:5])
        unclear = [f"The label is the column '{label}'; it could also be {names}."] if others else []
        layout = _layout(family, label, others)
        columns = ", ".join(f"'{each}'" for each in layout.other_columns or [])
        left = [f"These columns are left aside: {columns}."] if columns else []
        yield Reading(
            format=layout,
            what=_what(first, label),
            images=family.count,
            strength=NAMES_SAY_SO if many and photographs else WRITTEN_DOWN,
            aside=aside,
            notes=notes + left,
            doubts=doubts + unclear,
        )


def _layout(family: Family, label: str, not_labels: list[str]) -> PixelCsvFormat:
    first = family.first
    shape, header = first.shape, first.header
    beside = dict.fromkeys(name for one in family.parts.values() for name in one.others)
    splits = [one.split for one in family.parts.values() if one.split]
    others = [name for name in dict.fromkeys((*beside, *splits, *not_labels)) if name not in (label, first.split)]
    files: dict[Part, str] = {part: one.table for part, one in family.parts.items()}
    sized = first.cell is not None or shape.height != shape.width
    return PixelCsvFormat(
        kind="pixel_csv",
        files=files,
        label_column=_column(label, header=header),
        header=None if header else False,
        separator=None if first.separator == "," else first.separator,
        other_columns=[_column(name, header=header) for name in others] or None,
        pixels_column=None if first.cell is None else _column(first.cell, header=header),
        height=shape.height if sized else None,
        width=shape.width if sized else None,
        channels=3 if shape.channels == 3 else None,
        order=_order(shape),
        split_column=None if first.split is None else _column(first.split, header=header),
        split_words=first.words or None,
    )


def _column(name: str, *, header: bool) -> Column:
    return name if header else int(name)


def _what(found: Found, label: str) -> str:
    shape = found.shape
    size = f"{shape.height} × {shape.width}{f' × {shape.channels}' if shape.channels > 1 else ''}"
    named = f"the column '{label}'" if found.header else f"column {label}, for there is no header"
    where = "in columns" if found.cell is None else f"in the column '{found.cell}'"
    return f"each row of '{found.table}' is an image of {size} pixels {where}; its label is {named}"


def _refusal(contents: Contents, found: Found) -> Reading:
    """Say why a table that holds images cannot be read."""
    fault = found.fault or (
        "It has no column with a label, and no table of the same kind has one. Expected a column `label` beside the "
        "pixels"
    )
    return Reading(
        format=None,
        what=f"each row of '{found.table}' is an image",
        images=found.count,
        strength=NAMES_SAY_SO if contents.tree.count else WRITTEN_DOWN,
        doubts=[f"'{found.table}' holds images, and cannot be read. {fault}."],
    )
