"""A zip whose table of contents was checked before anything is read: whoever made it is a stranger.

Own code: zipfile reads, but refuses no bomb and no path that leads out, and opens no zip inside a zip in place.
"""

import io
import logging
import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import IO, cast

from podium.datasets.archive.collection import without_collection
from podium.datasets.archive.kinds import START_BYTES, explain, find_end, is_last_part, kind_of, say_part
from podium.datasets.archive.names import UTF8, clean, leads_out, read_names
from podium.datasets.archive.notes import Oddities, read_notes
from podium.datasets.archive.slices import Slice
from podium.datasets.archive.unpacking import BY_ZIPFILE, METHODS, TITLES, as_it_lies, unpack
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
_KIND = 28
"""Bits of a member's attributes below its kind, which Unix notes on top."""
_PLAIN = frozenset({0, stat.S_IFREG >> 12, stat.S_IFDIR >> 12})
_FARTHEST = 1 << 62
"""Bytes: no place in a file is beyond."""
_ENCRYPTED = 0x1 | 0x40
_BLOCK = 1 << 20
OTHERWISE = "Unpack it yourself (`7z x` unpacks most) and name the folder."


class NotAZipError(PodiumError):
    """A file is not a zip, or is cut short; the message says what it is instead."""


class CheckedZip(zipfile.ZipFile):
    """A zip whose table of contents was checked."""

    def __init__(self, file: "Path | IO[bytes] | Slice", where: str, name: str = "archive.zip") -> None:
        """Open it.

        Args:
            file: it is closed with the zip only if it is given by its path.
            where: what it is called in messages.
            name: its file's name, for a command in a message.

        Raises:
            NotAZipError: it is something else, cut short, or one part of several.
            PodiumError: it is not safe to read.
        """
        self.notes: list[str] = []
        """What a person should know of it, each a sentence."""
        self._where = where
        self._descriptor: int | None = None
        self._begin = 0
        self._own = file.open("rb") if isinstance(file, Path) else None
        stream = self._own or (io.BufferedReader(file) if isinstance(file, Slice) else file)
        assert not isinstance(stream, Path)  # noqa: S101
        try:
            if is_last_part(stream):
                raise NotAZipError(f"{where} is not a whole zip archive. {say_part(name)}")
            with without_collection():
                super().__init__(stream)
                self.NameToInfo.clear()  # files are found by their clean names alone
                if isinstance(file, Slice):
                    self._descriptor, self._begin = file.descriptor, file.begin
                elif hasattr(os, "pread"):  # not on Windows
                    self._descriptor = stream.fileno()
                self.files = self._check()
            """The files, by their clean names."""
        except (*DAMAGE, ValueError) as error:
            problem = _no_zip(stream, where, name, error)
            self.close()
            raise problem from None
        except BaseException:
            self.close()
            raise
        self.notes += read_notes(self.comment)

    def close(self) -> None:
        """Close it."""
        super().close()
        if self._own:
            self._own.close()

    def open_file(self, name: str) -> IO[bytes]:
        """Open a file by its clean name, to be read from its start to its end."""
        return self._open(self.files[name])

    def find_stored(self, name: str) -> tuple[int, int, int] | None:
        """Find the bytes of a file that is not packed.

        Returns:
            The open file's descriptor, where in it the bytes begin, and how many they are; None if it is packed, or
            anything about it is not as expected: zipfile says what.
        """
        info = self.files.get(name)
        if info is None or info.compress_type != zipfile.ZIP_STORED:
            return None
        header = self._read_header(info)
        return header and (header[0], header[1], info.file_size)

    def _read_header(self, info: zipfile.ZipInfo) -> tuple[int, int, bytes] | None:
        """Give the open file's descriptor, where in it a member's bytes begin, and the name that stands before them."""
        start = self._begin + info.header_offset
        if self._descriptor is None or start > _FARTHEST:
            return None
        header = os.pread(self._descriptor, _HEADER.size, start)
        if len(header) < _HEADER.size:
            return None
        mark, flags, *lengths = _HEADER.unpack(header)
        if mark != b"PK\3\4" or flags & 1:
            return None
        name = os.pread(self._descriptor, lengths[0], start + _HEADER.size)
        return self._descriptor, start + _HEADER.size + sum(lengths), name

    def _check(self) -> dict[str, zipfile.ZipInfo]:
        """Look through the table of contents; give the files by their clean names."""
        infos, where = self.infolist(), self._where
        if len(infos) > MAX_FILES:
            raise PodiumError(f"{where} has {len(infos):,} files, more than {MAX_FILES:,}. {UNSAFE}")
        names, self.notes = read_names(infos)
        files: dict[str, zipfile.ZipInfo] = {}
        odd = Oddities()
        unpacked = packed = 0
        for info in infos:
            told = names.get(info, info.filename) if names else info.filename
            if info.external_attr >> _KIND not in _PLAIN:
                raise PodiumError(f"{where}: '{told}' is a link or a device. {UNSAFE}")
            if info.header_offset < 0:
                raise zipfile.BadZipFile(f"'{told}' lies before its beginning")
            name = clean(told)
            if leads_out(name):
                raise PodiumError(f"{where}: '{told}' leads out of its folder. {UNSAFE}")
            if told[-1:] in ("/", "\\") or not name:
                continue
            if info.flag_bits & _ENCRYPTED:
                raise PodiumError(f"{where}: '{told}' is encrypted. Unpack it yourself and name the folder.")
            if info.compress_type not in METHODS:
                raise PodiumError(f"{where}: '{told}' is packed by {_method(info)}. {OTHERWISE}")
            if name in files:
                self._ensure_same(name, files[name], info, names)
                odd.count("Files that are there twice, with the same bytes", "each is taken once", name)
            if info.file_size > HARMLESS_BYTES and _ratio(info) > MAX_RATIO:
                raise PodiumError(f"{where}: '{told}' grows {_ratio(info):.0f} times when unpacked. {UNSAFE}")
            unpacked, packed = unpacked + info.file_size, packed + info.compress_size
            files[name] = info
            if not name.isascii() and not unicodedata.is_normalized("NFC", told):
                odd.count("File names with accents beside their letters (NFD)", "read as one letter (NFC)", name)
        if unpacked > MAX_BYTES or (unpacked > HARMLESS_BYTES * 16 and unpacked > MAX_RATIO * packed):
            raise PodiumError(f"{where} grows from {packed:,} to {unpacked:,} bytes when unpacked. {UNSAFE}")
        self.notes += odd.notes()
        return files

    def _ensure_same(
        self, name: str, one: zipfile.ZipInfo, other: zipfile.ZipInfo, names: dict[zipfile.ZipInfo, str]
    ) -> None:
        """Make sure that two files of one name have the same bytes."""
        if one.header_offset == other.header_offset or (
            (one.CRC, one.file_size) == (other.CRC, other.file_size) and self._have_same_bytes(one, other)
        ):
            return
        first, second = names.get(one, one.filename), names.get(other, other.filename)
        written = "" if first == second else f", written {first!a} and {second!a}"
        raise PodiumError(f"{self._where} has two files named '{name}'{written}, with different bytes. {UNSAFE}")

    def _have_same_bytes(self, one: zipfile.ZipInfo, other: zipfile.ZipInfo) -> bool:
        try:
            with self._open(one) as first, self._open(other) as second:
                while block := first.read(_BLOCK):
                    if block != second.read(_BLOCK):
                        return False
                return not second.read(1)
        except (*DAMAGE, UnicodeError):
            return False

    def _open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """Open a member; as other programs do, also one that is named otherwise beside its bytes than in the table."""
        by_zipfile = info.compress_type in BY_ZIPFILE
        try:
            return self.open(info) if by_zipfile else unpack(self.open(as_it_lies(info)), info)
        except (zipfile.BadZipFile, UnicodeDecodeError):
            header = self._read_header(info)
            if header is None or header[2] == info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437"):
                raise
            packed = io.BufferedReader(Slice(*header[:2], info.compress_size))
            if not by_zipfile:
                return unpack(packed, info)
            return cast("IO[bytes]", zipfile.ZipExtFile(packed, "r", info, close_fileobj=True))


