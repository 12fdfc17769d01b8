"""Street View House Numbers, whole photographs: a box and a label for every digit in every picture.

    train/1.png, train/2.png, …      folders:      train: train
    train/digitStruct.mat            annotations:  train: train/digitStruct.mat

The annotations are MATLAB's `digitStruct.mat`, or the same as JSON. The label 10 means the digit 0. Source:
Y. Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from podium.archive import Archive
from podium.config.tables import DigitStructFormat
from podium.formats.example import Example
from podium.formats.picture_files import find_pictures, load

if TYPE_CHECKING:
    from podium.formats.matlab import Boxes

logger = logging.getLogger(__name__)


def read(raw: Path, layout: DigitStructFormat) -> Iterator[Example]:
    """Read the parts one after the other, the pictures in the order of their annotations. See `podium.formats.read`."""
    from podium.formats.matlab import read_digit_json, read_digit_struct  # h5py: only this format needs it

    with Archive(raw) as archive:
        for part, folder in layout.folders.items():
            files = {str(path): name for _, path, name in find_pictures(archive, {part: folder})}
            table = layout.annotations[part]
            read_table = read_digit_json if table.lower().endswith(".json") else read_digit_struct
            boxes = read_table(archive.read(table), table)
            left = 0
            for picture, name in enumerate(boxes.names):
                digits = boxes.first[picture + 1] - boxes.first[picture]
                if digits == 0 or (layout.digits == "one" and digits > 1):
                    left += 1
                elif name not in files:
                    missing = f"{table} names it, but it is not in the archive"
                    yield Example(f"{folder}/{name}", part, "", None, missing)
                else:
                    yield _example(archive, files[name], part, boxes, int(boxes.first[picture]))
            if left:
                logger.info("%s: %d pictures with another number of digits than one are left aside", table, left)
            for name in sorted(files.keys() - set(boxes.names)):
                yield Example(files[name], part, "", None, f"{table} does not name it")


def _example(archive: Archive, name: str, part: str, boxes: "Boxes", digit: int) -> Example:
    left, top, width, height = (float(edge) for edge in boxes.boxes[digit])
    return load(archive, name, part, str(boxes.labels[digit]), (left, top, width, height))
