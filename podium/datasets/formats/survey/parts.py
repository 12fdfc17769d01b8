"""The folders of an archive's parts."""

from collections.abc import Callable
from dataclasses import dataclass

from podium.config.datasets import Part
from podium.datasets.formats.survey.contents import Folder
from podium.datasets.formats.survey.words import PARTS, part_of, with_train

Classes = Callable[[Folder], set[str]]
"""Tells which classes the images below a folder have, by a format's rules."""


@dataclass(frozen=True)
class Parts:
    """The folder of each part."""

    labelled: dict[Part, Folder]
    """Train first."""
    unlabelled: Folder | None
    notes: list[str]

    @property
    def count(self) -> int:
        """How many images they hold."""
        return sum(folder.count for folder in self.labelled.values()) + (
            self.unlabelled.count if self.unlabelled else 0
        )


def find_parts(tree: Folder, classes: Classes) -> Parts | None:
    """Find folders that are named as parts are, side by side.

    Returns:
        Those with the most images; None if nowhere one of them has two classes, or if most images lie elsewhere.
    """
    found, named_images, near = [], 0, [tree]
    for place in near:  # it grows
        named = [child for child in place.folders.values() if part_of(child.name)]
        near += [child for child in place.folders.values() if not part_of(child.name)]
        named_images += sum(child.count for child in named)
        if named and (parts := _settle(_pick(place, classes), classes)):
            found.append(parts)
    best = max(found, key=lambda parts: parts.count, default=None)
    return best if best and 2 * max(named_images, best.count) >= tree.count else None


def _pick(place: Folder, classes: Classes) -> dict[Part, Folder]:
    """Give one folder to each part: rather one with classes, then one with just the part's name, then the largest."""
    picked: dict[Part, Folder] = {}
    children = [*place.folders.values()]
    children.sort(key=lambda each: (len(classes(each)) < 2, each.name.lower() not in PARTS, -each.count))
    for child in children:
        if part := part_of(child.name):
            picked.setdefault(part, child)
    others = [child for child in children if not part_of(child.name) and len(classes(child)) > 1]
    if "train" not in picked and len(others) == 1:  # `photos` beside `test`
        picked["train"] = others[0]
    return picked


def _settle(picked: dict[Part, Folder], classes: Classes) -> Parts | None:
    """Tell parts with labels from one without: it has no classes, or others than train."""
    known = classes(picked["train"]) if "train" in picked else set()
    labelled: dict[Part, Folder] = {}
    for part, folder in picked.items():
        has = classes(folder)
        if part != "unlabelled" and len(has) > 1 and (has & known or len(known) < 2):
            labelled[part] = folder
    if not labelled:
        return None
    notes: list[str] = []
    labelled = with_train(labelled, {part: folder.count for part, folder in labelled.items()}, notes)
    bare = [picked[part] for part in ("unlabelled", "test") if part in picked and picked[part] not in labelled.values()]
    return Parts(labelled, bare[0] if bare else None, notes)
