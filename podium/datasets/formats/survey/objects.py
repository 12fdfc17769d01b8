"""What speaks for and against a reading by objects: how many images have exactly one, and what becomes of others."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from podium.config.datasets import Format, Objects, Part
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.formats.objects.part import UNNAMED, Annotated
from podium.datasets.formats.objects.tally import SEVERAL
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.pairs import base_of
from podium.datasets.formats.survey.reading import WRITTEN_DOWN, Reading
from podium.datasets.formats.survey.words import part_of

MIN_ALONE = 0.9
"""With a smaller share of images that have exactly one object, `objects: one` is not taken unasked."""
MAX_LOST = 0.1
"""With a larger share of annotations that cannot be understood, or whose images are not there, nothing is."""
LOOKED_AT = 10_000
"""Images whose annotation, a file of its own, is looked at; of more, so many by chance."""
GUIDE = "docs/your-own-dataset.md"


@dataclass
class Draft:
    """A layout as far as a detector found it.

    Attributes:
        kind: as people call it, such as `Pascal VOC`.
        page: gives the format for a way to choose the object.
        parts: the images and annotations of each part.
        folders: the images' folders, `unlabelled` too.
        aside: why files are left aside, by the path of a file or folder.
        notes: what a person should know.
        doubts: what speaks against it.
        limit: how many annotations to look at; `LOOKED_AT` if it is not given.
    """

    kind: str
    page: Callable[[Objects], Format]
    parts: Mapping[Part, Annotated]
    folders: Mapping[Part, str]
    aside: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    limit: int | None = None


@dataclass
class _Outcome:
    """What one way to choose the object makes of the images."""

    used: int = 0
    labels: set[str] = field(default_factory=set)
    left: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    faults: int = 0
    lost: int = 0

    def leave(self, image: str, reason: str) -> None:
        if image in self.aside:  # of a folder that several parts share
            return
        self.left[reason] += 1
        self.examples.setdefault(reason, image)
        self.aside[image] = reason


def weigh(contents: Contents, draft: Draft) -> list[Reading]:
    """Look at the annotations and give the readings.

    Returns:
        One with `objects: one` if that takes most images; else that one and one with `objects: largest`, both with
        doubts; or one without a format if neither gives two classes.
    """
    total = sum(len(annotated.images) for annotated in draft.parts.values())
    looked = min(total, draft.limit or LOOKED_AT)
    scale = total / max(looked, 1)
    boxless = Counter[bool]()
    ways: dict[Objects, _Outcome] = {"one": _Outcome(), "largest": _Outcome()}
    named = {image for annotated in draft.parts.values() for image in annotated.pairs.found}
    for annotated, images in _sample(draft.parts, total, looked):
        own = [image for image in images if image in annotated.pairs.found or image not in named]
        _look(annotated, own, round(len(annotated.absent) / scale), ways, boxless)
    one, largest = ways["one"], ways["largest"]
    if not (one.used or one.left[SEVERAL]):
        return []
    bare = _unlabelled(contents, draft.folders)
    others = _elsewhere(contents, draft)
    notes = [*draft.notes]
    if looked < total:
        notes.append(f"{looked:,} of {total:,} images were drawn, and their annotations looked at; counts are of them.")
        others |= dict.fromkeys(draft.folders.values(), "its annotation leaves it out, or it has none")
    if boxless[True]:
        notes.append(f"{boxless[True]:,} of {boxless.total():,} images have an object without a box.")
    if one.left[UNNAMED]:
        notes.append(_left(one, UNNAMED))

    def reading(objects: Objects, doubts: list[str]) -> Reading:
        way = ways[objects]
        chosen = "one object" if objects == "one" else "largest object"
        told = [f"An image's label is that of its {chosen} in the annotations ({draft.kind})."]
        told += [_left(way, reason) for reason in way.left if reason != UNNAMED]
        return Reading(
            format=draft.page(objects) if len(way.labels) > 1 else None,
            what=f"the {chosen} of each image, as {draft.kind} annotations tell, is its label",
            images=round(way.used * scale) + bare,
            strength=WRITTEN_DOWN,
            aside=contents.aside | draft.aside | others | (way.aside if looked == total else {}),
            notes=told + notes,
            doubts=draft.doubts + _lost(way) + doubts,
        )

    seen = one.used + sum(count for reason, count in one.left.items() if reason != UNNAMED)
    if len(one.labels) > 1 and one.used >= MIN_ALONE * seen:
        return [reading("one", [])]
    if len(largest.labels) < 2:
        none_understood = largest.faults and not largest.labels
        return [reading("largest", [] if none_understood else [_too_few_labels(largest, draft.kind)])]
    few = f"{one.used:,} of {seen:,} images have exactly one object"
    if SEVERAL in one.left:
        few += f"; {one.left[SEVERAL]:,} have several, such as '{one.examples[SEVERAL]}'"
    alone = f"{few}: `objects: one` leaves out the others, `objects: largest` would use {largest.used:,}."
    most = f"{few}: with `objects: largest` the others get the label of their largest object, though they show more."
    readings = [reading("one", [alone])] if len(one.labels) > 1 else []
    return [*readings, reading("largest", [most])]


def _sample(parts: Mapping[Part, Annotated], total: int, looked: int) -> Iterator[tuple[Annotated, list[str]]]:
    """Draw images of all parts. A fixed step would see one class of an archive in which classes alternate."""
    drawn = set(np.random.default_rng(0).choice(total, looked, replace=False).tolist()) if looked < total else None
    numbers = count()
    for annotated in parts.values():
        pairs = zip(annotated.images, numbers, strict=False)
        yield annotated, [image for image, number in pairs if drawn is None or number in drawn]


def _look(
    annotated: Annotated, images: list[str], lost: int, ways: Mapping[Objects, _Outcome], boxless: Counter[bool]
) -> None:
    """Count what becomes of images, and of so many that are not there."""
    for image in images:
        tally = None if image in annotated.pairs.clashes else annotated.look(image)
        if tally is not None and not isinstance(tally, str) and tally.count:
            boxless[tally.without_box and not tally.fault] += 1
        for objects, way in ways.items():
            if tally is None:
                way.used, way.faults = way.used + 1, way.faults + 1
            elif isinstance(tally, str):
                way.leave(image, tally)
            elif reason := tally.left_out(objects):
                way.leave(image, reason)
            else:
                way.used += 1
                if tally.fault or tally.largest is None:
                    way.faults += 1
                    way.examples.setdefault("fault", tally.fault)
                else:
                    way.labels.add(tally.largest.label)
    for absent in annotated.absent[:lost]:
        for objects, way in ways.items():
            if annotated.misses(absent, objects):
                way.lost += 1
                way.examples.setdefault("lost", absent.id)


def _left(way: _Outcome, reason: str) -> str:
    return f"{way.left[reason]:,} images are left aside, such as '{way.examples[reason]}': {reason}."


def _lost(way: _Outcome) -> list[str]:
    """Say what cannot be understood, or is not there."""
    doubts = []
    if way.faults > MAX_LOST * way.used:
        example = way.examples.get("fault", "two images share one annotation")
        doubts.append(f"The annotations of {way.faults:,} of {way.used:,} images cannot be understood: {example}.")
    if way.lost > MAX_LOST * (way.used + way.lost):
        doubts.append(f"{way.lost:,} images are named and not in the archive, such as '{way.examples['lost']}'.")
    return doubts


def _too_few_labels(way: _Outcome, kind: str) -> str:
    if not way.labels:
        return (
            f"The annotations ({kind}) give no image one label: {sum(way.left.values()):,} images are left out, "
            f"such as '{next(iter(way.examples.values()), '')}'. podium gives an image one label; {GUIDE} says how."
        )
    (label,) = way.labels
    return f"All objects of the annotations ({kind}) are '{label}'; a classifier needs two classes at least."


def _unlabelled(contents: Contents, folders: Mapping[Part, str]) -> int:
    place = folders.get(UNLABELLED)
    return sum(1 for name in contents.tree.all_images() if place and name.startswith(f"{place}/"))


def find_unlabelled(contents: Contents, used: Mapping[Part, str]) -> str | None:
    """Find a folder of images named as a test part is, beside those with annotations."""
    places = [f"{place}/" for place in used.values()]
    for folder in contents.tree.below():
        path = f"{folder.path}/"
        apart = not any(place == "./" or place.startswith(path) or path.startswith(place) for place in places)
        if apart and part_of(folder.name) in ("test", UNLABELLED):
            return folder.path
    return None


def _elsewhere(contents: Contents, draft: Draft) -> dict[str, str]:
    """Say why images in other folders are left aside, by their folder."""
    places = [*draft.folders.values()]
    if "." in places:
        return {}
    stems = {base_of(image) for annotated in draft.parts.values() for image in annotated.images}
    aside = {}
    for folder in (contents.tree, *contents.tree.below()):
        if not folder.images or any(f"{folder.path}/".startswith(f"{place}/") for place in places):
            continue
        alike = 2 * sum(base_of(image) in stems for image in folder.images) > len(folder.images)
        reason = "images with the names of annotated ones, such as masks" if alike else UNNAMED
        aside.update(dict.fromkeys(folder.images, reason) if folder.path == "." else {folder.path: reason})
    return aside
