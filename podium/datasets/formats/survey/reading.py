"""One way to read an archive, and what speaks for and against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from podium.config.datasets import Format

NAMES_SAY_SO = 1
"""Strength of a reading by the names of folders or files alone."""
PARTS_AGREE = 2
"""Strength of one by names that agree with each other: train and test hold the same classes."""
WRITTEN_DOWN = 3
"""Strength of one by what a table or an annotation says of each image."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One way to read an archive.

    Attributes:
        format: what the page would say; None if the layout is known, and podium cannot read it: `doubts` says why.
        what: one line for people, such as `the folders 'cat' and 'dog' are classes`.
        images: how many image files, or rows of tables of pixels, it uses.
        strength: of what says so; see the constants.
        aside: why it leaves files aside, by the path of a file or of a folder that holds them.
        notes: what a person should know of it, each a sentence.
        doubts: what speaks against it, each a sentence. A reading with a doubt is never taken unasked.
    """

    format: Format | None
    what: str
    images: int
    strength: int
    aside: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
