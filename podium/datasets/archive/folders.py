"""A folder on this disk, packed into one zip, with what its links lead to.

Links are followed, out of the folder too: class folders that are links to a store beside are usual (huggingface's
datasets#6853), and a person who names a folder sees in it what its links show. But a link may have come with a
stranger's archive, so what is taken from outside is counted and told, by name, before anything is done with it.
Never followed: a link to a folder that it lies in, which has no end; a link to no file; a device, a pipe, a socket.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podium.datasets.archive.names import has_bad_bytes
from podium.datasets.archive.notes import Oddities
from podium.datasets.archive.packing import pack_files
from podium.datasets.archive.zips import MAX_FILES
from podium.errors import PodiumError

_LONGEST_PATH = 4096
"""Bytes."""


@dataclass(frozen=True)
class Packed:
    """What was packed."""

    files: int
    notes: list[str]
    """What a person should know of it, each a sentence."""


def pack_folder(folder: Path, target: Path) -> Packed:
    """Store a folder's files in a zip, uncompressed, in the order of their names and without dates.

    So the same files give the same bytes. The notes are in the zip's comment, too.

    Raises:
        PodiumError: something in it cannot be read.
    """
    odd = Oddities()
    try:
        files = sorted(_walk(folder, odd), key=lambda file: file[0].split("/"))
        notes = odd.notes()
        raw_names = any(has_bad_bytes(name) for name, _ in files)
        pack_files(files, target, notes=notes, raw_names=raw_names)
    except (PermissionError, FileNotFoundError) as error:
        raise PodiumError(
            f"'{error.filename}' in the folder {folder} cannot be read: {error.strerror}. "
            "Make it readable, or take it out."
        ) from None
    return Packed(len(files), notes)


def _walk(folder: Path, odd: Oddities) -> Iterator[tuple[str, Path]]:
    """Give each file's path below the folder, with slashes, and where it is."""
    root = Path(os.path.realpath(folder))
    holders = frozenset(_identify(parent) for parent in (root, *root.parents))
    near = [("", folder, holders)]
    count = 0
    while near:
        prefix, place, holders = near.pop()
        with os.scandir(place) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = f"{prefix}{entry.name}"
            status = _look_at(entry, name, odd)
            if status is None:
                continue
            identity = status.st_dev, status.st_ino
            if stat.S_ISDIR(status.st_mode) and identity in holders:
                odd.count("Links to a folder that they lie in", "left aside", name)
                continue
            if entry.is_symlink():
                inside = Path(os.path.realpath(entry.path)).is_relative_to(root)
                what = "Links to another place in the folder" if inside else "Links out of the folder"
                odd.count(what, "what they lead to is taken", name)
            if stat.S_ISDIR(status.st_mode):
                near.append((f"{name}/", Path(entry.path), holders | {identity}))
            else:
                if _is_link_as_text(entry, status.st_size):
                    odd.count("Files that hold nothing but a path, like links copied as text", "not followed", name)
                count += 1
                yield name, Path(entry.path)
        if count > MAX_FILES:
            raise PodiumError(f"The folder {folder} holds more than {MAX_FILES:,} files, links followed.")


def _look_at(entry: os.DirEntry[str], name: str, odd: Oddities) -> os.stat_result | None:
    """Give what an entry is, its link followed; None if it is no file and no folder."""
    try:
        status = entry.stat()
    except OSError:
        if not entry.is_symlink():
            raise
        odd.count("Links to nothing", "left aside", name)
        return None
    if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
        return status
    odd.count("Devices, pipes or sockets", "left aside", name)
    return None


def _is_link_as_text(entry: os.DirEntry[str], size: int) -> bool:
    """Say whether a file is what git on Windows, and some copying, makes of a link: the path of something so named."""
    if not 0 < size <= _LONGEST_PATH or "." in entry.name:
        return False
    text = Path(entry.path).read_bytes().strip()
    return b"/" in text and b"\n" not in text and text.rpartition(b"/")[2] == os.fsencode(entry.name)


def _identify(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
