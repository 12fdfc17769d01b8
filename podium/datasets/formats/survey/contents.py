"""What is in an archive, as a survey looks at it: its files, and its images as a tree of folders."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from podium.config.datasets import Format
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import is_image
from podium.datasets.formats.survey.words import part_of
from podium.errors import PodiumError

COMPARED_IMAGES = 8
"""So many images of two folders are compared byte by byte before the folders are taken for the same."""


@dataclass(frozen=True)
class Survey:
    """What was found."""

    format: Format
    notes: list[str]
    """What a person should know of it, each a sentence."""
    sure: bool = True
    """Whether a name says so, such as a column `label` or a folder `train`."""


@dataclass
class Folder:
    """A folder, with the images in it and below."""

    path: str
    """In the archive; `.` is all of it."""
    folders: dict[str, "Folder"] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    """Paths in the archive of those that lie in it, not below."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @cached_property
    def count(self) -> int:
        """How many images lie in it and below."""
        return len(self.images) + sum(folder.count for folder in self.folders.values())

    def all_images(self) -> Iterator[str]:
        """Give the images in it and below."""
        yield from self.images
        for folder in self.folders.values():
            yield from folder.all_images()

    def below(self) -> Iterator["Folder"]:
        """Give the folders in it and below, the nearer first."""
        near = [*self.folders.values()]
        while near:
            yield from near
            near = [folder for each in near for folder in each.folders.values()]

    def top(self) -> "Folder":
        """Leave wrappers behind: go down while one folder holds nearly all images, in folders of its own."""
        folder = self
        while folder.folders:
            largest = max(folder.folders.values(), key=lambda each: each.count)
            if not largest.folders or largest.count < 0.99 * folder.count:
                break
            if part_of(largest.name) and len(folder.folders) > 1:  # `train` beside a small `test`
                break
            folder = largest
        return folder

    def core(self) -> "Folder":
        """Give the deepest folder that still holds all images."""
        folder = self
        while len(folder.folders) == 1 and not folder.images:
            (folder,) = folder.folders.values()
        return folder


@dataclass(frozen=True)
class Contents:
    """An archive's files, those of archives inside it too."""

    archive: Archive
    files: list[str]
    tree: Folder
    """The images. Folders that are there twice are there once."""
    notes: list[str]

    @classmethod
    def of(cls, archive: Archive, files: list[str], notes: list[str]) -> Self:
        """Sort files into a tree."""
        images = [name for name in files if is_image(name)]
        copies = _find_copies(archive, grow(images))
        notes = notes + [
            f"'{copy}' has the same images as '{kept}' and is left aside." for copy, kept in copies.items()
        ]
        kept = [name for name in images if not any(name.startswith(f"{copy}/") for copy in copies)]
        return cls(archive, files, grow(kept), notes)

    def tables(self) -> list[str]:
        """Give the CSV tables; of those that are there twice, the shorter path."""
        alike: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name in sorted((name for name in self.files if _is_table(name)), key=len):
            alike[name.rpartition("/")[2], self.archive.size(name)].append(name)
        return [name for names in alike.values() for name in self._distinct(names)]

    def _distinct(self, names: list[str]) -> list[str]:
        """Give the first of each content."""
        if len(names) == 1:
            return names
        found: dict[str, str] = {}
        for name in names:
            found.setdefault(self._digest(name), name)
        return [*found.values()]

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        try:
            with self.archive.open(name) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except DamagedFile:
            return name
        return digest.hexdigest()

    def look_through(self, folders: Collection[Folder]) -> list[str]:
        """See what whoever reads these folders does not see.

        Returns:
            A sentence if images lie elsewhere.

        Raises:
            PodiumError: images below a folder lie in archives of their own, where the formats do not look.
        """
        for folder in folders:
            seen = set(self.archive.files(folder.path))
            hidden = [name for name in folder.all_images() if name not in seen]
            if hidden:
                raise PodiumError(
                    f"In the archive of {self.archive.name}, {len(hidden):,} images below '{folder.path}' lie in "
                    f"archives of their own, such as '{hidden[0]}'. Such an archive can be a part or the whole of a "
                    "dataset, not a class. Unpack them, and `podium init FOLDER` with the folder that holds all."
                )
        inside = tuple("" if folder.path == "." else f"{folder.path}/" for folder in folders)
        left = [name for name in self.tree.all_images() if not name.startswith(inside)]
        return [f"{len(left):,} images lie elsewhere, such as '{left[0]}'; they are left aside."] if left else []


def grow(images: Iterable[str]) -> Folder:
    """Make a tree of paths."""
    tree = Folder(".")
    for name in images:
        folder, place = tree, ""
        for part in name.split("/")[:-1]:
            place += part
            folder = folder.folders.setdefault(part, Folder(place))
            place += "/"
        folder.images.append(name)
    return tree


def _is_table(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.rpartition("/")[2].startswith("._") and "__MACOSX" not in name


def _find_copies(archive: Archive, tree: Folder) -> dict[str, str]:
    """Find folders of one name with the same images in them; give the path that is left and the one that is kept.

    `Train` and `train` are one name. The nearer folder is kept. Of class folders without parts it is the deeper one,
    because the nearer one's parent would hold both.
    """
    sums: Counter[str] = Counter()
    for name in tree.all_images():
        size, end = archive.size(name), name.rfind("/")
        while end > 0:
            sums[name[:end]] += hash((name[end:], size))
            end = name.rfind("/", 0, end)
    found: dict[object, Folder] = {}
    copies: dict[str, str] = {}
    for folder in tree.below():
        if any(folder.path.startswith(f"{copy}/") for copy in copies):
            continue
        words = frozenset(part_of(part) for part in folder.path.split("/")) - {None}
        first = found.setdefault((folder.name.casefold(), words, folder.count, sums[folder.path]), folder)
        if first is folder or not _same(archive, first, folder):
            continue
        parent = first.path.rpartition("/")[0]
        if part_of(folder.name) is None and folder.path.startswith(f"{parent}/" if parent else ""):
            copies[first.path] = folder.path
        else:
            copies[folder.path] = first.path
    return copies


def _same(archive: Archive, one: Folder, other: Folder) -> bool:
    """Compare a sample of two folders' images, whose paths and sizes are the same."""
    names = sorted(name.removeprefix(one.path) for name in one.all_images())
    try:
        return all(
            archive.read(one.path + name) == archive.read(other.path + name)
            for name in names[:: max(1, len(names) // COMPARED_IMAGES)]
        )
    except PodiumError:
        return False
