"""Images whose names begin with their class, then a separator and a number."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Literal

from podium.config.datasets import LabelledNamesFormat, Part
from podium.datasets.formats.image_files import stem_of
from podium.datasets.formats.labelled_names.read import class_of
from podium.datasets.formats.survey.contents import Contents, hidden_in_archives
from podium.datasets.formats.survey.parts import Parts, find_parts, list_roots
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, Reading, agree_with_folders, spread
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import names_a_holder, part_of

SEPARATORS = (".", "_", "-", " (", " ")
MIN_LABELLED_SHARE = 0.95
"""So large a share of the names has a class."""

SAMPLE = 1000
"""Names by which it is seen whether all are worth a look."""

_LETTER = re.compile(r"[^\W\d_]")

Ends = Literal["first", "last"]

_CAMERAS = {
    *("img", "dsc", "dscn", "dscf", "pxl", "mvimg", "p", "dji", "gopr", "gp", "sam", "imgp", "pict"),
    *("screenshot", "frame", "scan", "capture", "snapshot", "whatsapp", "wp", "vlcsnap", "cam", "camera"),
    *("pano", "burst", "fb", "mg"),
}
"""What cameras and programs put before a number."""


def find(contents: Contents) -> list[Reading]:
    """Find the separator that tells the fewest classes, two at least."""
    tree = contents.tree.top()
    ways: list[tuple[str, Ends]] = [(separator, ends) for separator in SEPARATORS for ends in ("first", "last")]
    found = [(way, parts) for way in ways if (parts := _parts(tree, *way))]
    if not found:
        return []
    (separator, ends), parts = min(found, key=lambda pair: len(_labels(pair[1].labelled["train"], *pair[0])))
    folders: dict[Part, Folder] = {part: folder.core() for part, folder in parts.labelled.items()}
    bare = [folder.core() for folder in parts.unlabelled]
    labels = sorted(_labels(folders["train"], separator, ends))
    hidden = hidden_in_archives(contents.archive, [*folders.values(), *bare])
    layout = LabelledNamesFormat(
        kind="labelled_names",
        folders=list_roots(folders, bare),
        separator=separator,
        class_ends="last" if ends == "last" else None,
        exclude=contents.exclude(folder.path for folder in (*folders.values(), *bare)) or None,
    )
    shown = ", ".join(f"'{label}'" for label in labels[:4]) + (", …" if len(labels) > 4 else "")
    return [
        Reading(
            format=layout,
            what=f"the names of the images begin with {len(labels):,} classes: {shown}",
            images=parts.count,
            strength=NAMES_SAY_SO,
            aside=contents.aside,
            notes=parts.notes,
            doubts=[*parts.doubts, *([hidden] if hidden else []), *_doubts(labels)],
            agrees=agree_with_folders(
                (name, class_of(stem_of(name), separator, ends)) for name in folders["train"].all_images()
            ),
            samples=partial(_samples, folders["train"], separator, ends),
        )
    ]


def _parts(tree: Folder, separator: str, ends: Ends) -> Parts | None:
    labels = partial(_labels, separator=separator, ends=ends)
    if parts := find_parts(tree, labels):
        return parts
    return Parts({"train": tree}, [], [], []) if len(labels(tree)) > 1 else None


def _labels(folder: Folder, separator: str, ends: Ends) -> set[str]:
    """Give what names begin with; nothing unless nearly all go on with a number, and classes have several each."""
    if folder.count > SAMPLE:  # most ways fit no name at all
        few = [name for each in (folder, *folder.below()) for name in each.images[:: folder.count // SAMPLE]]
        if len(_labelled(few, separator, ends)) < MIN_LABELLED_SHARE / 2 * len(few):
            return set()
    labels = _labelled(folder.all_images(), separator, ends)
    distinct = set(labels)
    return distinct if len(labels) >= MIN_LABELLED_SHARE * folder.count and 2 * len(distinct) <= len(labels) else set()


def _labelled(names: Iterable[str], separator: str, ends: Ends) -> list[str]:
    """Give what names begin with, of those that go on with a number."""
    number = re.compile(r"\(?\d" if ends == "first" else r"\(?\d+\)?$")
    labels = []
    for name in names:
        stem = stem_of(name)
        label = class_of(stem, separator, ends)
        if label and _LETTER.search(label) and number.match(stem, len(label) + len(separator)):
            labels.append(label)
    return labels


def _doubts(labels: list[str]) -> list[str]:
    """Doubt what cameras write, parts, and what says no more than that there is an image."""
    odd = [label for label in labels if label.strip("_-. ").lower() in _CAMERAS or names_a_holder(label)]
    if odd:
        return [f"'{odd[0]}' is what cameras or programs put before a number, rather than a class"]
    if parts := [label for label in labels if part_of(label)]:
        return [f"'{parts[0]}' is a part's name, rather than a class's"]
    return []


def _samples(folder: Folder, separator: str, ends: Ends) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in folder.all_images():
        found.setdefault(class_of(stem_of(name), separator, ends), []).append(name)
    return {label: spread(images) for label, images in found.items() if label}
