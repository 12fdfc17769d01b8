"""The folders of an archive's parts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from podium.config.datasets import Part
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import PARTS, names_just_a_part, part_of, with_train

Classes = Callable[[Folder], set[str]]
"""Tells which classes the images below a folder have, by a format's rules."""

MAX_ELSEWHERE = 0.1
"""So large a share of the images may lie outside of all parts before that is a doubt."""


@dataclass(frozen=True)
class Parts:
    """The folder of each part."""

    labelled: dict[Part, Folder]
    """Train first."""
    unlabelled: list[Folder]
    notes: list[str]
    doubts: list[str]

    @property
    def count(self) -> int:
        """How many images they hold."""
        return sum(folder.count for folder in self.all())

    def all(self) -> list[Folder]:
        """Give the folders."""
        return [*self.labelled.values(), *self.unlabelled]


def find_parts(tree: Folder, classes: Classes) -> Parts | None:
    """Find the folders that are named as parts are and hold classes, wherever they lie.

    A folder `test` without classes, or with none of train's, is unlabelled. A folder `train` without classes beside
    others that are no parts may be a class itself, so it alone makes no parts.

    Returns:
        The parts; None if none of them has two classes.
    """
    named = [*_named(tree, classes)]
    labelled: dict[Part, list[Folder]] = {}
    for folder in named:
        part = part_of(folder.name)
        if part and part != "unlabelled" and len(classes(folder)) > 1:
            labelled.setdefault(part, []).append(folder)
    if not labelled:
        return None
    notes: list[str] = []
    doubts: list[str] = []
    chosen = {part: _choose(part, folders, classes, doubts) for part, folders in labelled.items()}
    if "train" not in chosen and (other := _only_other(tree, chosen, classes)):
        chosen["train"] = other
    known = classes(chosen["train"]) if "train" in chosen else set()
    chosen = {part: folder for part, folder in chosen.items() if not known or classes(folder) & known}
    chosen = with_train(chosen, {part: folder.count for part, folder in chosen.items()}, notes)
    parts = Parts(chosen, _unlabelled(named, chosen, doubts), notes, doubts)
    elsewhere = tree.count - parts.count
    if elsewhere > MAX_ELSEWHERE * tree.count:
        doubts.append(f"{elsewhere:,} of {tree.count:,} images lie in none of these parts")
    return parts


def list_roots(labelled: Mapping[Part, Folder], unlabelled: list[Folder]) -> dict[Part, str | list[str]]:
    """Give the paths of parts' folders, as formats have them."""
    paths = [folder.path for folder in unlabelled]
    bare: dict[Part, str | list[str]] = {"unlabelled": paths[0] if len(paths) == 1 else paths} if paths else {}
    return {part: folder.path for part, folder in labelled.items()} | bare


def _named(place: Folder, classes: Classes) -> Iterator[Folder]:
    """Give the folders that are named as parts are, the outermost of each path."""
    children = [*place.folders.values()]
    beside = any(part_of(child.name) and len(classes(child)) > 1 for child in children)
    for child in children:
        if part_of(child.name) and (beside or names_just_a_part(child.name)):
            yield child
        else:
            yield from _named(child, classes)


def _choose(part: Part, folders: list[Folder], classes: Classes, doubts: list[str]) -> Folder:
    """Take a part's folder: one with just the part's name, then the largest."""
    folders = sorted(folders, key=lambda each: (each.name.lower() not in PARTS, -each.count))
    if len(folders) > 1:
        names = ", ".join(f"'{folder.path}' ({folder.count:,} images)" for folder in folders[:4])
        doubts.append(f"{len(folders)} folders may be {part}: {names}")
    return folders[0]


def _only_other(tree: Folder, chosen: dict[Part, Folder], classes: Classes) -> Folder | None:
    """Find `photos` beside `test`: the only folder there that is no part and has the same classes."""
    known = set().union(*(classes(folder) for folder in chosen.values()))
    for place in (tree, *tree.below()):
        if any(folder in chosen.values() for folder in place.folders.values()):
            others = [
                child for child in place.folders.values() if not part_of(child.name) and len(classes(child) & known) > 1
            ]
            return others[0] if len(others) == 1 else None
    return None


def _unlabelled(named: list[Folder], chosen: dict[Part, Folder], doubts: list[str]) -> list[Folder]:
    """Take the folders without labels, and doubt flat folders of other parts."""
    left = [folder for folder in named if folder not in chosen.values()]
    for folder in left:
        if part_of(folder.name) in ("train", "validation") and part_of(folder.name) not in chosen:
            doubts.append(f"'{folder.path}' has {folder.count:,} images and no class folders")
    words = {part_of(folder.name) for folder in left}
    word = "unlabelled" if "unlabelled" in words else "test"
    return [folder for folder in left if part_of(folder.name) == word]
