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
