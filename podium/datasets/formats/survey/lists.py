"""Lists of the images of each part: `train.txt`, `val.txt` and `test.txt`."""

from collections import defaultdict
from collections.abc import Mapping

from podium.config.datasets import Folders, Part
from podium.datasets.formats.objects.files import MAX_LIST_BYTES, inside, read_list
from podium.datasets.formats.objects.pairing import pair, stem
from podium.datasets.formats.objects.part import Annotated
from podium.datasets.formats.survey.contents import Contents

LISTS: dict[str, Part] = {
    "train": "train",
    "trainval": "train",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
"""What lists are called; `trainval` holds `train` and `val`, and counts only where these are not."""
MIN_FOUND = 0.9
"""So large a share of a list's names is an image's."""
OFFICIAL = "ImageSets/Main"
"""Pascal VOC's folder of lists."""


def find_lists(contents: Contents, images: str, notes: list[str]) -> Folders:
    """Find the lists of the images in a folder.

    Args:
        contents: the archive's.
        images: the folder.
        notes: grows by a sentence if one list stands alone: it is no split.

    Returns:
        The list of each part, train first; empty if train and another are not there.
    """
    found = _find(contents, images)
    if len(found) == 1 or (found and "train" not in found):
        notes.append(f"The list '{next(iter(found.values()))}' is left aside: there is none of another part.")
        return {}
    return {part: found[part] for part in ("train", "validation", "test") if part in found}


def unlisted(contents: Contents, images: str, parts: Mapping[Part, Annotated]) -> dict[str, str]:
    """Say which images of a folder no list names."""
    listed = {name for annotated in parts.values() for name in annotated.images}
    place = "" if images == "." else f"{images}/"
    names = (name for name in contents.tree.all_images() if name.startswith(place) and name not in listed)
    return dict.fromkeys(names, "no list of a part names it")


def _find(contents: Contents, images: str) -> dict[Part, str]:
    """Find the lists that stand in one folder, the official one first, whose images are there."""
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for name in contents.files:
        folder, _, base = name.rpartition("/")
        if base.lower().endswith(".txt") and stem(base).lower() in LISTS:
            places[folder][stem(base).lower()] = name
    if not places:
        return {}
    files = [(stem(inside(name, images)), name) for name in contents.archive.files(images)]
    lists = places[min(places, key=lambda folder: (not folder.endswith(OFFICIAL), len(folder), folder))]
    found: dict[Part, str] = {}
    for word, name in lists.items():
        if contents.archive.size(name) > MAX_LIST_BYTES or (word == "trainval" and {"train", "val"} <= lists.keys()):
            continue
        entries = read_list(contents.archive, name)
        there = pair(files, ((entry, entry) for entry in entries))
        if entries and len(there.orphans) <= (1 - MIN_FOUND) * len(entries):
            found[LISTS[word]] = name
    return found
