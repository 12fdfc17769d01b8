"""What speaks for and against folders being classes."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.config.datasets import Part
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import stem_of
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import (
    find_pieces,
    names_a_holder,
    names_an_image_folder,
    names_just_a_part,
    names_marks,
    part_of,
    words_of,
)
from podium.images.decoding import inspect
from podium.images.opening import BadImageError

MAX_BESIDE = 0.1
"""So large a share of the images may lie beside the class folders before that is a doubt."""
MOST = 0.8
"""Of folders, images or names: nearly all."""
PAIRS = 8
"""So many pairs of images of one name are compared."""
ALIKE = 0.8
"""Correlation of two small gray images from which on they show the same."""

_IDS = re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{6,}|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27}")
"""Dates, long numbers and digests."""


@dataclass(frozen=True)
class Below:
    """Folders below class folders."""

    regular: bool
    """Whether nearly all class folders have several of them, whose names are words."""
    parent: str
    names: list[str]
    """Of the first class folder that has some."""


def doubt_children(archive: Archive, folder: Folder, sure: Collection[str] = ()) -> list[str]:
    """Say what speaks against a folder's folders being classes.

    Args:
        archive: open.
        folder: the folder.
        sure: names that several parts have, so that they are no parts' names.
    """
    children = [*folder.folders.values()]
    names = [child.name for child in children]
    doubts = []
    holders = [name for name in names if names_a_holder(name)]
    never = [name for name in names if names_an_image_folder(name)]
    if never or (holders and len(holders) >= len(names) - 1):
        doubts.append(f"'{(never or holders)[0]}' is a name of folders that hold things, rather than of a class")
    if pieces := find_pieces(names):
        doubts.append(f"'{pieces[0]}' and '{pieces[1]}' are named like pieces of one whole")
    parts = [child for child in children if child.name not in sure and names_just_a_part(child.name)]
    if len(parts) > 1 or (parts and (len(children) < 3 or part_of(parts[0].name) != "train")):
        doubts.append(f"'{parts[0].name}' is named like a part to train or to test with, rather than like a class")
    if len(children) >= 4 and sum(bool(_IDS.fullmatch(name)) for name in names) >= MOST * len(names):
        doubts.append(f"'{names[0]}' and '{names[1]}' look like numbers or dates of single cases")
    if len(children) >= 10 and sum(child.count == 1 for child in children) > len(children) / 2:
        doubts.append(f"most of the {len(children):,} folders hold a single image")
    if len(folder.images) > MAX_BESIDE * folder.count:
        doubts.append(f"{len(folder.images):,} images lie beside the folders, such as '{folder.images[0]}'")
    if pair := _same_images(archive, children):
        doubts.append(f"'{pair[0].name}' and '{pair[1].name}' hold the same images in two versions")
    return doubts


def parts_inside(children: list[Folder]) -> dict[Part, str]:
    """Find the parts that lie in each class's folder: the folder's name of each; none if there are none."""
    counts = Counter(name for child in children for name in child.folders)
    found: dict[Part, str] = {}
    for name, count in counts.most_common():
        part = part_of(name)
        if part and count >= len(children) / 2:
            found.setdefault(part, name)
    rests = {tuple(word for word in words_of(name) if part_of(word) is None) for name in found.values()}
    if len(rests) > 1 and not all(map(names_just_a_part, found.values())):
        return {}  # `training shoes` and `test tubes`
    inside = sum(child.folders[name].count for child in children for name in found.values() if name in child.folders)
    return found if len(found) > 1 and inside >= MOST * sum(child.count for child in children) else {}


def share_folders(children: list[Folder]) -> set[str]:
    """Give the names of folders that nearly all of some folders have; one alone is only deeper."""
    tops = [set(child.top().folders) for child in children]
    counts = Counter(name for names in tops for name in names if not names_marks(name))
    shared = {name for name, count in counts.items() if count > 1 and count >= 0.5 * len(children)}
    shared -= {name for name in shared if re.fullmatch(r"(19|20)\d{2}([-_]?\d{2}){0,2}", name)}
    shared -= {*find_pieces(shared)}
    return shared if len(shared) > 1 and len(shared) >= 0.5 * len(counts) else set()


def two_levels(folder: Folder) -> Below:
    """Look for folders below class folders."""
    children = [*folder.folders.values()]
    with_folders = [child for child in children if len(_words(child.top().folders)) > 1]
    regular = len(with_folders) >= MOST * len(children) and bool(with_folders)
    first = next((child for child in children if child.folders), None)
    if first is None:
        return Below(regular=False, parent="", names=[])
    chosen = with_folders[0] if regular else first
    return Below(regular, chosen.name, [*chosen.top().folders] or [*chosen.folders])


def _words(names: Iterable[str]) -> list[str]:
    """Give the names that are words, not numbers of single cases, pieces of one whole, nor what holds things."""
    words = [name for name in names if re.search(r"[^\W\d_]{2}", name) and not re.search(r"\d{2}", name)]
    pieces = find_pieces(words)
    return [name for name in words if name not in pieces and not names_a_holder(name)]


def _same_images(archive: Archive, children: list[Folder]) -> tuple[Folder, Folder] | None:
    """Find two folders whose images have the same names and show the same."""
    if len(children) > 20:
        return None
    stems = [{stem_of(name).casefold(): name for name in child.all_images()} for child in children]
    for first in range(len(children)):
        for second in range(first + 1, len(children)):
            shared = sorted(stems[first].keys() & stems[second].keys())
            if len(shared) >= MOST * min(len(stems[first]), len(stems[second])) and len(shared) > 2:
                chosen = shared[:: max(1, len(shared) // PAIRS)][:PAIRS]
                pairs = [(stems[first][stem], stems[second][stem]) for stem in chosen]
                if _alike(archive, pairs):
                    return children[first], children[second]
    return None


def _alike(archive: Archive, pairs: list[tuple[str, str]]) -> bool:
    """Say whether images look like their partners, and not like the partners of others."""
    small = [(_small(archive, one), _small(archive, other)) for one, other in pairs]
    known = [(one, other) for one, other in small if one is not None and other is not None]
    if len(known) < 3:
        return False
    own = [_correlation(one, other) for one, other in known]
    others = [_correlation(known[k][0], known[k - 1][1]) for k in range(len(known))]
    return float(np.median(own)) > ALIKE and float(np.median(own)) > float(np.median(others)) + 0.1


def _small(archive: Archive, name: str) -> NDArray[np.float32] | None:
    try:
        gray = inspect(archive.read(name), name).gray
    except (BadImageError, DamagedFile):
        return None
    small = np.asarray(cv2.resize(gray, (16, 16), interpolation=cv2.INTER_AREA), np.float32)
    return small - np.float32(small.mean())


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / norm if norm else 0.0
