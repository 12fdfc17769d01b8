"""Parquet files with the bytes of images, told by their columns and the first rows of one file a part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq

from podium.config.datasets import ImageParquetFormat, Part
from podium.datasets.archive import Archive
from podium.datasets.formats.image_parquet.read import is_label, name_label
from podium.datasets.formats.image_parquet.shards import Shards, group_shards, missing_shards, shorten
from podium.datasets.formats.image_parquet.table import (
    class_names,
    first_values,
    holds_bytes,
    open_parquet,
    read_batches,
)
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading
from podium.errors import PodiumError

SAMPLE_ROWS = 64
MAX_COLUMNS = 200
MAX_LABELS = 4
MANY_IMAGES = 0.1
"""Image files, as a share of a table's rows, that make one ask which of the two the dataset is."""
LABEL_WORDS = {"label", "labels", "class", "classes", "category", "target", "species", "breed", "y"}
ID_WORDS = {"id", "ids", "idx", "index", "name", "file", "filename", "path", "width", "height", "url", "size"}
_MAGIC = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|BM|RIFF....WEBP|II[*+]\0|MM\0[*+]|P[2356]\s", re.DOTALL)


@dataclass(frozen=True)
class _Look:
    """What one file's columns are."""

    rows: int
    images: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Those that may be the label."""
    others: list[str] = field(default_factory=list)
    fault: str = ""
    """Why the file cannot be used, though it holds images."""


def find(contents: Contents) -> list[Reading]:
    """Find Parquet files that hold images: a reading for each dataset that they make."""
    names = [name for name in contents.files if name.lower().endswith((".parquet", ".pq"))]
    readings: list[Reading] = []
    for shards in group_shards(names):
        looks: dict[Part, _Look] = {}
        for part, files in shards.items():
            try:
                look = _look(contents.archive, min(files, key=contents.archive.size))
            except PodiumError as error:
                look = _Look(0, fault=str(error))
            looks[part] = replace(look, rows=_estimate(contents.archive, files, look.rows))
        if any(look.images or look.fault for look in looks.values()):
            readings += _read_dataset(contents, shards, looks, names)
    readings.sort(key=lambda reading: -reading.images)
    usable = [reading for reading in readings if reading.format]
    if len({str(reading.format.files) for reading in usable if isinstance(reading.format, ImageParquetFormat)}) > 1:
        for reading in usable:
            reading.doubts.append("The archive has several datasets in Parquet files.")
    return readings


def _read_dataset(contents: Contents, shards: Shards, looks: dict[Part, _Look], names: Sequence[str]) -> list[Reading]:
    labelled = {part: look for part, look in looks.items() if look.labels and not look.fault}
    faults = [look.fault for look in looks.values() if look.fault]
    count = sum(look.rows for look in looks.values())
    strength = NAMES_SAY_SO if contents.tree.count >= MANY_IMAGES * max(count, 1) else WRITTEN_DOWN
    first = next(iter(shards.values()))[0]
    pairs = _common_pairs(looks)
    if faults or not pairs:
        fault = faults[0] if faults else "None of its columns is a label: expected one of whole numbers or text"
        if labelled and not faults:
            fault = "The files of its parts have other columns; expected the same columns of images and labels in each"
        what = f"images in Parquet files, such as '{first}'"
        doubt = fault if first in fault else f"'{first}' has images that podium cannot read. {fault.rstrip('.')}."
        return [Reading(format=None, what=what, images=count, strength=strength, doubts=[doubt])]
    notes, doubts = [], [missing for files in shards.values() if (missing := missing_shards(files))]
    parts: dict[Part, Part] = {part: part if part in labelled else "unlabelled" for part in shards}
    if "train" not in labelled:
        largest = max(labelled, key=lambda part: labelled[part].rows)
        notes.append(f"The archive has no train; its {largest} is train.")
        parts[largest] = "train"
    files: Shards = {}
    for part in get_args(Part):
        if found := [name for old, new in parts.items() if new == part for name in shards[old]]:
            files[part] = found
    if photographs := contents.tree.count:
        note = f"The archive also has {photographs:,} image files."
        (doubts if strength == NAMES_SAY_SO else notes).append(note)
    main = next(iter(labelled.values()))
    if others := [column for column in main.others if column not in main.images]:
        notes.append(f"These columns are left aside: {', '.join(map(repr, others[:12]))}.")
    images, labels = ([*dict.fromkeys(column)] for column in zip(*pairs, strict=True))
    return [
        Reading(
            format=ImageParquetFormat(
                kind="image_parquet",
                files={part: shorten(found, names) for part, found in files.items()},
                image_column=image,
                label_column=label,
            ),
            what=f"the column '{image}' of '{files['train'][0]}' holds images, and '{label}' their labels",
            images=count,
            strength=strength,
            notes=[*notes],
            doubts=[*doubts, *_unclear(image, label, images, labels)],
        )
        for image, label in pairs[:MAX_LABELS]
    ]


def _common_pairs(looks: Mapping[Part, _Look]) -> list[tuple[str, str]]:
    """Give the columns of images and labels that all parts have, those without labels aside."""
    images, *more = [look.images for look in looks.values()]
    labels = [look.labels for look in looks.values() if look.labels] or [[]]
    return [
        (image, label)
        for image in images
        for label in labels[0]
        if all(image in each for each in more) and all(label in each for each in labels)
    ]


def _unclear(image: str, label: str, images: Sequence[str], labels: Sequence[str]) -> list[str]:
    doubts = []
    for what, chosen, all_ in (("images are", image, images), ("label is", label, labels)):
        if others := ", ".join(f"'{name}'" for name in all_ if name != chosen):
            doubts.append(f"The {what} the column '{chosen}'; it could also be {others}.")
    return doubts


def _look(archive: Archive, name: str) -> _Look:
    """Look at a file's columns and first rows."""
    with open_parquet(archive, name) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
        if len(schema.names) > MAX_COLUMNS or len(set(schema.names)) < len(schema.names):
            return _Look(0)
        images, empty = [], []
        for column in schema.names:
            if holds_bytes(schema.field(column).type):
                batch = next(read_batches(archive, name, file, column, None), None)
                first = (
                    [each.as_buffer()[:16].to_pybytes() for each in batch.column(0)[:SAMPLE_ROWS].drop_null()]
                    if batch
                    else []
                )
                if sum(bool(_MAGIC.match(each)) for each in first) > len(first) / 2:
                    images.append(column)
                elif not first:
                    empty.append(column)
        nested = [column for column in schema.names if _is_nested(schema.field(column).type)]
        if not images:
            return _without_images(schema, rows, empty, nested)
        others = [column for column in schema.names if column not in images]
        labels = _labels(archive, name, file, others)
        if not labels and (several := [column for column in others if _holds_several(schema.field(column).type)]):
            kind = str(schema.field(several[0]).type)[:80]
            return _Look(
                rows,
                images,
                fault=f"Its column '{several[0]}' is {kind}: several labels or objects an image; podium has one label",
            )
        return _Look(rows, images, labels, [column for column in others if column not in labels])


