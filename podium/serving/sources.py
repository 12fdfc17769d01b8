"""What a person asks about on the command line: image files, folders of them, and archives, which are read in place."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from podium.datasets.archive import NESTED, START_BYTES, TARS, Archive, DamagedFile, is_tar, kind_of, pack_files
from podium.datasets.archive.names import printable
from podium.datasets.formats.image_files import has_image_name, is_junk, list_files, looks_like_image
from podium.errors import PodiumError
from podium.images.given import MAX_BYTES
from podium.images.kinds import HEAD_BYTES, READABLE, sniff
from podium.images.opening import BadImageError
from podium.serving.reading import AnyImage


@dataclass(frozen=True)
class Source:
    """An image that is asked about.

    Attributes:
        name: its path: what was given, and what follows below that folder or in that archive; printable.
        place: the file; of a member of an archive the path in it; or why there is none.
        archive: the open archive that it lies in; None if it lies in none.
    """

    name: str
    place: Path | str | BadImageError
    archive: Archive | None = None

    def load(self) -> AnyImage:
        """Give what a `Predictor` takes: a path, or the bytes of a member of an archive; not from several threads."""
        if self.archive is None or not isinstance(self.place, str):
            return self.place if not isinstance(self.place, str) else Path(self.place)
        try:
            if (size := self.archive.size(self.place)) > MAX_BYTES:
                return BadImageError(f"the file has {size:,} bytes, over {MAX_BYTES:,}")
            return self.archive.read(self.place)
        except DamagedFile:
            return BadImageError("the file is damaged in the archive")
        except PodiumError as error:
            return BadImageError(str(error))


@dataclass
class Sources:
    """All images that are asked about, in order. Close it, or use it as a context manager, as it holds archives open.

    Attributes:
        found: the images.
        notes: what was passed over, each a sentence.
    """

    found: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, place: Path, name: str) -> None:
        """Add an image, or all images of a folder or an archive.

        Args:
            place: the file or the folder; `archive.zip/train` is a folder of an archive.
            name: what the person called it.
        """
        archive, inside = _split(place)
        if place.is_dir():
            self._add_folder(place, name)
        elif archive is not None:
            self._add_archive(archive, inside, name)
        else:
            self.found.append(Source(printable(name), place))

    def _add_folder(self, folder: Path, name: str) -> None:
        before, others, outside = len(self.found), 0, 0
        root = Path(os.path.realpath(folder))
        for path in walk(folder):
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                outside += 1
            elif has_image_name(path.name) or _begins_as_image(path):
                self.found.append(Source(printable((Path(name) / path.relative_to(folder)).as_posix()), path))
            else:
                others += 1
        if outside:
            links = "link that leads" if outside == 1 else "links that lead"
            self.notes.append(f"{name}: {outside:,} {links} out of the folder {_are(outside)} not followed.")
        self._say(name, "folder", len(self.found) - before, others)

    def _add_archive(self, path: Path, inside: str, name: str) -> None:
        before, others, whole = len(self.found), 0, name.removesuffix(f"/{inside}") if inside else name
        try:
            archive = self._open_archive(path)
            notes: list[str] = []
            for member in _list_members(archive, inside, notes):
                if is_junk(member):
                    continue
                if looks_like_image(member, archive):
                    self.found.append(Source(printable(f"{whole}/{member}"), member, archive))
                else:
                    others += 1
        except (PodiumError, OSError) as error:
            self.found.append(Source(printable(name), BadImageError(str(error))))
            return
        self.notes += [f"{name}: {note}" for note in [*archive.notes, *notes]]
        self._say(name, "archive", len(self.found) - before, others)

    def _say(self, name: str, kind: str, images: int, others: int) -> None:
        if not images:
            self.found.append(Source(printable(name), BadImageError(f"the {kind} holds no image")))
        elif others:
            what = "file that is no image" if others == 1 else "files that are no images"
            self.notes.append(f"{name}: {others:,} {what} {_are(others)} passed over.")

    def _open_archive(self, path: Path) -> Archive:
        """Open an archive where it lies; a tar or a 7z is unpacked into a file that vanishes with it."""
        scratch = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="podium-")))
        zipped = path
        if path.name.lower().endswith((*TARS, ".7z")):
            zipped = scratch / "archive.zip"
            pack_files([(path.name, path)], zipped)
        return self._open.enter_context(Archive(scratch / path.name, zipped))


def find_sources(places: Iterable[tuple[Path, str]]) -> Sources:
    """Find the images of some files, folders and archives: each by its place, and by what the person called it."""
    sources = Sources()
    for place, name in places:
        sources.add(place, name)
    return sources


def walk(folder: Path) -> Iterator[Path]:
    """Give the files below a folder in the order of their names; no hidden ones, and no folder that is a link."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if is_junk(f"{entry.name}/" if entry.is_dir() else entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _begins_as_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES)) in READABLE
    except OSError:
        return False


def _split(place: Path) -> tuple[Path | None, str]:
    """Give the archive in a path, and the path in that one; None if it leads to no archive."""
    for path in (place, *place.parents):
        if path.is_file():
            inside = "" if path == place else place.relative_to(path).as_posix()
            return (path, inside) if inside or _is_archive(path) else (None, "")
        if path.exists():
            return None, ""
    return None, ""


def _is_archive(path: Path) -> bool:
    if path.name.lower().endswith(NESTED):
        return True
    try:
        with path.open("rb") as file:
            kind = kind_of(file.read(START_BYTES))
    except OSError:
        return False
    return kind in ("zip", "7z", "rar") or is_tar(kind)


def _list_members(archive: Archive, inside: str, notes: list[str]) -> Sequence[str]:
    if not inside:
        return list_files(archive, notes)
    parent, _, _ = inside.rpartition("/")
    if inside in archive.files(parent or ".") and not inside.lower().endswith(NESTED):
        return [inside]
    return archive.files(inside, nested=True)
