"""A 7z, looked through before anything is unpacked, then unpacked file by file into a zip.

Of the ways to pack, those are read in which py7zr unpacks no more at once than it is asked for; not PPMd, in which
pyppmd 1.3.1 ends the process (a segmentation fault) at some damaged archives.
"""

import lzma
import struct
import tempfile
import zlib
from pathlib import Path
from typing import IO

import py7zr
from py7zr.exceptions import ArchiveError, PasswordRequired
from py7zr.io import Py7zIO, WriterFactory
from py7zr.properties import COMPRESSION_METHOD

from podium.datasets.archive.names import clean, leads_out
from podium.datasets.archive.packing import Packer
from podium.datasets.archive.zips import MAX_FILES, OTHERWISE, UNSAFE
from podium.errors import PodiumError

_LZMA, _LZMA2 = COMPRESSION_METHOD.LZMA, COMPRESSION_METHOD.LZMA2
_FILTERS = {
    COMPRESSION_METHOD.COPY, COMPRESSION_METHOD.DELTA, COMPRESSION_METHOD.MISC_BZIP2, COMPRESSION_METHOD.P7Z_BCJ,
    COMPRESSION_METHOD.BCJ_PPC, COMPRESSION_METHOD.BCJ_ARM, COMPRESSION_METHOD.BCJ_ARMT, COMPRESSION_METHOD.BCJ_SPARC,
}  # fmt: skip
_REFUSED = {
    COMPRESSION_METHOD.PPMD: "PPMd",
    COMPRESSION_METHOD.MISC_DEFLATE: "Deflate",
    COMPRESSION_METHOD.MISC_DEFLATE64: "Deflate64",
    COMPRESSION_METHOD.MISC_ZSTD: "Zstandard",
    COMPRESSION_METHOD.MISC_BROTLI: "Brotli",
}
_AGAIN = "Download the archive again, or unpack it yourself (`7z x`) and name the folder."
_MAX_MEMORY = 1 << 30
"""Bytes that unpacking may need for what it has seen: 1 GiB."""
_DAMAGE = (
    ArchiveError, lzma.LZMAError, zlib.error, struct.error, EOFError, ValueError, TypeError, LookupError,
    AttributeError, AssertionError, ArithmeticError, MemoryError, RuntimeError,
)  # fmt: skip
"""What py7zr, written in Python, raises for bytes that mean nothing."""


def seven_to_zip(packed: IO[bytes], target: IO[bytes], budget: int, where: str) -> None:
    """Copy the files of a 7z into a zip.

    Args:
        packed: can be read from any place.
        target: an empty file on the disk.
        budget: so many bytes it may have when unpacked.
        where: what it is called in messages.

    Raises:
        PodiumError: it is no 7z, is damaged or encrypted, packed in a way that is not read, or not safe to unpack.
    """
    try:
        with py7zr.SevenZipFile(packed, max_extract_size=budget) as archive:
            _check(archive, budget, where)
            with Packer(target) as packer, tempfile.TemporaryDirectory() as nowhere:
                archive.extractall(nowhere, factory=_Store(packer, Path(nowhere)))
    except PasswordRequired:
        raise PodiumError(f"{where} is encrypted. Unpack it yourself and name the folder.") from None
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise PodiumError(f"{where} is a 7z that is damaged ({reason}). {_AGAIN}") from None
    except OSError as error:
        if error.errno:  # the disk's, not the archive's
            raise
        raise PodiumError(f"{where} is a 7z that is damaged ({error}). {_AGAIN}") from None


def _check(archive: py7zr.SevenZipFile, budget: int, where: str) -> None:
    """Look through the table of contents."""
    if archive.needs_password():
        raise PodiumError(f"{where} is encrypted. Unpack it yourself and name the folder.")
    if len(archive.files) > MAX_FILES:
        raise PodiumError(f"{where} has {len(archive.files):,} files, more than {MAX_FILES:,}. {UNSAFE}")
    names: set[str] = set()
    folders = {}
    for file in archive.files:
        name = clean(file.filename)
        if leads_out(name):
            raise PodiumError(f"{where}: '{file.filename}' leads out of its folder. {UNSAFE}")
        if file.is_symlink or file.is_junction or file.is_socket:
            raise PodiumError(f"{where}: '{file.filename}' is a link or a device. {UNSAFE}")
        if file.is_directory:
            continue
        if name in names:
            raise PodiumError(f"{where} has two files named '{name}'. {UNSAFE}")
        names.add(name)
        budget -= file.uncompressed
        if file.folder is not None:
            folders[id(file.folder)] = file.folder
    if budget < 0:
        raise PodiumError(f"{where} grows beyond all measure when it is unpacked. {UNSAFE}")
    for folder in folders.values():
        for coder in folder.coders:
            _check_method(coder["method"], coder.get("properties") or b"", where)


def _check_method(method: bytes, properties: bytes, where: str) -> None:
    memory = 0
    if method == _LZMA2:
        memory = (2 | properties[0] & 1) << (properties[0] // 2 + 11)
    elif method == _LZMA:
        (memory,) = struct.unpack_from("<I", properties, 1)
    elif method not in _FILTERS:
        raise PodiumError(f"{where} is packed by {_REFUSED.get(method, f'the method {method.hex()}')}. {OTHERWISE}")
    if memory > _MAX_MEMORY:
        raise PodiumError(f"{where} needs {memory:,} bytes of memory to be unpacked. {OTHERWISE}")


class _Store(WriterFactory):
    """Gives py7zr a member of the zip to write each file to."""

    def __init__(self, packer: Packer, root: Path) -> None:
        self._packer, self._root = packer, root

    def create(self, filename: str) -> Py7zIO:
        return _Member(self._packer.create(Path(filename).relative_to(self._root).as_posix()))


class _Member(Py7zIO):
    def __init__(self, sink: IO[bytes]) -> None:
        self._sink, self._size = sink, 0

    def write(self, s: bytes | bytearray) -> int:
        self._size += self._sink.write(s)
        return len(s)

    def close(self) -> None:
        self._sink.close()

    def seekable(self) -> bool:
        return False

    def read(self, size: int | None = None) -> bytes:
        raise NotImplementedError

    def seek(self, offset: int, whence: int = 0) -> int:
        raise NotImplementedError

    def flush(self) -> None:
        """Leave it to the end."""

    def size(self) -> int:
        return self._size
