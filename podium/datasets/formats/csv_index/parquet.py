"""Tables in Parquet, read as if they were text."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from podium.datasets.archive import Archive
from podium.errors import PodiumError

BATCH_ROWS = 10_000


@contextmanager
def open_parquet(archive: Archive, table: str) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """Open a table; give its columns of words and numbers, and its rows, each with its number from 2 on.

    Raises:
        PodiumError: it is no Parquet, or is damaged.
    """
    with archive.copy(table) as path:
        try:
            with pq.ParquetFile(path, pre_buffer=False) as file:
                columns = [field.name for field in file.schema_arrow if _is_plain(field.type)]
                yield columns, _rows(file, columns)
        except (pa.ArrowException, OSError) as error:
            raise PodiumError(
                f"'{table}' in the archive of {archive.name} is no sound Parquet ({error}). Download the archive again."
            ) from None


def _rows(file: pq.ParquetFile, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    number = 1
    for batch in file.iter_batches(BATCH_ROWS, columns=columns):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield number, ["" if cell is None else str(cell).strip() for cell in row]


def _is_plain(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    types = pa.types
    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return any(is_plain(value) for is_plain in plain)
