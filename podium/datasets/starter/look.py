"""What the page of a taken reading shows: each class's images, part by part, and an account of every file."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from podium.config import Dataset
from podium.config.datasets import Part
from podium.datasets.formats.detect import Survey
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.inventory import Inventory
from podium.datasets.masks import has_label, is_readable
from podium.datasets.starter.choices import labelled_rows
from podium.pages.html import printable, shortened, write_html

MAX_CLASSES = 60
"""Classes whose images are shown; of more, the first."""
MAX_COUNTED = 400
"""Classes whose images are counted one by one."""
IMAGES = 5
"""Images of a class in a part."""
MAX_COMMAND, MAX_SENTENCE = 20_000, 2_000
"""Characters of a command and of a sentence."""


class Whole(str):
    """A text that a page shows whole, however long it is, so that it can be copied."""

    __slots__ = ()


@dataclass(frozen=True)
class Shown:
    """An image on the page."""

    id: str
    thumbnail: bytes | None


@dataclass(frozen=True)
class Strip:
    """Images of one class in one part, and how many there are."""

    part: str
    count: int
    images: list[Shown]


@dataclass(frozen=True)
class ClassSheet:
    """A class, and its images in each part."""

    name: str
    label: str
    count: int
    strips: list[Strip]


@dataclass(frozen=True)
class Look:
    """What `podium init` found.

    Attributes:
        name: the dataset's.
        command: what was typed, without `--as` and `--force`.
        dataset: what `params.yaml` says of it.
        manifest: one row an image; the index is 0, 1, 2, ….
        counts: images of each class (rows) in each part (columns).
        survey: the reading that was taken, and the others.
        inventory: of the archive's files.
        notes: sentences about what was found, but for those about files left aside.
        problems: what `dvc repro` will stop at.
    """

    name: str
    command: Sequence[str]
    dataset: Dataset
    manifest: pd.DataFrame
    counts: pd.DataFrame
    survey: Survey
    inventory: Inventory
    notes: list[str]
    problems: list[str]

    @property
    def parts(self) -> list[str]:
        """The parts that have labels, in their usual order."""
        usual = [*get_args(Part)]
        return sorted(self.counts.columns, key=lambda part: (*usual, part).index(part))


def choose_rows(look: Look) -> list[int]:
    """Give the rows of the images that the page shows, ascending."""
    return sorted(row for rows in _choose(look).values() for row in rows)


def write_look(look: Look, thumbnails: Mapping[int, bytes], path: Path) -> None:
    """Write the page.

    Args:
        look: what was found; the same gives the same bytes.
        thumbnails: WebP files by row, of the rows that `choose_rows` names.
        path: the HTML file to be.
    """
    ids = look.manifest["id"]
    images = {
        key: [Shown(shortened(str(ids[row])), thumbnails.get(row)) for row in rows]
        for key, rows in _choose(look).items()
    }
    sheets = [
        ClassSheet(
            look.dataset.classes[label],
            label,
            int(look.counts.loc[label].sum()),
            [Strip(part, int(look.counts.loc[label, part]), images.get((part, label), [])) for part in look.parts],
        )
        for label in [*look.counts.index][:MAX_CLASSES]
    ]
    values = {
        "look": look,
        "sheets": sheets,
        "unlabelled": Strip(UNLABELLED, int((~has_label(look.manifest)).sum()), images.get((UNLABELLED, ""), [])),
        "account": _account(look),
        "others": [
            (number, reading, command_of(look.command, number, "--force")) for number, reading in look.survey.others
        ],
    }
    write_init(values, path)


def command_of(words: Sequence[str], number: int | None, *more: str) -> Whole:
    """Give the command that takes a reading; empty if it has no number."""
    if number is None:
        return Whole("")
    return Whole(printable(shlex.join([*words, "--as", str(number), *more]), MAX_COMMAND))


def write_init(values: Mapping[str, Any], path: Path) -> None:
    """Write the page of `podium init`, of the one kind or the other."""
    empty = {"look": None, "choice": None}
    filters: dict[str, Callable[..., Any]] = {
        "number": "{:,}".format,
        "whole": lambda text: Whole(printable(text, MAX_SENTENCE)),
    }
    write_html(__package__, "init.html", {**empty, **values}, filters, path)


def spread(rows: Sequence[int], count: int) -> list[int]:
    """Take so many of some rows, evenly from the first to the last."""
    return [int(rows[place]) for place in np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]


def _choose(look: Look) -> dict[tuple[str, str], list[int]]:
    """Give the rows of the images that are shown, by part and label; those without labels have the label ``."""
    labelled = labelled_rows(look.manifest)
    shown = labelled[labelled["label"].isin([*look.counts.index][:MAX_CLASSES])]
    rows = shown.index.to_series().groupby([shown["part"].astype(str), shown["label"].astype(str)], sort=False)
    chosen = {(str(part), str(label)): spread([*places], IMAGES) for (part, label), places in rows}
    bare = look.manifest.index[is_readable(look.manifest) & ~has_label(look.manifest)]
    return chosen | ({(UNLABELLED, ""): spread([*bare], IMAGES)} if len(bare) else {})


def _account(look: Look) -> dict[str, Any]:
    """Count images by class and part, as far as they are one by one, and what has no class."""
    manifest, counts, parts = look.manifest, look.counts[look.parts], look.parts
    rest = counts.iloc[MAX_COUNTED:]
    rows: list[tuple[str, list[int]]] = [
        (look.dataset.classes[str(label)], _ints(row)) for label, row in counts.iloc[:MAX_COUNTED].iterrows()
    ]
    others: list[tuple[str, list[int]]] = []
    if len(rest):
        others.append((f"{len(rest):,} more classes", _ints(rest.sum())))
    labelled = has_label(manifest)
    for what, mask in (
        ("has an empty label", is_readable(manifest) & labelled & (manifest["label"] == "")),
        ("cannot be used", ~is_readable(manifest) & labelled),
    ):
        if mask.any():
            inside = manifest.loc[mask, "part"].value_counts()
            others.append((what, [int(inside.get(part, 0)) for part in parts]))
    total = [sum(row[place] for _, row in rows + others) for place in range(len(parts))]
    files = look.inventory.images
    return {
        "rows": rows,
        "others": others,
        "total": total,
        "files": files + look.inventory.tables + look.inventory.left,
        "absent": manifest["id"].nunique() - files if files else 0,
    }


def _ints(values: Iterable[object]) -> list[int]:
    return [int(str(value)) for value in values]
