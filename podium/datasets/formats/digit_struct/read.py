"""Street View House Numbers, whole photographs: a box and a label for every digit in every image.

    train/1.png, train/2.png, …      folders:      train: train
    train/digitStruct.mat            annotations:  train: train/digitStruct.mat

The annotations are MATLAB's `digitStruct.mat`, or the same as JSON. The label 10 means the digit 0. Source:
Y. Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from podium.config.datasets import DigitStructFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import find_images, load

if TYPE_CHECKING:
    from podium.datasets.formats.digit_struct.annotations import Boxes

logger = logging.getLogger(__name__)


def read(raw: Path, layout: DigitStructFormat) -> Iterator[Example]:
    """Read the parts one after the other, the images in the order of their annotations. See `formats.read`."""
    with Archive(raw) as archive:
        for part, folder in layout.folders.items():
            files = {path: name for _, path, name in find_images(archive, {part: folder})}
            table = layout.annotations[part]
            boxes = _read_table(archive, table, layout.digits)
            left = 0
            for image, name in enumerate(boxes.names):
                if boxes.counts[image] == 0 or (layout.digits == "one" and boxes.counts[image] > 1):
                    left += 1
                elif name not in files:
                    missing = f"{table} names it, but it is not in the archive"
                    yield Example(f"{folder}/{name}", part, "", None, missing)
                else:
                    yield _example(archive, files[name], part, boxes, image)
            if left:
                logger.info("%s: %d images with another number of digits than one are left aside", table, left)
            for name in sorted(files.keys() - set(boxes.names)):
                yield Example(files[name], part, "", None, f"{table} does not name it")


def _read_table(archive: Archive, table: str, digits: Literal["one", "first"]) -> "Boxes":
    from podium.datasets.formats.digit_struct.annotations import read_digit_json, read_digit_struct  # h5py

    if table.lower().endswith(".json"):
        return read_digit_json(archive.read(table), table)
    with archive.copy(table) as path:
        return read_digit_struct(path, digits, table)


def _example(archive: Archive, name: str, part: str, boxes: "Boxes", image: int) -> Example:
    left, top, width, height = (float(edge) for edge in boxes.boxes[image])
    return load(archive, name, part, str(boxes.labels[image]), (left, top, width, height))
