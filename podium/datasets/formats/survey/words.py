"""What a folder or a table is for, told by the words of its name: to train, to choose, to measure."""

import re
from collections.abc import Iterable
from typing import TypeVar, get_args

from podium.config.datasets import Part

Thing = TypeVar("Thing")

PARTS: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "unlabelled": "unlabelled",
    "unlabeled": "unlabelled",
}
"""What a word in lower case stands for."""


def words_of(name: str) -> list[str]:
    """Give the words of a name in lower case: `TrainImages`, `train_images` and `train-images2` are two words each."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]


def part_of(name: str) -> Part | None:
    """Tell the part that a name stands for: `seg_train`, `test1.zip`. None if it is none, or several."""
    found = {PARTS[word] for word in words_of(name) if word in PARTS}
    return found.pop() if len(found) == 1 else None


def part_of_path(path: str) -> Part | None:
    """Tell the part that a path stands for; its last name says most."""
    return next((part for name in reversed(path.split("/")) if (part := part_of(name))), None)


def with_train(parts: dict[Part, Thing], size: dict[Part, int], notes: list[str]) -> dict[Part, Thing]:
    """Put parts in order, and have a train: without one, the largest part with labels becomes it.

    Args:
        parts: one of them has labels.
        size: of each part.
        notes: grows by a sentence if a part is renamed.
    """
    if "train" not in parts:
        largest = max((part for part in parts if part != "unlabelled"), key=lambda part: size[part])
        notes.append(f"The archive has no train; its {largest} is train.")
        parts = {("train" if part == largest else part): thing for part, thing in parts.items()}
    return {part: parts[part] for part in get_args(Part) if part in parts}


def assign_tables(tables: Iterable[tuple[str, int]], notes: list[str]) -> dict[Part, str]:
    """Give each part its table, by the words in the tables' paths; of several, the largest.

    Args:
        tables: paths and sizes.
        notes: grows by a sentence for each table that is left aside.
    """
    parts: dict[Part, str] = {}
    size: dict[Part, int] = {}
    ordered = sorted(tables, key=lambda table: -table[1])
    named = any(part_of_path(table) for table, _ in ordered)
    for table, count in ordered:
        part = part_of_path(table) if named else "train"
        if part is None or part == "unlabelled" or part in parts:
            notes.append(f"The table '{table}' is left aside.")
        else:
            parts[part], size[part] = table, count
    return with_train(parts, size, notes) if parts else {}