def _without_images(schema: pa.Schema, rows: int, empty: Sequence[str], nested: Sequence[str]) -> _Look:
    if nested:
        kind = str(schema.field(nested[0]).type)[:80]
        return _Look(
            rows, fault=f"Its column '{nested[0]}' is {kind}; expected one image a row: {{bytes, path}}, or bytes"
        )
    if [column for column in empty if pa.types.is_struct(schema.field(column).type)] and rows:
        return _Look(rows, fault=f"Its column '{empty[0]}' has the paths of images, and not their bytes")
    return _Look(rows)


def _labels(archive: Archive, name: str, file: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    """Give the columns that may be the label: the Hub's own classes, else by name, else all that have a few values.

    A column of which no value says anything (-1 is the Hub's mark for no label) is none.
    """
    schema = file.schema_arrow
    values: dict[str, list[str]] = {}
    for column in columns:
        if is_label(schema.field(column).type):
            names = class_names(schema, column)
            found = [name_label(value, names) for value in first_values(archive, name, file, column, SAMPLE_ROWS)]
            if not found or {*found} - {"", "-1"}:
                values[column] = [label for label in found if label is not None]
    if classes := [column for column in values if class_names(schema, column)]:
        return classes
    named = [column for column in values if set(_words(column)) & LABEL_WORDS]
    few = [column for column in values if not set(_words(column)) & ID_WORDS and _has_few(values[column])]
    return named if len(named) == 1 else few


def _has_few(values: Sequence[str]) -> bool:
    return max(map(len, values), default=0) < 100 and (len(values) < 20 or len(set(values)) < len(values))


def _is_nested(kind: pa.DataType) -> bool:
    """Say whether bytes are somewhere inside."""
    if pa.types.is_struct(kind):
        return any(holds_bytes(each.type) or _is_nested(each.type) for each in kind) and not holds_bytes(kind)
    return _holds_several(kind) and (holds_bytes(kind.value_type) or _is_nested(kind.value_type))


def _holds_several(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _words(column: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower())


def _estimate(archive: Archive, files: Sequence[str], rows: int) -> int:
    """Give about how many rows the files have, from those of the smallest."""
    sizes = [archive.size(name) for name in files]
    return round(rows * sum(sizes) / max(min(sizes), 1))
