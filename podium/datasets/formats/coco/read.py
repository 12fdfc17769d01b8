"""COCO: image files, and one JSON a part with the box and label of every object.

    train2017/000000000009.jpg              folders:      train: train2017
    annotations/instances_train2017.json    annotations:  train: annotations/instances_train2017.json

A crowd (`iscrowd`) is no object, and no image that has one has one object alone. Source: T.-Y. Lin et al., "Microsoft
COCO: Common Objects in Context", 2014.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import CocoFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.coco.annotations import open_part, read_table
from podium.datasets.formats.example import Example
from podium.datasets.formats.objects.part import read_part, read_unlabelled


def read(raw: Path, layout: CocoFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, name in layout.annotations.items():
            annotated = open_part(archive, layout.folders[part], name, read_table(archive, name))
            yield from read_part(archive, part, annotated, layout.objects)
        yield from read_unlabelled(archive, layout.folders)
