"""Folders that an archive holds twice."""

from collections import Counter

from podium.datasets.archive import Archive
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import part_of
from podium.errors import PodiumError

COMPARED_IMAGES = 8
"""So many images of two folders are compared byte by byte before the folders are taken for the same."""


def find_copies(archive: Archive, tree: Folder) -> dict[str, str]:
    """Find folders of one name with the same images in them; give the path that is left and the one that is kept.

    `Train` and `train` are one name. The nearer folder is kept. Of class folders without parts it is the deeper one,
    because the nearer one's parent would hold both.
    """
    alike = Counter((folder.name.casefold(), folder.count) for folder in tree.below())
    found: dict[object, Folder] = {}
    copies: dict[str, str] = {}
    for folder in tree.below():
        if alike[folder.name.casefold(), folder.count] < 2:
            continue
        if any(folder.path.startswith(f"{copy}/") for copy in copies):
            continue
        words = frozenset(part_of(part) for part in folder.path.split("/")) - {None}
        first = found.setdefault((folder.name.casefold(), words, folder.count, _sum(archive, folder)), folder)
        if first is folder or not _same(archive, first, folder):
            continue
        parent = first.path.rpartition("/")[0]
        if part_of(folder.name) is None and folder.path.startswith(f"{parent}/" if parent else ""):
            copies[first.path] = folder.path
        else:
            copies[folder.path] = first.path
    return copies


def _sum(archive: Archive, folder: Folder) -> int:
    """Sum up the names and sizes of a folder's images, in whatever order."""
    return sum(hash((name[len(folder.path) :], archive.size(name))) for name in folder.all_images())


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
