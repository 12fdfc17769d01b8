"""A Parquet file of an archive: opened within bounds, its columns of images, the names of its classes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from podium.datasets.archive import Archive
from podium.errors import PodiumError

BATCH_BYTES = 1 << 25
"""Bytes of images that are in memory at a time, if the file's own figures are right: 32 MiB."""
MAX_BATCH_ROWS = 1024
_BUFFER_BYTES = 1 << 20
_MAX_RATIO = 200
_HARMLESS_BYTES = 1 << 28


@contextmanager
def open_parquet(archive: Archive, name: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; a copy of it is on the disk meanwhile, because it is read from its end.

    Raises:
        PodiumError: it is none, or is damaged.
    """
    with archive.copy(name) as path:
        try:
            file = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(archive, name, error) from None
        with file:
            yield file


def read_batches(
    archive: Archive, name: str, file: pq.ParquetFile, image: str, label: str | None
) -> Iterator[pa.RecordBatch]:
    """Give images and labels, few enough rows at a time that their images fit into memory.

    Args:
        archive: that of the file.
        name: the file's.
        file: open.
        image: the column of images.
        label: the column of labels, if there is one.

    Yields:
        Batches with the image file's bytes in the first column, and the label in the second.

    Raises:
        PodiumError: the file is damaged, or grows beyond all measure.
    """
    leaf = f"{image}.bytes" if pa.types.is_struct(file.schema_arrow.field(image).type) else image
    _check_growth(file, name)
    columns = [leaf] if label is None else [leaf, label]
    try:
        for group in range(file.num_row_groups):
            rows = _batch_rows(file, group, leaf)
            for batch in file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False):
                images = batch.column(image)
                if leaf != image:
                    (images,) = images.flatten()
                yield pa.record_batch([images] if label is None else [images, batch.column(label)], names=columns)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(archive, name, error) from None


def first_values(archive: Archive, name: str, file: pq.ParquetFile, column: str, count: int) -> list[object]:
    """Give the first values of a column; raises as `read_batches` does."""
    _check_growth(file, name)
    values: list[object] = []
    try:
        for batch in file.iter_batches(count, columns=[column], use_threads=False):
            values += batch.column(0).to_pylist()
            if len(values) >= count:
                break
    except (pa.ArrowException, OSError) as error:
        raise _damaged(archive, name, error) from None
    return values[:count]


def _batch_rows(file: pq.ParquetFile, group: int, leaf: str) -> int:
    facts = file.metadata.row_group(group)
    chunks = [facts.column(place) for place in range(facts.num_columns)]
    size = next((int(each.total_uncompressed_size) for each in chunks if each.path_in_schema == leaf), 0)
    return max(1, min(MAX_BATCH_ROWS, BATCH_BYTES * max(int(facts.num_rows), 1) // max(size, 1)))


def _check_growth(file: pq.ParquetFile, name: str) -> None:
    for group in range(file.num_row_groups):
        facts = file.metadata.row_group(group)
        chunks = [facts.column(place) for place in range(facts.num_columns)]
        size, packed = (
            sum(getattr(chunk, f"total_{kind}_size") for chunk in chunks) for kind in ("uncompressed", "compressed")
        )
        if size > _HARMLESS_BYTES and size > _MAX_RATIO * max(packed, 1):
            raise PodiumError(f"'{name}' grows {size / max(packed, 1):.0f} times when unpacked. It is not opened.")


def holds_bytes(kind: pa.DataType) -> bool:
    """Say whether a column may hold image files: bytes, or a struct with `bytes`."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field("bytes").type) and kind.num_fields <= 2
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def class_names(schema: pa.Schema, column: str) -> list[str] | None:
    """Give the names that the Hub's metadata has for the numbers of a column; None if it has none."""
    feature = _features(schema).get(column)
    names = feature.get("names") if isinstance(feature, dict) else None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _features(schema: pa.Schema) -> dict[str, object]:
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _damaged(archive: Archive, name: str, error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno:  # the disk's, not the file's
        return error
    text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return PodiumError(f"'{name}' in the archive of {archive.name} cannot be read as Parquet ({text}).")
