"""How datasets are laid out. One package a kind, of its name.

Each has `read.read(raw, layout) -> Iterator[Example]`; those that `podium init` finds have `detect.find(contents)`.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from podium.config.datasets import Format
from podium.datasets.formats.example import Example

__all__ = ["Example", "read"]


def read(raw: Path, layout: Format) -> Iterator[Example]:
    """Read a dataset image by image, in the archive's own order, never all of it at once.

    Args:
        raw: the folder that `download` filled.
        layout: how its files are laid out.

    Yields:
        Every image, also one that cannot be used: that one says why in `fault`.

    Raises:
        PodiumError: the files are not laid out like this at all.
    """
    # Only the package of this kind is imported, so that a stage depends on no other kind's.
    examples: Iterator[Example] = import_module(f"{__name__}.{layout.kind}.read").read(raw, layout)
    return examples
