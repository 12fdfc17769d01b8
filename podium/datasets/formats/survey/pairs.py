"""Folders of images and the folders of their annotations, one file an image, found by the files' names."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from os.path import commonpath

from podium.config.datasets import Part
from podium.datasets.formats.objects.files import key_of
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.words import part_of_path, with_train

VOTERS = 200
"""Annotations of a folder by whose names its images are looked for."""
MAX_NAMESAKES = 20
"""Images of one name that are looked at."""
_IMAGES = re.compile(r"image|img|photo|jpe?g", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """A folder of images, and that of their annotations; `.` is the whole archive."""

    images: str
    annotations: str


def by_stem(contents: Contents) -> dict[str, list[str]]:
    """Give the images of each name, without folders and endings, in lower case."""
    stems: dict[str, list[str]] = defaultdict(list)
    for name in contents.tree.all_images():
        stems[base_of(name)].append(name)
    return stems


def base_of(name: str) -> str:
    """Give a file's name without folders and ending, in lower case."""
    return key_of(name.rpartition("/")[2]).casefold()


def find_pairs(
    stems: dict[str, list[str]],
    annotations: Iterable[str],
    notes: list[str],
    doubts: list[str],
    declared: Callable[[str], Part | None] = lambda _: None,
) -> dict[Part, Pair]:
    """Find the images of annotations.

    Args:
        stems: the images, as `by_stem` gives them.
        annotations: the annotation files.
        notes: grows by a sentence for what is left aside.
        doubts: grows by a sentence where the images could as well be others.
        declared: tells the part of a folder of images where a file says so; else its name tells.

    Returns:
        The folders of each part, train first; empty if no annotation has the name of an image.
    """
    folders: dict[str, list[str]] = defaultdict(list)
    for name in annotations:
        folders[_folder(name)].append(name)
    parts: dict[Part | None, list[Pair]] = defaultdict(list)
    sizes: Counter[Part | None] = Counter()
    for folder, names in folders.items():
        if images := _vote(folder, names, stems, doubts):
            part = declared(images) or part_of_path(images) or part_of_path(folder)
            parts[part].append(Pair(images, folder))
            sizes[part] += len(names)
    bare = parts.pop(None, [])
    if not parts and bare:
        return {"train": _join(bare)}
    for pair in bare:
        notes.append(
            f"The annotations in '{pair.annotations}' are of no part by their folder's name; they are left aside."
        )
    found: dict[Part, Pair] = {part: _join(pairs) for part, pairs in parts.items() if part and part != "unlabelled"}
    return with_train(found, {part: sizes[part] for part in found}, notes) if found else {}


def _vote(folder: str, names: list[str], stems: dict[str, list[str]], doubts: list[str]) -> str | None:
    """Find the folder with the images of a folder's annotations: most names, then the likest path."""
    voters = names[:: max(1, len(names) // VOTERS)]
    votes: Counter[str] = Counter()
    for name in voters:
        votes.update({_folder(image) for image in stems.get(base_of(name), ())[:MAX_NAMESAKES]})
    if not votes or 2 * max(votes.values()) < len(voters):
        return None
    rivals = [place for place, count in votes.items() if count == max(votes.values())]
    ranked = sorted(rivals, key=lambda place: (_likeness(place, folder), place), reverse=True)
    if len(ranked) > 1 and _likeness(ranked[0], folder) == _likeness(ranked[1], folder):
        doubts.append(
            f"The annotations in '{folder}' may be of the images in '{ranked[0]}' or of those in '{ranked[1]}'."
        )
    return ranked[0]


def _likeness(images: str, annotations: str) -> tuple[int, ...]:
    """Say how much a folder of images looks like that of some annotations: more is likelier."""
    one, other = images.split("/"), annotations.split("/")
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    same_end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one[::-1], other[::-1], strict=False)))
    return (
        images == annotations,
        part_of_path(images) == part_of_path(annotations),
        common + same_end,
        bool(_IMAGES.search(one[-1]) or (len(one) > 1 and _IMAGES.search(one[-2]))),
    )


def _join(pairs: list[Pair]) -> Pair:
    """Give the folders that hold all of a part's."""
    images, annotations = ([pair.images for pair in pairs], [pair.annotations for pair in pairs])
    return Pair(_above(images), _above(annotations))


def _above(folders: list[str]) -> str:
    return "." if "." in folders else commonpath(folders) or "."


def _folder(name: str) -> str:
    return name.rpartition("/")[0] or "."
