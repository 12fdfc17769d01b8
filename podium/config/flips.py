"""Which datasets a mirror would falsify: a flipped 'b' is no 'b', and what was left is right."""

import re

from podium.config.datasets import Dataset

_READ = re.compile(r"[^\W_]|\d+|zero|one|two|three|four|five|six|seven|eight|nine|ten", re.IGNORECASE)
_SIDE = re.compile(r"(?:^|[\W_])(?:left|right)(?:$|[\W_])", re.IGNORECASE)


_ALIKE = {"zero", "one", "eight", *"018ahimotuvwxy"}
"""What looks much the same in a mirror, and makes a poor example."""


def class_changed_by_flip(dataset: Dataset) -> str | None:
    """Name a class whose flipped images would be of it no longer; None if there seems to be none.

    Letters, digits and numbers count by their names, as do names with a left or a right in them; every class of a
    format that holds digits alone counts.
    """
    names = [*dataset.classes.values()]
    if dataset.format.kind not in ("digits", "digit_struct"):
        names = [name for name in names if _READ.fullmatch(name) or _SIDE.search(name)]
    return min(names, key=lambda name: name.casefold() in _ALIKE, default=None)
