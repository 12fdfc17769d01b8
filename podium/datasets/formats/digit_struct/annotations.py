"""The boxes of Street View House Numbers as they are published: `digitStruct.mat`, and the same as JSON.

The first is a file of MATLAB 7.3, which is HDF5 with 512 bytes in front. It has two arrays of references,
`digitStruct/name` and `digitStruct/bbox`, that lead to each image's name and to a group of five fields. A field is
one number, or, if the image has several digits, an array of references to one number each.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.datasets.formats.digit_struct import h5py_worker as digit_struct_json
from podium.datasets.formats.digit_struct.h5py_worker import FIELDS, MIN_BYTES
from podium.datasets.formats.digit_struct.hdf5 import CHARACTER, DOUBLE, REFERENCE, Integers, Objects, Unexpected
from podium.errors import PodiumError

COMPARED_IMAGES = 16
"""Images that are read by h5py as well, to compare."""
H5PY = Path(digit_struct_json.__file__)
"""What runs as a process of its own: HDF5 is not to be trusted with a stranger's file."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Boxes:
    """The digits of n images, m in all, in the order of the file.

    Attributes:
        names: file names of the images.
        first: (n + 1,); image i has the digits from `first[i]` up to, not including, `first[i + 1]`.
        labels: (m,) as written: 1–9, and 10 for the digit 0.
        boxes: (m, 4) left, top, width, height, as written: pixels of the original image.
    """

    names: list[str]
    first: NDArray[np.int64]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64]


@dataclass(frozen=True)
class _Table:
    """Names, the number of digits of each image (n,), and the digits, unchecked (m, 5) in the order of `FIELDS`."""

    names: list[str]
    counts: Integers
    digits: NDArray[np.float64]

    def pick(self, images: Iterable[int]) -> "_Table":
        """Give the table of some images."""
        ends = self.counts.cumsum()
        rows = [np.arange(ends[image] - self.counts[image], ends[image]) for image in images]
        names = [self.names[image] for image in images]
        return _Table(names, self.counts[[*images]], self.digits[np.concatenate(rows)])

    def same(self, other: "_Table") -> bool:
        """Tell whether both say the same."""
        return (
            self.names == other.names
            and np.array_equal(self.counts, other.counts)
            and np.array_equal(self.digits, other.digits, equal_nan=True)
        )


def read_digit_struct(data: bytes, name: str = "digitStruct.mat") -> Boxes:
    """Read a `digitStruct.mat`: as MATLAB builds it, tens of thousands of images a second, otherwise 600.

    Args:
        data: the whole file.
        name: how messages call it.

    Raises:
        PodiumError: it is damaged, or something else.
    """
    try:
        table = _read_at_once(data)
        sample = sorted({*np.linspace(0, len(table.names) - 1, COMPARED_IMAGES, dtype=int).tolist()})
        if not table.pick(sample).same(_ask_h5py(data, name, sample)):
            raise Unexpected("h5py reads something else")
    except Unexpected as reason:
        logger.info("%s is read object by object, which takes a while: %s", name, reason)
        table = _ask_h5py(data, name)
    return _check(table, name)


def read_digit_json(data: bytes, name: str = "digitStruct.json") -> Boxes:
    """Read the same from JSON: `[{"filename": "1.png", "boxes": [{"label": 5.0, "left": 43.0, …}, …]}, …]`.

    Args:
        data: the whole file.
        name: how messages call it.

    Raises:
        PodiumError: it is not JSON, or something else is in it.
    """
    return _check(_parse(data, name), name)


