"""Tables that belong together: the parts of one dataset."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from podium.config.datasets import Part
from podium.datasets.formats.pixel_csv.look import Found
from podium.datasets.formats.survey.words import PARTS, part_of_path, with_train


@dataclass(frozen=True)
class Family:
    """The tables of one dataset.

    Attributes:
        parts: the table of each part.
        left: tables of the same kind that are not used.
        rivals: whether one of these would do as well.
        is_named: whether its tables are named for parts.
        notes: what a person should know of it, each a sentence.
    """

    parts: dict[Part, Found]
    left: list[Found]
    rivals: bool
    is_named: bool
    notes: list[str]

    @property
    def first(self) -> Found:
        """The table of train."""
        return next(iter(self.parts.values()))

    @property
    def pixels(self) -> int:
        """About how many pixels its tables have."""
        return self.count * self.first.shape.count

    @property
    def count(self) -> int:
        """About how many rows its tables have."""
        return sum(found.count for found in self.parts.values())


def make_families(labelled: Sequence[Found], bare: Sequence[Found]) -> list[Family]:
    """Sort tables of one kind into datasets: they are one, unless two are named for the same part.

    Args:
        labelled: the tables with labels.
        bare: those of the same shape without.

    Returns:
        The datasets, those whose tables are named for parts first, then the larger.
    """
    named = [part for found in labelled if (part := part_of_path(found.table))]
    stems: dict[str, list[Found]] = defaultdict(list)
    for found in labelled:
        stems["" if len(set(named)) == len(named) > 0 else _stem(found.table)].append(found)
    families = [_settle(tables, labelled, bare) for tables in stems.values()]
    return sorted(families, key=lambda family: (not family.is_named, -family.count))


def _settle(tables: Sequence[Found], labelled: Sequence[Found], bare: Sequence[Found]) -> Family:
    notes: list[str] = []
    parts: dict[Part, Found] = {}
    ordered = sorted(tables, key=lambda found: -found.count)
    is_named = any(part_of_path(found.table) for found in ordered)
    for found in ordered:
        part = part_of_path(found.table) if is_named and found.split is None else "train"
        if part is not None:
            parts.setdefault("test" if part == "unlabelled" else part, found)
    parts = with_train(parts, {part: found.count for part, found in parts.items()}, notes)
    others = [found for found in labelled if found not in parts.values()]
    rivals = any(part_of_path(found.table) or found.split or not is_named for found in others)
    fitting = [found for found in bare if _stem(found.table) == _stem(ordered[0].table)] or [*bare]
    if fitting:
        parts["unlabelled"] = max(fitting, key=lambda found: found.count)
    others += [found for found in bare if found not in parts.values()]
    return Family(parts, others, rivals, is_named, notes)


def _stem(table: str) -> str:
    """Give a path without the words for parts: `letters-train.csv` and `letters-test.csv` have one stem."""
    words = re.findall(r"[a-z]+|\d+", table.rpartition(".")[0].lower())
    return " ".join(word for word in words if word not in PARTS)
