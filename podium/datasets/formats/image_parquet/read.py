"""Parquet files with an image file's bytes and a label in each row.

    data/train-00000-of-00002.parquet     image: {bytes, path}     label: 0
    data/train-00001-of-00002.parquet                              (0 is named 'cat' in the file's metadata)

This is how the Hugging Face Hub stores datasets of images.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from podium.config.datasets import ImageParquetFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import MAX_BYTES, UNLABELLED
from podium.datasets.formats.image_parquet.table import class_names, holds_bytes, open_parquet, read_batches
from podium.errors import PodiumError, nearest


def read(raw: Path, layout: ImageParquetFormat) -> Iterator[Example]:
    """Read the files one after the other; an image is named by its row, the first is 0. See `formats.read`."""
    with Archive(raw) as archive:
        for part, wanted in layout.files.items():
            for pattern in [wanted] if isinstance(wanted, str) else wanted:
                for name in _resolve(archive, pattern):
                    yield from _read_file(archive, name, part, layout)


def match_names(pattern: str, names: Sequence[str]) -> list[str]:
    """Give the names that a pattern stands for, sorted: `*` is any letters but a slash."""
    if pattern in names:
        return [pattern]
    shape = re.compile("[^/]*".join(re.escape(piece) for piece in pattern.split("*")))
    return sorted(name for name in names if shape.fullmatch(name))


def _resolve(archive: Archive, pattern: str) -> list[str]:
    folder = pattern.partition("*")[0].rpartition("/")[0]
    there = archive.files(folder or ".")
    if names := match_names(pattern.removeprefix("./"), there):
        return names
    known = [name for name in there if name.lower().endswith(".parquet")]
    raise PodiumError(
        f"The archive of {archive.name} has no file '{pattern}'. {nearest(pattern, known[:20])} "
        f"Correct datasets.{archive.name}.format.files in params.yaml."
    )


def _read_file(archive: Archive, name: str, part: str, layout: ImageParquetFormat) -> Iterator[Example]:
    row = 0
    with open_parquet(archive, name) as file:
        schema = file.schema_arrow
        label = None if part == UNLABELLED else layout.label_column
        for key, column in (("image_column", layout.image_column), ("label_column", label)):
            if column is not None and schema.names.count(column) != 1:
                raise PodiumError(
                    f"'{name}' has no column '{column}'. {nearest(column, schema.names[:20])} "
                    f"Correct datasets.{archive.name}.format.{key} in params.yaml."
                )
        kind = schema.field(layout.image_column).type
        if not holds_bytes(kind):
            raise PodiumError(
                f"'{name}': the column '{layout.image_column}' is {_short(kind)}; expected the bytes of image files."
            )
        if label is not None and not is_label(schema.field(label).type):
            found = _short(schema.field(label).type)
            raise PodiumError(f"'{name}': the column '{label}' is {found}; expected one whole number or text a row.")
        names = None if label is None else class_names(schema, label)
        for batch in read_batches(archive, name, file, layout.image_column, label):
            labels = batch.column(1) if label is not None else [None] * batch.num_rows
            for image, value in zip(batch.column(0), labels, strict=True):
                yield _example(f"{name}:{row}", part, None if value is None else value.as_py(), names, image)
                row += 1
    if not row:
        raise PodiumError(f"'{name}' has no rows. Expected one row an image.")


def is_label(kind: pa.DataType) -> bool:
    """Say whether a column may hold labels: whole numbers, text or yes and no."""
    if pa.types.is_dictionary(kind):
        return is_label(kind.value_type)
    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def name_label(value: object, names: Sequence[str] | None) -> str | None:
    """Give a label as text: by its name if it has one, empty if there is none; None if the number has no name."""
    if value is None or (names is not None and value == -1):
        return ""
    if names is None or not isinstance(value, int):
        return str(value).strip()
    return names[value] if 0 <= value < len(names) else None


def _example(id_: str, part: str, value: object, names: Sequence[str] | None, image: pa.Scalar) -> Example:
    label = name_label(value, names)
    if label is None:
        return Example(id_, part, "", None, f"its label is {value}, and the file names {len(names or ())} classes")
    if not image.is_valid:
        return Example(id_, part, label, None, "there are no bytes in its row")
    buffer = image.as_buffer()
    if buffer.size > MAX_BYTES:
        return Example(id_, part, label, None, f"the file has {buffer.size:,} bytes, over {MAX_BYTES:,}")
    return Example(id_, part, label, buffer.to_pybytes())


def _short(kind: pa.DataType) -> str:
    text = str(kind)
    return text if len(text) < 80 else f"{text[:77]}..."
