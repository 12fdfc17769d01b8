"""A first `params.yaml`, as YAML with comments."""

from dataclasses import dataclass
from textwrap import wrap

import pandas as pd
from ruamel.yaml.comments import CommentedMap

from podium.config import Candidate, Dataset, Schedule
from podium.config.writing import to_node, to_yaml
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.starter.choices import spread

SCHEDULE = "augmented"

_WIDTH = 110
"""Columns of a comment."""


@dataclass(frozen=True)
class Found:
    """What comments tell of a dataset.

    Attributes:
        reference: what a person typed for it.
        labelled: the manifest's rows that can be used and have a label.
        counts: images of each class (rows) in each part (columns).
        unlabelled: images without labels.
        notes: sentences about the format.
    """

    reference: str
    labelled: pd.DataFrame
    counts: pd.DataFrame
    unlabelled: int
    notes: list[str]


def write_page(name: str, dataset: Dataset, schedule: Schedule, candidate: Candidate, found: Found) -> bytes:
    """Write the page.

    Returns:
        YAML in block style, UTF-8. Whatever letters a label has, `load_params` gives it back.
    """
    page = CommentedMap()
    page["datasets"] = to_node({name: dataset})
    page["schedules"] = to_node({SCHEDULE: schedule})
    page["candidates"] = to_node({f"{name}-cnn": candidate})
    page.yaml_set_start_comment(_wrapped(_title(name, found), 0) + "\n\n")
    for table in ("schedules", "candidates"):
        page.yaml_set_comment_before_after_key(table, before="\n")
    _comment_dataset(page["datasets"][name], dataset, found)
    _comment(page["schedules"][SCHEDULE], "augmentation", _MOVED, 4)
    _comment(page["candidates"][f"{name}-cnn"], "model", _MODEL, 4)
    return to_yaml(page)


_MOVED = "Degrees and shares of the size. Add flip: horizontal if a flipped image keeps its class."
_MODEL = "A small network from scratch, which needs no download. docs/params.md has the others."
_CLASSES = "The label as the archive writes it: the name that people read, which is yours to choose."


def _title(name: str, found: Found) -> str:
    reference = "".join(letter if letter.isprintable() else "?" for letter in found.reference)
    return (
        f"{name}: {len(found.labelled):,} images of {len(found.counts):,} classes.\n"
        f"A draft by `podium init {reference}`.\n"
        "Every value is yours to correct: docs/params.md explains the keys, docs/your-own-dataset.md the formats."
    )


def _comment_dataset(node: CommentedMap, dataset: Dataset, found: Found) -> None:
    """Say what was found, beside what was chosen for it."""
    totals = found.counts.sum()
    if found.notes:
        _comment(node, "format", "\n".join(found.notes), 4)
    for places in (node["format"].get(key, {}) for key in ("folders", "files", "tables")):
        for part in places:
            count = found.unlabelled if part == UNLABELLED else totals[part]
            places.yaml_add_eol_comment(f"{count:,} images", part, column=0)
    _comment(node, "classes", _CLASSES, 4)
    for label, row in found.counts.iterrows():
        text = ", ".join(f"{count:,} {part}" for part, count in row.items())
        node["classes"].yaml_add_eol_comment(text, label, column=0)
    _comment(node, "image", _image(dataset, found.labelled), 4)
    _comment(node, "split", _split(dataset, totals), 4)
    smallest, part = found.counts.min().min(), found.counts.min().idxmin()
    _comment(
        node,
        "validation",
        f"Bounds that the data keeps with room to spare: its smallest class has {smallest:,} images, in {part}.",
        4,
    )
    _comment(node, "reference", "Published results, for the reports to show beside yours: docs/params.md.", 4)


def _image(dataset: Dataset, labelled: pd.DataFrame) -> str:
    (least_width, most_width), (least_height, most_height) = (
        (labelled[side].min(), labelled[side].max()) for side in ("width", "height")
    )
    if least_width == most_width and least_height == most_height:
        return f"All images are {least_width:,} × {least_height:,} pixels."
    shorter = labelled[["height", "width"]].min(axis=1).median()
    shapes = (
        f"Their shapes vary much ({spread(labelled):.1f} times from narrow to wide), so they get black borders."
        if dataset.image.resize == "pad"
        else "Their shapes are much alike, so they are stretched; 'pad' would keep them whole, 'crop' cut them."
    )
    return (
        f"The images are {least_width:,} to {most_width:,} pixels wide and {least_height:,} to {most_height:,} high; "
        f"half have a shorter side of {shorter:,.0f} or more. {shapes} Larger is slower."
    )


def _split(dataset: Dataset, totals: pd.Series) -> str:
    parts = ", ".join(f"{part} {count:,}" for part, count in totals.items())
    split = dataset.split
    match split.kind:
        case "archive":
            return f"The archive's own parts: {parts}."
        case "archive_hashed":
            return (
                f"The archive has {parts}. Its {split.test_from} is test; of its train, a share is placed in "
                f"validation by content. {_STAYS}"
            )
        case "archive_drawn":
            drawn = "drawn by class" if split.stratify else "drawn; some class is too small to draw by class"
            return f"The archive has {parts}. Its {split.test_from} is test; of its train, a share is {drawn}. {_MOVES}"
        case "hashed":
            return f"The archive has one part, {parts}; images are placed in validation and test by content. {_STAYS}"
        case _:
            return f"The archive has one part, {parts}; validation and test are drawn by class. {_MOVES}"


_STAYS = "They stay where they are when the dataset grows; see podium validate --accept, too."
_MOVES = "A class is too small to be placed by content, so images change places when the dataset grows."


def _comment(node: CommentedMap, key: str, text: str, indent: int) -> None:
    node.yaml_set_comment_before_after_key(key, before=_wrapped(text, indent), indent=indent)


def _wrapped(text: str, indent: int) -> str:
    lines = [line for part in text.split("\n") for line in wrap(part, _WIDTH - indent, break_on_hyphens=False)]
    return "\n".join(lines)
