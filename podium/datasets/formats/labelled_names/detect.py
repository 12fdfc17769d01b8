"""Images whose names begin with their class, then a separator and a number."""

import re
from functools import partial
from pathlib import PurePosixPath

from podium.config.datasets import LabelledNamesFormat, Part
from podium.datasets.formats.survey.contents import Contents, Folder, Survey
from podium.datasets.formats.survey.parts import Parts, find_parts

SEPARATORS = (".", "_", "-", " (", " ")
MIN_LABELLED_SHARE = 0.95
"""So large a share of the names has a class."""


def find(contents: Contents) -> Survey | None:
    """Find the separator that tells the fewest classes, two at least."""
    found = [(separator, parts) for separator in SEPARATORS if (parts := _parts(contents.tree.top(), separator))]
    if not found:
        return None
    separator, parts = min(found, key=lambda pair: len(_labels(pair[1].labelled["train"], pair[0])))
    folders: dict[Part, Folder] = {part: folder.core() for part, folder in parts.labelled.items()}
    if parts.unlabelled:
        folders["unlabelled"] = parts.unlabelled.core()
    notes = parts.notes + contents.look_through(folders.values())
    paths = {part: folder.path for part, folder in folders.items()}
    return Survey(LabelledNamesFormat(kind="labelled_names", folders=paths, separator=separator), notes)


def _parts(tree: Folder, separator: str) -> Parts | None:
    labels = partial(_labels, separator=separator)
    if parts := find_parts(tree, labels):
        return parts
    return Parts({"train": tree}, None, []) if len(labels(tree)) > 1 else None


def _labels(folder: Folder, separator: str) -> set[str]:
    """Give what the names begin with; nothing unless nearly all go on with a number, and classes have several each."""
    labels = []
    for name in folder.all_images():
        label, _, rest = PurePosixPath(name).stem.partition(separator)
        if re.search(r"[^\W\d_]", label) and re.match(r"\(?\d", rest):
            labels.append(label)
    distinct = set(labels)
    return distinct if len(labels) >= MIN_LABELLED_SHARE * folder.count and 2 * len(distinct) <= len(labels) else set()
