"""Members that are packed by deflate64, bzip2, lzma or xz, read bit by bit: never more at once than was asked for.

Own code: zipfile knows no deflate64 and no xz, and unpacks the others as far as they go, whatever size they claim.
"""

import bz2
import io
import lzma
import zipfile
import zlib
from copy import copy
from typing import IO, Any, Protocol

DEFLATE64, XZ = 9, 95
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, DEFLATE64, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, XZ})
"""The ways to pack that are read, by their numbers (APPNOTE 6.3.10, 4.4.5)."""
BY_ZIPFILE = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
TITLES = {
    1: "shrink", 2: "reduce", 3: "reduce", 4: "reduce", 5: "reduce", 6: "implode", 10: "implode", 18: "terse",
    19: "lz77", 20: "Zstandard", 93: "Zstandard", 94: "mp3", 96: "jpeg", 97: "wavpack", 98: "PPMd", 99: "AES",
}  # fmt: skip

_MEMORY = 1 << 30
"""Bytes that lzma may take for its dictionary."""
_AT_ONCE = 1 << 20
_PACKED_AT_ONCE = 1 << 16
_DEFLATE64_AT_ONCE = 1 << 10
"""It has no limit of its own: 1 KiB may become 27 MB."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Inflate64:
    """Gives inflate64 the manners of Python's other unpackers."""

    needs_input = True

    def __init__(self) -> None:
        from inflate64 import Inflater  # rare

        self._inflater = Inflater()

    @property
    def eof(self) -> bool:
        return bool(self._inflater.eof)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        unpacked: bytes = self._inflater.inflate(data)
        return unpacked


def unpack(packed: IO[bytes], info: zipfile.ZipInfo) -> IO[bytes]:
    """Unpack a member's bytes as they are read."""
    return io.BufferedReader(_Unpacked(packed, info), _PACKED_AT_ONCE)


def as_it_lies(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Give a member as if it were not packed: zipfile then gives its packed bytes."""
    packed = copy(info)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, info.compress_size
    del packed.CRC  # which is that of the unpacked bytes
    return packed


class _Unpacked(io.RawIOBase):
    def __init__(self, packed: IO[bytes], info: zipfile.ZipInfo) -> None:
        self._packed, self._info = packed, info
        self._block = _DEFLATE64_AT_ONCE if info.compress_type == DEFLATE64 else _PACKED_AT_ONCE
        self._ready = memoryview(b"")
        self._left, self._checksum = info.file_size, 0
        self._unpacker: _Unpacker | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready and self._left:
            self._ready = memoryview(self._more())
        length = min(len(buffer), len(self._ready))
        buffer[:length] = self._ready[:length]
        self._ready = self._ready[length:]
        return length

    def close(self) -> None:
        self._packed.close()
        super().close()

    def _more(self) -> bytes:
        """Unpack at least one byte more, and hold what is known of the whole against it."""
        unpacked = b""
        while not unpacked:
            try:
                self._unpacker = self._unpacker or self._start()
                if self._unpacker.eof:
                    raise zipfile.BadZipFile("it is shorter than the table of contents says")
                packed = self._packed.read(self._block) if self._unpacker.needs_input else b""
                if not packed and self._unpacker.needs_input:
                    raise zipfile.BadZipFile("its end is not there")
                unpacked = self._unpacker.decompress(packed, _AT_ONCE)
            except (lzma.LZMAError, ValueError, MemoryError) as error:
                raise zipfile.BadZipFile(str(error)) from None
            except OSError as error:  # bzip2 says so of damaged bytes, without a number
                if error.errno:
                    raise
                raise zipfile.BadZipFile(str(error)) from None
        self._left -= len(unpacked)
        self._checksum = zlib.crc32(unpacked, self._checksum)
        if self._left < 0:
            raise zipfile.BadZipFile("it is longer than the table of contents says")
        if self._left == 0 and self._checksum != self._info.CRC:
            raise zipfile.BadZipFile("its checksum is wrong")
        return unpacked

    def _start(self) -> _Unpacker:
        match self._info.compress_type:
            case 9:
                return _Inflate64()
            case zipfile.ZIP_BZIP2:
                return bz2.BZ2Decompressor()
            case zipfile.ZIP_LZMA:
                return self._start_lzma()
            case _:
                return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)

    def _start_lzma(self) -> _Unpacker:
        """Write the head of an `.lzma`: a zip has the properties in front (APPNOTE 6.3.10, 5.8.8), and not the size."""
        head = self._packed.read(9)
        if len(head) < 9 or head[2:4] != b"\5\0":
            raise zipfile.BadZipFile("the properties of its lzma are none")
        has_end_mark = self._info.flag_bits & 2
        size = b"\xff" * 8 if has_end_mark else self._info.file_size.to_bytes(8, "little")
        unpacker = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)
        unpacker.decompress(head[4:] + size)
        return unpacker
