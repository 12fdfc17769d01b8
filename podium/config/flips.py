"""The flip guard: datasets whose classes a horizontal flip changes. A flipped 'b' is no 'b', and left becomes right."""

import re

from podium.config.datasets import Dataset

_CHARACTER = re.compile(r"[^\W_]|\d+|zero|one|two|three|four|five|six|seven|eight|nine|ten", re.IGNORECASE)
_SIDE = re.compile(r"(?:^|[\W_])(?:left|right)(?:$|[\W_])", re.IGNORECASE)


_SYMMETRIC = {"zero", "one", "eight", *"018ahimotuvwxy"}
"""Characters that look much the same when flipped, and so make a poor example."""


def class_changed_by_flip(dataset: Dataset) -> str | None:
    """Name a class whose flipped images no longer belong to it; None if there seems to be none.

    A class is recognised by its name: a letter, a digit, a number, or a name with 'left' or 'right' in it. In the
    formats `digits` and `digit_struct` every class counts.
    """
    names = [*dataset.classes.values()]
    if dataset.format.kind not in ("digits", "digit_struct"):
        names = [name for name in names if _CHARACTER.fullmatch(name) or _SIDE.search(name)]
    return min(names, key=lambda name: name.casefold() in _SYMMETRIC, default=None)
