"""What the columns of a table of pixels are: pixels, label, split, or something else."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from podium.config.datasets import Part
from podium.datasets.archive import Archive
from podium.datasets.formats.pixel_csv.sample import Sample
from podium.datasets.formats.pixel_csv.splits import find_split

MAX_OTHERS = 12
"""Columns beside the pixels; a table with more is none of images."""
MIN_DISTINCT_ROWS = 20
"""A column that has another value in each of so many rows is no label."""
LABEL_WORDS = {"label", "labels", "class", "classes", "category", "target", "letter", "digit", "emotion", "y"}
ID_WORDS = {"", "id", "ids", "imageid", "index", "idx", "unnamed", "name", "file", "filename", "path", "no", "nr"}


@dataclass(frozen=True)
class Roles:
    """What the columns beside the pixels are.

    Attributes:
        labels: those that may be the label; several if it is not clear.
        split: the one that says the part.
        words: what its words stand for.
        others: the rest.
        fault: why the table cannot be used; empty if it can.
    """

    labels: list[str]
    split: str | None
    words: dict[str, Part]
    others: list[str]
    fault: str = ""

    @classmethod
    def of_label(cls, label: str, beside: Sequence[str]) -> Self:
        """Leave aside all but the label."""
        return cls([label], None, {}, [column for column in beside if column != label])


def assign_roles(archive: Archive, sample: Sample, beside: Sequence[str]) -> Roles:
    """Tell what the columns beside the pixels are.

    Args:
        archive: that of the table.
        sample: the table's.
        beside: the columns that are no pixels.
    """
    split, words = find_split(archive, sample, beside)
    left = [column for column in beside if column != split]
    ids = [column for column in left if _is_id(column, sample.values(column)) or not any(sample.values(column))]
    left = [column for column in left if column not in ids]
    if shares := _one_hot(sample, left):
        names = ", ".join(f"'{name}'" for name in shares[:4])
        fault = (
            f"Its labels are spread over {len(shares)} columns of 0 and 1: {names}{', …' if len(shares) > 4 else ''}. "
            "Expected one column with the label: write the table anew, with the name of the column that has the 1"
        )
        return Roles([], split, words, ids, fault)
    named = [column for column in left if set(_words(column)) & LABEL_WORDS]
    labels = named if len(named) == 1 else left
    if not labels and len(ids) == 1 and set(_words(ids[0])) & LABEL_WORDS:
        labels, ids = ids, []
    return Roles(labels, split, words, ids + [column for column in left if column not in labels])


def doubt_label(sample: Sample, labels: Sequence[str]) -> list[str]:
    """Say what speaks against the one column that may be the label, by its values."""
    if len(labels) != 1 or len(sample.rows) < MIN_DISTINCT_ROWS:
        return []
    values = sample.values(labels[0])
    if fraction := next((value for value in values if re.fullmatch(r"-?\d*\.\d*[1-9]\d*", value)), ""):
        return [f"The column '{labels[0]}' has fractions such as {fraction}; expected classes."]
    if len(set(values)) == len(values):
        return [f"The column '{labels[0]}' has another value in every row that was looked at; expected classes."]
    return []


def pick_end(sample: Sample) -> str | None:
    """Tell which of the first and the last column is the label, by values: where columns have no names.

    Returns:
        The column; None if the first rows do not tell.
    """
    first, last = sample.columns[0], sample.columns[-1]
    for one, other in ((first, last), (last, first)):
        if any(not value.isdecimal() for value in sample.values(one)):
            return one if all(value.isdecimal() for value in sample.values(other)) else None
    likely = [column for column in (first, last) if _is_dense(sample.values(column))]
    return likely[0] if len(likely) == 1 else None


def _words(column: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()) or [""]


def _is_id(column: str, values: list[str]) -> bool:
    """Say whether a column numbers or names the images."""
    if set(_words(column)) & LABEL_WORDS and not set(_words(column)) & ID_WORDS:
        return False
    if len(values) >= MIN_DISTINCT_ROWS and len(set(values)) == len(values):
        return True
    running = len(values) > 1 and all(value.isdecimal() for value in values) and _runs([int(value) for value in values])
    return set(_words(column)) <= ID_WORDS or (running and bool(set(_words(column)) & ID_WORDS))


def _runs(numbers: list[int]) -> bool:
    return all(after - before == 1 for before, after in pairwise(numbers))


def _one_hot(sample: Sample, columns: list[str]) -> list[str]:
    shares = [column for column in columns if set(sample.values(column)) <= {"0", "1", "0.0", "1.0"}]
    if len(shares) < 3 or not sample.rows:
        return []
    ones = [Counter(row)["1"] for row in zip(*(map(_whole, sample.values(column)) for column in shares), strict=True)]
    return shares if ones.count(1) >= 0.9 * len(ones) else []


def _whole(value: str) -> str:
    return value.removesuffix(".0")


def _is_dense(values: list[str]) -> bool:
    """Say whether values are few, and fill a range: those of a label do, those of a pixel do not."""
    numbers = {int(value) for value in values if len(value) < 10}
    if len(numbers) < 2:
        return False
    frequent = max(Counter(values).values())
    return max(numbers) - min(numbers) < 1.5 * len(numbers) + 3 and frequent < 0.9 * len(values)
