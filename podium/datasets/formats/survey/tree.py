"""An archive's images as a tree of folders."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from podium.datasets.formats.survey.words import part_of


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
        for folder in self.below():
            yield from folder.images

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


def grow(images: Iterable[str]) -> Folder:
    """Make a tree of paths."""
    known = {"": Folder(".")}
    for name in images:
        path = name.rpartition("/")[0]
        folder = known.get(path)
        if folder is None:
            folder = _plant(known, path)
        folder.images.append(name)
    return known[""]


def _plant(known: dict[str, Folder], path: str) -> Folder:
    """Add a folder to its tree, and those above it that are not there yet."""
    if path not in known:
        parent, _, name = path.rpartition("/")
        known[path] = _plant(known, parent).folders.setdefault(name, Folder(path))
    return known[path]
