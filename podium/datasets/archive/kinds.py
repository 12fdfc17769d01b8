"""What a file is by its first bytes, and what a person does with one that podium does not read as it is."""

import bz2
import lzma
import os
import re
import struct
import tarfile
import zlib
from collections.abc import Callable
from typing import IO

START_BYTES = 1 << 20
"""So much of a file is looked at: bzip2 unpacks nothing before it has a whole block."""

_TAR_BLOCK = 512
_END = struct.Struct("<4sH16x")
"""What a zip ends with (APPNOTE 6.3.10, 4.3.16), but for a comment: mark, the number of this part; 0 if it is alone."""
_IN_ZIP64 = 0xFFFF
"""The number that says: the true one is in the zip64 record, where zipfile looks at it."""
_LONGEST_COMMENT = 0xFFFF
_MARKS = (
    (b"PK\3\4", "zip"),
    (b"PK\7\x08", "part"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"PAR1", "Parquet file"),
    (b"ARROW1", "Arrow file"),
    (b"%PDF", "PDF"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"\x89PNG\r\n", "PNG image"),
    (b"GIF8", "GIF image"),
    (b"\x89HDF\r\n", "HDF5 file"),
    (b"\x93NUMPY", "NumPy array"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"version https://git-lfs", "lfs"),
)
_PART = re.compile(r"\.((zip|7z|tar|tgz|tar\.(gz|bz2|xz)|rar)\.\d{3}|z\d\d|r\d\d|part\d+\.rar)$", re.IGNORECASE)
_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda start: zlib.decompressobj(31).decompress(start, _TAR_BLOCK),
    "bzip2": lambda start: bz2.BZ2Decompressor().decompress(start, _TAR_BLOCK),
    "xz": lambda start: lzma.LZMADecompressor(memlimit=1 << 30).decompress(start, _TAR_BLOCK),
}
_TAR_ENDINGS = {"tar": ".tar", "tar in gzip": ".tar.gz", "tar in bzip2": ".tar.bz2", "tar in xz": ".tar.xz"}
_AGAIN = "Download it again."


def kind_of(start: bytes) -> str | None:
    """Tell what a file is.

    Args:
        start: its first bytes; `START_BYTES` are enough.

    Returns:
        `zip`, `7z`, `rar`, `tar`, `tar in gzip` (or in bzip2, in xz), `gzip`, and more; None if it is unknown.
    """
    kind = next((kind for mark, kind in _MARKS if start.startswith(mark)), None)
    if kind in _UNPACK:
        try:
            return f"tar in {kind}" if _is_tar(_UNPACK[kind](start)) else kind
        except (zlib.error, OSError, EOFError, lzma.LZMAError):
            return kind
    if kind is None and _is_tar(start):
        return "tar"
    return kind


def is_tar(kind: str | None) -> bool:
    """Say whether a kind is a tar, packed or not."""
    return kind in _TAR_ENDINGS


def is_part(name: str) -> bool:
    """Say whether a file's name says that it is one part of several."""
    return _PART.search(name) is not None


def say_part(name: str) -> str:
    """Say what to do with one part of an archive that is in several."""
    stem = re.sub(r"(\.\d{3}|\.z\d\d)$", "", name, flags=re.IGNORECASE)
    if re.search(r"\.(z\d\d|zip)$", name, re.IGNORECASE):
        stem = stem if stem.lower().endswith(".zip") else f"{stem}.zip"
        join = f"join them with `zip -s 0 '{stem}' --out whole.zip` and name whole.zip"
    elif stem != name:
        join = f"join them with `cat '{stem}'.* > '{stem}'` and name that"
    else:
        join = f"unpack them with `7z x '{name}'` and name the folder"
    return f"It is one part of an archive in several. Put all parts into one folder, then {join}."


def find_end(stream: IO[bytes]) -> bytes:
    """Give a zip's end record without its comment; nothing if there is none."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = stream.read()
    place = tail.rfind(b"PK\5\6")
    end = tail[place : place + _END.size] if place >= 0 else b""
    return end if len(end) == _END.size else b""


def is_last_part(stream: IO[bytes]) -> bool:
    """Say whether a zip's end record has a number, as the last part of several has."""
    end = find_end(stream)
    return bool(end) and _END.unpack(end)[1] not in (0, _IN_ZIP64)


def explain(start: bytes, size: int, name: str) -> tuple[str, str]:
    """Say what a file is that should have been an archive, and what to do.

    Args:
        start: its first bytes.
        size: of all of it, in bytes.
        name: the file's, for the command.

    Returns:
        What it is, in sentences; and a hint if it has to be had again.
    """
    kind, text = kind_of(start), start[:512].lstrip().lower()
    if size == 0:
        return "It is empty: it was cut short.", _AGAIN
    if text.startswith((b"<!doctype html", b"<html")):
        return "It is a web page: the download needed a login.", _AGAIN
    if not start.strip(b"\0"):
        return "It begins with nothing but zeros: it was cut short.", _AGAIN
    if is_part(name) or kind == "part":
        return say_part(name), ""
    match kind:
        case "zip":
            return "It is a zip that was cut short: the table of contents at its end is not there.", _AGAIN
        case "7z":
            return "It is a 7z archive. Give it a name that ends in .7z, and name that.", ""
        case "rar":
            return (
                f"It is a RAR archive, which podium does not read. Unpack it (`unrar x '{name}'` or `7z x '{name}'`) "
                "and name the folder."
            ), ""
        case "gzip" | "bzip2" | "xz" | "Zstandard":
            return f"It is packed by {kind}, and no tar. Unpack it and name the folder that holds what it was.", ""
        case "lfs":
            return "It is a pointer of Git LFS, not the file. Type `git lfs pull` where it lies.", ""
        case None:
            return _explain_unknown(start)
    if is_tar(kind):
        return f"It is a {kind}. Give it a name that ends in {_TAR_ENDINGS[str(kind)]}, and name that.", ""
    return f"It is a {kind}. Expected an archive, or a folder: put it into one and name that.", ""


def _explain_unknown(start: bytes) -> tuple[str, str]:
    try:
        line = start[:400].decode("utf-8-sig", "strict" if len(start) <= 400 else "ignore").strip()
    except UnicodeDecodeError:
        line = "\0"
    first = line.split("\n")[0][:60].strip()
    if all(letter.isprintable() or letter.isspace() for letter in line):
        return f"It is text, which begins with '{first}'. Expected an archive, or a folder: put it into one.", ""
    return "What it is, its first bytes do not say. It may have been cut short, or damaged.", _AGAIN


def _is_tar(start: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(start[:_TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
