"""The archive that a dataset arrived in: one zip, kept as it came, read member by member."""

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from podium.errors import PodiumError, nearest

ARCHIVE = "archive.zip"
"""The name that a dataset's archive has in its raw folder, whatever it was called where it came from."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


def check_zip(path: Path) -> int:
    """Make sure that a file is a zip whose table of contents can be read.

    Returns:
        How many members it has.

    Raises:
        PodiumError: it is empty, cut short, or something else under the name of a zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return len(archive.infolist())
    except (zipfile.BadZipFile, ValueError):
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
        web_page = start.startswith((b"<!doctype", b"<html"))
        guess = "It is a web page: the download needed a login." if web_page else "It may have been cut short."
        raise PodiumError(
            f"{path} ({path.stat().st_size:,} bytes) is not a zip archive. {guess} Download it again."
        ) from None


def pack_folder(folder: Path, target: Path) -> int:
    """Store a folder's files in a zip, uncompressed, in the order of their names and without dates.

    So the same files give the same bytes. Symbolic links are passed over: they may lead out of the folder.

    Returns:
        How many files were stored.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    return len(files)


@contextmanager
def open_member(raw: Path, name: str) -> Iterator[IO[bytes]]:
    """Open one member of the archive in a raw folder for reading, without unpacking it.

    Raises:
        PodiumError: there is no such member, or its bytes are damaged (their checksum is wrong).
    """
    damaged = f"'{name}' in the archive of {raw.name} cannot be read (%s). Download the archive again."
    with zipfile.ZipFile(raw / ARCHIVE) as archive:
        try:
            member = archive.open(name)
        except (zipfile.BadZipFile, RuntimeError) as error:  # RuntimeError: encrypted, or packed in an unknown way
            raise PodiumError(damaged % error) from None
        except KeyError:
            files = [info.filename for info in archive.infolist() if not info.is_dir()]
            raise PodiumError(
                f"The archive of {raw.name} has no file '{name}'. {nearest(name, files[:20])} "
                f"Correct datasets.{raw.name}.format in params.yaml."
            ) from None
        with member:
            try:
                yield member
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise PodiumError(damaged % error) from None
