"""Images that mark something in other images: masks, trimaps, drawn boxes."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np

from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import stem_of
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import MARKS, names_an_image_folder, names_marks
from podium.images.decoding import inspect
from podium.images.opening import BadImageError

MIN_PARTNERS = 0.8
"""So large a share of the masks in a folder are named like images elsewhere."""
SAMPLE = 6
"""Images that are decoded to see whether they are masks."""

_SUFFIX = re.compile(rf"[ _.-]+(?:{'|'.join(sorted(MARKS, key=len, reverse=True))})(?:[\W_]*\d+)?$", re.IGNORECASE)


def find_masks(archive: Archive, images: Iterable[str], tree: Folder) -> dict[str, str]:
    """Find masks, by names and, where names say little, by what they look like.

    Returns:
        Why they are no images of the dataset, by the path of a folder that holds only such, or by a pattern of paths.
    """
    return _beside_their_images(images) | _in_folders(archive, tree)


def _beside_their_images(images: Iterable[str]) -> dict[str, str]:
    """Find `x_mask.png` beside `x.png`."""
    stems = {name.rpartition(".")[0] if "." in name.rpartition("/")[2] else name for name in images}
    counts: dict[str, int] = {}
    for stem in stems:
        if (found := _SUFFIX.search(stem)) and stem[: found.start()] in stems:
            suffix = re.sub(r"\d+$", "*", found[0])
            counts[suffix] = counts.get(suffix, 0) + 1
    return {
        f"*{suffix}.*" if not suffix.endswith("*") else f"*{suffix}": f"masks of other images ({suffix.rstrip('*')})"
        for suffix, _ in sorted(counts.items())
    }


def _in_folders(archive: Archive, tree: Folder) -> dict[str, str]:
    """Find folders whose images are named like those of folders beside them."""
    found: dict[str, str] = {}
    near = [tree]
    for place in near:  # it grows
        children = [*place.folders.values()]
        marks = [child for child in children if names_marks(child.name)]
        others = [child for child in children if not names_marks(child.name)]
        partners = Counter(
            stem for child in (others if marks else ()) for stem in {_stem(name) for name in child.all_images()}
        )
        for child in marks:
            names = [*child.all_images()]
            stems = [stem for name in names if (stem := _stem(name)) in partners]
            beside_images = bool(others) and all(names_an_image_folder(other.name) for other in others)
            if len(stems) < MIN_PARTNERS * len(names) and not beside_images:
                continue
            if beside_images or _say_so(names) or _tell(stems, partners) or _look_like_masks(archive, names):
                found[child.path] = "masks or marks of the images beside them"
        near += [child for child in children if child.path not in found]
    return found


def _stem(name: str) -> str:
    """Give a name without its ending, and without the word that tells a mask."""
    return _SUFFIX.sub("", stem_of(name)).casefold()


def _say_so(names: list[str]) -> bool:
    """Say whether the names of the images themselves end in a word such as `_mask`."""
    return sum(bool(_SUFFIX.search(name.rpartition(".")[0])) for name in names) >= MIN_PARTNERS * len(names)


def _tell(stems: list[str], partners: Counter[str]) -> bool:
    """Say whether names say more than a running number, which every folder may begin anew."""
    once = sum(partners[stem] == 1 for stem in stems)
    return once >= MIN_PARTNERS * len(stems) and any(re.search(r"[^\W\d_]", stem) for stem in stems[:100])


def _look_like_masks(archive: Archive, names: list[str]) -> bool:
    """Say whether nearly all of a sample of images have very few shades."""
    flat = looked = 0
    for name in names[:: max(1, len(names) // SAMPLE)][:SAMPLE]:
        try:
            gray = inspect(archive.read(name), name).gray
        except (BadImageError, DamagedFile):
            continue
        shades = np.sort(np.bincount(gray.ravel() >> 3, minlength=32))[::-1]
        looked += 1
        flat += int(shades[:4].sum() >= 0.97 * gray.size)
    return looked > 0 and flat >= 0.8 * looked
