"""The beginning of an idx file, as Yann LeCun's page of MNIST describes it: a mark, the sizes, then bytes."""

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from podium.datasets.archive import Archive, DamagedFile
from podium.errors import PodiumError

_UBYTE = 8
_MAX_DIMENSIONS = 4


@contextmanager
def open_idx(archive: Archive, name: str) -> Iterator[tuple[tuple[int, ...], IO[bytes]]]:
    """Open an idx file of bytes, also one that is packed by gzip.

    Yields:
        Its sizes, and the file after them.

    Raises:
        PodiumError: it is none, or is damaged.
    """
    try:
        with archive.open(name) as packed:
            file = cast("IO[bytes]", gzip.GzipFile(fileobj=packed)) if _is_packed(name) else packed
            yield _read_sizes(file, name), file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DamagedFile(f"'{name}' in the archive of {archive.name} cannot be read ({error}).") from None


def _is_packed(name: str) -> bool:
    return name.lower().endswith(".gz")


def read_exactly(file: IO[bytes], count: int, name: str) -> bytes:
    """Read so many bytes.

    Raises:
        PodiumError: there are fewer.
    """
    data = file.read(count)
    if len(data) < count:
        raise PodiumError(f"{name} ends too early: it has fewer images or labels than its first bytes say.")
    return data


def _read_sizes(file: IO[bytes], name: str) -> tuple[int, ...]:
    mark = file.read(4)
    if len(mark) < 4 or mark[:2] != b"\0\0" or not 1 <= mark[3] <= _MAX_DIMENSIONS:
        raise PodiumError(f"{name} is no idx file, whatever its name says.")
    if mark[2] != _UBYTE:
        raise PodiumError(f"{name} holds other numbers than bytes (its mark is {mark.hex()}). Expected bytes, 0-255.")
    return struct.unpack(f">{mark[3]}I", read_exactly(file, 4 * mark[3], name))