def check_zip(path: Path) -> int:
    """Make sure that a file is a zip that is safe to read; log what is odd about it.

    Returns:
        How many files it has.

    Raises:
        PodiumError: it is empty, cut short, something else under the name of a zip, or tries to do harm.
    """
    with CheckedZip(path, str(path), path.name) as archive:
        for info in archive.files.values():
            if _ratio(info) > MAX_RATIO:
                logger.warning(
                    "%s: '%s' is %s bytes packed into %s", path, info.filename, info.file_size, info.compress_size
                )
        return len(archive.files)


def _no_zip(stream: IO[bytes], where: str, name: str, error: Exception) -> PodiumError:
    """Say what is wrong with a file that zipfile does not open."""
    if isinstance(error, UnicodeDecodeError):
        return PodiumError(f"{where}: file names are marked as UTF-8, and are not. {OTHERWISE}")
    if isinstance(error, NotImplementedError):
        return PodiumError(f"{where} is a zip of a kind that podium does not read ({error}). {OTHERWISE}")
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    start = stream.read(START_BYTES)
    what, hint = explain(start, size, name)
    if kind_of(start) == "zip" and find_end(stream):
        what, hint = f"It is a zip whose table of contents is damaged ({error}).", "Download it again."
    return NotAZipError(f"{where} ({size:,} bytes) is not a zip archive. {what}", hint=hint)


def _method(info: zipfile.ZipInfo) -> str:
    return f"{TITLES.get(info.compress_type, 'an unknown method')} (method {info.compress_type})"


def _ratio(info: zipfile.ZipInfo) -> float:
    return info.file_size / max(info.compress_size, 1)
