"""One way to read an archive, and what speaks for and against it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podium.config.datasets import Format

GUESSED = 0
"""Strength of a reading by what is left over: a column that no name tells to be the labels."""
NAMES_SAY_SO = 1
"""Strength of a reading by the names of folders or files alone."""
PARTS_AGREE = 2
"""Strength of one by names that agree with each other: train and test hold the same classes."""
WRITTEN_DOWN = 3
"""Strength of one by what a table or an annotation says of each image."""

SAMPLES = 5
"""Images of a label that people are shown."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read an archive.

    Attributes:
        format: what the page would say; None if the layout is known, and podium cannot read it: `doubts` says why.
        what: one line for people, such as `the folders 'cat' and 'dog' are classes`.
        images: how many image files, or rows of tables of pixels, it uses.
        strength: of what says so; see the constants.
        aside: why it leaves images aside, by the path of a file, of a folder that holds them, or by a pattern with `*`.
        notes: what a person should know of it, each a sentence.
        doubts: what speaks against it, each a sentence. A reading with a doubt is never taken unasked.
        agrees: whether the folders of the images tell the same classes.
        names: the names of classes, by their labels, where the archive gives them.
        samples: gives some images of each label, by their paths; none where images are no files.
    """

    format: Format | None
    what: str
    images: int
    strength: int
    aside: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    agrees: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    samples: Callable[[], Mapping[str, list[str]]] = dict


def spread(names: Sequence[str]) -> list[str]:
    """Take a few names, evenly from the first to the last."""
    return [*names[:: max(1, len(names) // SAMPLES)]][:SAMPLES]


def agree_with_folders(pairs: Iterable[tuple[str, str]]) -> bool:
    """Say whether a folder above each image tells the same classes as its label.

    Args:
        pairs: the path and the label of each image.

    Example:
        >>> agree_with_folders([("a/cat/1.png", "0"), ("a/dog/1.png", "1"), ("b/dog/2.png", "1")])
        True
    """
    levels: dict[int, set[tuple[str, str]]] = {}
    for path, label in pairs:
        folders = path.split("/")[:-1]
        for level in (*range(len(folders)), *range(-len(folders), 0)):
            levels.setdefault(level, set()).add((folders[level], label))
    return any(
        len(found) == len({folder for folder, _ in found}) == len({label for _, label in found}) > 1
        for found in levels.values()
    )
