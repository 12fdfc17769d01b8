"""The names of files, written in one way: slashes, Unicode's composed form, and letters instead of unmarked bytes."""

import struct
import unicodedata
import zipfile
import zlib

from podium.datasets.archive.encodings import guess_encoding

UTF8 = 0x800
"""The flag of a zip's member whose name is in UTF-8 (APPNOTE 6.3.10, 4.4.4)."""
_UNICODE_PATH = 0x7075
"""The extra field with the name in UTF-8 (APPNOTE 6.3.10, 4.6.9), for a name that is in something else."""


def clean(name: str) -> str:
    """Write a path in one way: slashes, one at a time, no `./`, none at its end; accents as one letter (NFC)."""
    if "\\" in name:
        name = name.replace("\\", "/")
    if "//" in name or "/." in name or name[:1] == "." or name[-1:] == "/":
        root = "/" if name[:1] == "/" else ""
        name = root + "/".join(part for part in name.split("/") if part not in ("", "."))
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def leads_out(name: str) -> bool:
    """Say whether a clean path is absolute, or goes up beyond where it starts."""
    return name.startswith("/") or name[1:2] == ":" or (".." in name and ".." in name.split("/"))


def has_bad_bytes(name: str) -> bool:
    """Say whether the system's name of a file holds bytes that are no UTF-8; Python puts surrogates in their place."""
    return not name.isascii() and any("\udc80" <= letter <= "\udcff" for letter in name)


def printable(name: str) -> str:
    """Write a name so that it can be printed, whatever bytes it has, each of which is written as its number."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_names(infos: list[zipfile.ZipInfo]) -> tuple[dict[zipfile.ZipInfo, str], list[str]]:
    """Read the names that a zip's table of contents does not say the encoding of.

    Returns:
        The names of those members that zipfile reads differently, and sentences on what was guessed.
    """
    unusual = [info for info in infos if b"up" in info.extra or not info.filename.isascii()]
    found = {info: name for info in unusual if (name := _unicode_path(info))}
    unmarked = {
        info: _bytes_of(info)
        for info in unusual
        if not info.flag_bits & UTF8 and not info.orig_filename.isascii() and info not in found
    }
    if not unmarked:
        return found, []
    guess = guess_encoding(unmarked.values())
    read = {info: guess.read(name) for info, name in unmarked.items()}
    if guess.sure:
        return found | read, []
    example = clean(next(iter(read.values())))
    title = guess.title or "cp437, the default, because no known encoding makes sense of them"
    return found | read, [
        f"File names that nothing marks as UTF-8: {len(read):,}, such as '{example}'; by their letters, they were taken"
        f" for {'UTF-8 and ' if guess.mixed else ''}{title}. If that is wrong, give the files other names, and name "
        "the folder."
    ]


def _bytes_of(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437").partition(b"\0")[0]


def _unicode_path(info: zipfile.ZipInfo) -> str | None:
    """Give the name in the extra field, if it is there and belongs to the name beside it."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and 5 < length <= len(extra) - 4 and not info.flag_bits & UTF8:
            version, checksum = struct.unpack_from("<BI", extra, 4)
            if version == 1 and checksum == zlib.crc32(info.orig_filename.encode("cp437")):
                return extra[9 : 4 + length].decode("utf-8", "replace")
        extra = extra[4 + length :]
    return None