def _parse(data: bytes, name: str) -> _Table:
    expected = f"Expected a filename, and boxes with the numbers {', '.join(FIELDS)}. Download the archive again."
    try:
        images = json.loads(data, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise PodiumError(f"{name} is not JSON: {error}. Download the archive again.") from None
    if not isinstance(images, list):
        raise PodiumError(f"{name} is not a list of images. {expected}")
    names, counts, digits = [], [], []
    for number, image in enumerate(images, start=1):
        match image:
            case {"filename": str(filename), "boxes": [*boxes]}:
                names.append(filename)
                counts.append(len(boxes))
            case _:
                raise PodiumError(f"Image {number} of {name} is {str(image)[:80]}. {expected}")
        for box in boxes:
            digit = [box.get(field) for field in FIELDS] if isinstance(box, dict) else []
            if [*map(type, digit)] != [float] * len(FIELDS):
                raise PodiumError(f"A box of '{filename}' in {name} is {str(box)[:120]}. {expected}")
            digits.append(digit)
    return _Table(names, np.array(counts, np.int64), np.array(digits, np.float64).reshape(-1, len(FIELDS)))


def _read_at_once(data: bytes) -> _Table:
    """Read all images at once.

    Raises:
        Unexpected: the file is not built as MATLAB does it.
    """
    objects = Objects(data)
    [_, struct] = objects.members(objects.root, ("#refs#", "digitStruct"))
    [arrays] = objects.members(struct, ("name", "bbox")).T
    pairs = objects.datasets(arrays, (REFERENCE,))
    count = int(pairs.count[0])
    if count == 0 or count != pairs.count[1] or MIN_BYTES * count > len(data):
        raise Unexpected("there are not as many names as boxes")
    texts, groups = objects.follow(objects.elements(pairs, 8)).reshape(2, count)
    names = _read_names(objects, texts)
    fields = [objects.datasets(member, (DOUBLE, REFERENCE)) for member in objects.members(groups, FIELDS)]
    counts = fields[0].count
    if any((field.count != counts).any() for field in fields) or MIN_BYTES * counts.sum() > len(data):
        raise Unexpected("the fields of an image have different lengths")
    digits = np.empty((counts.sum(), len(FIELDS)))
    for column, field in enumerate(fields):
        place = objects.elements(field, 8)
        refers = np.repeat(field.kind == 1, counts)
        numbers = objects.datasets(objects.follow(place[refers]), (DOUBLE,))
        if (numbers.count != 1).any():
            raise Unexpected("a digit's field is not one number")
        place[refers] = numbers.start
        digits[:, column] = objects.read(place, "<f8")
    return _Table(names, counts, digits)


def _read_names(objects: Objects, headers: Integers) -> list[str]:
    texts = objects.datasets(headers, (CHARACTER,))
    letters = objects.read(objects.elements(texts, 2), "<u2")
    if (letters >> 11 == 0xD800 >> 11).any():
        raise Unexpected("a name has letters that take two numbers")
    joined = letters.tobytes().decode("utf-16-le")
    ends = texts.count.cumsum()
    return [joined[start:end] for start, end in zip(ends - texts.count, ends, strict=True)]


def _ask_h5py(data: bytes, name: str, images: Iterable[int] = ()) -> _Table:
    """Read images, by default all, with h5py in another process.

    Raises:
        PodiumError: it cannot, or takes more time or memory than such a file needs.
    """
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        done = subprocess.run(
            [sys.executable, "-P", str(H5PY), *map(str, images)],
            stdin=file,
            capture_output=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread would count as memory
            check=False,
        )
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines() or [f"h5py ended with status {done.returncode}"]
        raise PodiumError(
            f"{name} is damaged, or something else than SVHN's digitStruct as MATLAB saves it. {said[-1]}. "
            "Download the archive again."
        )
    return _parse(done.stdout, name)


def _check(table: _Table, name: str) -> Boxes:
    """Give the boxes if there are any, and all of them are numbers.

    Raises:
        PodiumError: there are none, or one is not, or its label is not whole.
    """
    if not table.names:
        raise PodiumError(f"{name} names no images. Expected one at least.")
    labels = table.digits[:, 0]
    good = np.isfinite(table.digits).all(axis=1) & (np.abs(labels) < 2**53) & (labels == np.rint(labels))
    first = np.concatenate([[0], table.counts.cumsum()])
    if not good.all():
        bad = int(np.argmin(good))
        image = int(np.searchsorted(first, bad, side="right")) - 1
        fields = ", ".join(f"{field} {number:g}" for field, number in zip(FIELDS, table.digits[bad], strict=True))
        raise PodiumError(
            f"Digit {bad - first[image] + 1} of '{table.names[image]}' in {name} has {fields}. "
            "Expected finite numbers, and a whole one as label. Download the archive again."
        )
    return Boxes(table.names, first, labels.astype(np.int64), table.digits[:, 1:].copy())
