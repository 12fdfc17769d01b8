"""A zip whose table of contents was checked before anything is read: whoever made it is a stranger.

Own code: zipfile reads, but refuses no bomb and no path that leads out, and opens no zip inside a zip in place.
"""

import io
import logging
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from podium.errors import PodiumError

logger = logging.getLogger(__name__)

MAX_FILES = 5_000_000
MAX_BYTES = 1 << 40
"""What an archive may hold when unpacked: 1 TiB."""
MAX_RATIO = 200
"""How many times its packed size a file may have once it is unpacked, if it is larger than `HARMLESS_BYTES`."""
HARMLESS_BYTES = 1 << 26
"""64 MiB: so much is harmless whatever its ratio."""

UNSAFE = "Such an archive is not opened; ask whoever published it."
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OverflowError)
"""What zipfile raises for bytes that are not what the table of contents says, or are packed in an unknown way."""

_HEADER = struct.Struct("<4s2xH18xHH")
"""What a zip has before each file's bytes (APPNOTE 6.3.10, 4.3.7): mark, flags, lengths of the name and of notes."""


class NotAZipError(PodiumError):
    """A file is not a zip, or is cut short: `check_zip` looks at what it is instead."""


class CheckedZip(zipfile.ZipFile):
    """A zip whose table of contents was checked."""

    def __init__(self, file: "Path | IO[bytes] | Slice", where: str) -> None:
        self._descriptor: int | None = None
        self._begin = 0
        try:
            super().__init__(io.BufferedReader(file) if isinstance(file, Slice) else file)
        except (*DAMAGE, ValueError) as error:
            raise NotAZipError(f"{where} is not a zip archive ({error}).", hint="Download it again.") from None
        try:
            self.files = _check(self.infolist(), where)
        except BaseException:
            self.close()
            raise
        if isinstance(file, Slice):
            self._descriptor, self._begin = file.descriptor, file.begin
        elif hasattr(os, "pread") and self.fp is not None:  # not on Windows
            self._descriptor = self.fp.fileno()

    def find_stored(self, name: str) -> tuple[int, int, int] | None:
        """Find the bytes of a file that is not packed.

        Returns:
            The open file's descriptor, where in it the bytes begin, and how many they are; None if it is packed, or
            anything about it is not as expected: zipfile says what.
        """
        info = self.files.get(name)
        if info is None or info.compress_type != zipfile.ZIP_STORED or self._descriptor is None:
            return None
        start = self._begin + info.header_offset
        header = os.pread(self._descriptor, _HEADER.size, start)
        if len(header) < _HEADER.size:
            return None
        mark, flags, *lengths = _HEADER.unpack(header)
        if mark != b"PK\3\4" or flags & 1:
            return None
        return self._descriptor, start + _HEADER.size + sum(lengths), info.file_size


class Slice(io.RawIOBase):
    """A part of an open file, as if it were a file of its own."""

    def __init__(self, descriptor: int, begin: int, size: int) -> None:
        """Look at `size` bytes from `begin` on; the file stays open as long as this is used."""
        self.descriptor, self.begin = descriptor, begin
        self._size, self._place = size, 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; see `io.IOBase.seek`."""
        self._place = max(0, offset + (0, self._place, self._size)[whence])
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read what fits; see `io.RawIOBase.readinto`."""
        length = max(0, min(len(buffer), self._size - self._place))
        content = os.pread(self.descriptor, length, self.begin + self._place)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)


def check_zip(path: Path) -> int:
    """Make sure that a file is a zip that is safe to read; log what is odd about it.

    Returns:
        How many files it has.

    Raises:
        PodiumError: it is empty, cut short, something else under the name of a zip, or tries to do harm.
    """
    try:
        with CheckedZip(path, str(path)) as archive:
            for info in archive.files.values():
                if _ratio(info) > MAX_RATIO:
                    logger.warning(
                        "%s: '%s' is %s bytes packed into %s", path, info.filename, info.file_size, info.compress_size
                    )
            return len(archive.files)
    except NotAZipError:
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
        web_page = start.startswith((b"<!doctype", b"<html"))
        guess = "It is a web page: the download needed a login." if web_page else "It may have been cut short."
        raise NotAZipError(
            f"{path} ({path.stat().st_size:,} bytes) is not a zip archive. {guess}", hint="Download it again."
        ) from None


def _check(infos: list[zipfile.ZipInfo], where: str) -> dict[str, zipfile.ZipInfo]:
    """Look through a table of contents; give the files by their clean names."""
    if len(infos) > MAX_FILES:
        raise PodiumError(f"{where} has {len(infos):,} files, more than {MAX_FILES:,}. {UNSAFE}")
    files: dict[str, zipfile.ZipInfo] = {}
    unpacked = packed = 0
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise PodiumError(f"{where}: '{info.filename}' is a link or a device. {UNSAFE}")
        name = clean(info.filename)
        if _leads_out(name):
            raise PodiumError(f"{where}: '{info.filename}' leads out of its folder. {UNSAFE}")
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise PodiumError(f"{where}: '{info.filename}' is encrypted. Unpack it yourself and name the folder.")
        if name in files:
            raise PodiumError(f"{where} has two files named '{name}'. {UNSAFE}")
        if info.file_size > HARMLESS_BYTES and _ratio(info) > MAX_RATIO:
            raise PodiumError(f"{where}: '{info.filename}' grows {_ratio(info):.0f} times when unpacked. {UNSAFE}")
        unpacked, packed = unpacked + info.file_size, packed + info.compress_size
        files[name] = info
    if unpacked > MAX_BYTES or (unpacked > HARMLESS_BYTES * 16 and unpacked > MAX_RATIO * packed):
        raise PodiumError(f"{where} grows from {packed:,} to {unpacked:,} bytes when unpacked. {UNSAFE}")
    return files


def clean(name: str) -> str:
    """Write a path in one way: no backslashes, no `./`, no slash at its end."""
    name = name.replace("\\", "/")
    if name.startswith("./") or name == ".":
        name = name[2:]
    return name.rstrip("/") if name != "/" else name


def _leads_out(name: str) -> bool:
    return name.startswith("/") or name[1:2] == ":" or (".." in name and ".." in name.split("/"))


def _ratio(info: zipfile.ZipInfo) -> float:
    return info.file_size / max(info.compress_size, 1)
