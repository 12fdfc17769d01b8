"""Image files whose names begin with their class, as in Dogs vs. Cats.

    train.zip/train/cat.0.jpg      folders: train: train.zip/train
    train.zip/train/dog.0.jpg               unlabelled: test1.zip/test1
    test1.zip/test1/1.jpg          separator: '.'

The class is all that stands before the first separator, or before the last.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import LabelledNamesFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED, find_images, load, stem_of


def read(raw: Path, layout: LabelledNamesFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, path, name in find_images(archive, layout.folders, layout.exclude or ()):
            label = class_of(stem_of(path), layout.separator, layout.class_ends)
            if part == UNLABELLED:
                yield load(archive, name, part, "")
            elif not label:
                yield Example(name, part, "", None, f"its name has no class before '{layout.separator}'")
            else:
                yield load(archive, name, part, label)


def class_of(stem: str, separator: str, ends: str | None) -> str:
    """Give what a name begins with; empty if it has no separator.

    Example:
        >>> class_of("american_bulldog_12", "_", "last")
        'american_bulldog'
    """
    label, found, _ = stem.rpartition(separator) if ends == "last" else stem.partition(separator)
    return label if found else ""
