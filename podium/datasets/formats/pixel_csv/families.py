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
        notes: what a person should know of it, each a sentence.
    """

    parts: dict[Part, Found]
    left: list[Found]
    rivals: bool
    notes: list[str]

    @property
    def count(self) -> int:
        """About how many rows its tables have."""
        return sum(found.count for found in self.parts.values())


def make_families(labelled: Sequence[Found], bare: Sequence[Found]) -> list[Family]:
    """Sort tables of one kind into datasets, the largest first.

    Args:
        labelled: the tables with labels.
        bare: those of the same shape without.
    """
    named = any(part_of_path(found.table) for found in labelled)
    stems: dict[str, list[Found]] = defaultdict(list)
    for found in labelled:
        stems[_stem(found.table)].append(found)
    families = [_settle(tables, labelled, bare, named=named and len(labelled) > 1) for tables in stems.values()]
    return sorted((family for family in families if family.parts), key=lambda family: -family.count)


def _settle(tables: list[Found], labelled: Sequence[Found], bare: Sequence[Found], *, named: bool) -> Family:
    notes: list[str] = []
    parts: dict[Part, Found] = {}
    ordered = sorted(tables, key=lambda found: -found.count)
    for found in ordered:
        part = part_of_path(found.table) if named or len(tables) > 1 or found.split is None else "train"
        part = part if named or part else "train"
        if part is not None and part != "unlabelled" and part not in parts:
            parts[part] = found
    if not parts:
        return Family({}, [], rivals=False, notes=[])
    parts = with_train(parts, {part: found.count for part, found in parts.items()}, notes)
    others = [found for found in labelled if found not in parts.values()]
    rivals = any(part_of_path(found.table) for found in others) or (not named and bool(others))
    fitting = [found for found in bare if _stem(found.table) == _stem(ordered[0].table)] or list(bare)
    if fitting:
        parts["unlabelled"] = max(fitting, key=lambda found: found.count)
    others += [found for found in bare if found not in parts.values()]
    return Family(parts, others, rivals, notes)


def _stem(table: str) -> str:
    """Give a table's name without the words for parts: `emnist-letters-train.csv` and `…-test.csv` have one stem."""
    words = re.findall(r"[a-z]+|\d+", table.rpartition("/")[2].rpartition(".")[0].lower())
    return " ".join(word for word in words if word not in PARTS)
