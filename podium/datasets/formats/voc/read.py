"""Pascal VOC: image files, and one XML file each with the box and label of every object.

    VOC2012/JPEGImages/2007_000027.jpg      folders:      train: VOC2012/JPEGImages
    VOC2012/Annotations/2007_000027.xml     annotations:  train: VOC2012/Annotations
    VOC2012/ImageSets/Main/train.txt        lists:        train: VOC2012/ImageSets/Main/train.txt

An image and its XML have the same name but for the ending. What the XML says in `filename` and `path` is often of
another disk, and does not count. Source: M. Everingham et al., "The Pascal Visual Object Classes Challenge", 2010.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import VocFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.objects.part import read_part, read_unlabelled
from podium.datasets.formats.voc.annotations import open_part


def read(raw: Path, layout: VocFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, annotations in layout.annotations.items():
            wanted = layout.lists[part] if layout.lists else ""
            annotated = open_part(archive, layout.folders[part], annotations, wanted)
            yield from read_part(archive, part, annotated, layout.objects)
        yield from read_unlabelled(archive, layout.folders)
