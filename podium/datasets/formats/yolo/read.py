"""YOLO: image files, and one text file each with a line for every object.

    data.yaml               names: [apple, pear]     names:        data.yaml
    images/train/1.jpg                               folders:      train: images/train
    labels/train/1.txt      0 0.5 0.5 0.4 0.2        annotations:  train: labels/train

A line is the class's number, and the box's centre, width and height as shares of the image's size; or a polygon, around
which a box is drawn. An image and its text have the same name but for the ending.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import YoloFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.objects.part import read_part, read_unlabelled
from podium.datasets.formats.yolo.annotations import open_part
from podium.datasets.formats.yolo.names import read_names


def read(raw: Path, layout: YoloFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        names = read_names(archive, layout.names)
        lists = layout.lists or {}
        for part, annotations in layout.annotations.items():
            folder = layout.folders[part]
            annotated = open_part(archive, folder, annotations, names, lists.get(part, ""), lists.values())
            yield from read_part(archive, part, annotated, layout.objects)
        yield from read_unlabelled(archive, layout.folders)
