"""The boxes of Street View House Numbers as they are published: `digitStruct.mat`, and the same as JSON.

The first is a file of MATLAB 7.3, which is HDF5 with 512 bytes in front. It has two arrays of references,
`digitStruct/name` and `digitStruct/bbox`, that lead to each image's name and to a group of five fields. A field is
one number, or, if the image has several digits, an array of references to one number each.
"""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import psutil
from h5py import h5d, h5g, h5r, h5s, h5t
from numpy.typing import NDArray

from podium.errors import PodiumError

FIELDS = ("label", "left", "top", "width", "height")
MIN_BYTES = 256
"""Bytes that an image takes in a file at the very least, and a digit, too: what claims more is damaged."""
MEMORY_BYTES = 1 << 28
"""Bytes that reading may take, besides twice the size of the file: a damaged one may have HDF5 ask for ever more."""

_ERRORS = (AttributeError, KeyError, MemoryError, OSError, RuntimeError, TypeError, UnicodeError, ValueError)
"""What h5py raises for a damaged file; an AttributeError where a reference leads to another kind of object."""
_METADATA_BYTES = 1 << 18
"""Of HDF5's metadata kept in memory: 256 KiB. By itself it keeps 32 MiB of objects that are looked at once."""
_REFERENCE = h5t.py_create(h5py.ref_dtype)


@dataclass(frozen=True)
class Boxes:
    """The first digits of n images, in the order of the file.

    Attributes:
        names: file names of the images.
        counts: (n,) how many digits each image has.
        labels: (n,) of each image's first digit, as written: 1–9, and 10 for the digit 0. 0 where it was not asked for.
        boxes: (n, 4) its left, top, width, height, as written: pixels of the original image. NaN as above.
    """

    names: list[str]
    counts: NDArray[np.int64]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64]


def read_digit_struct(path: Path, digits: Literal["one", "first"], name: str = "digitStruct.mat") -> Boxes:
    """Read a `digitStruct.mat` with h5py.

    Args:
        path: the file.
        digits: whose boxes are asked for: of images with `one` digit, or the `first` of every image.
        name: how messages call it.

    Raises:
        PodiumError: it is damaged, or something else.
    """
    try:
        with _memory_limited(MEMORY_BYTES + 2 * path.stat().st_size), h5py.File(path, "r") as file:
            table = _Reader(file, path, digits).read()
    except _ERRORS as error:
        raise PodiumError(
            f"{name} is damaged, or something else than SVHN's digitStruct as MATLAB saves it. "
            f"{type(error).__name__}: {error}. Download the archive again."
        ) from None
    return _check(*table, name)


def read_digit_json(data: bytes, name: str = "digitStruct.json") -> Boxes:
    """Read the same from JSON: `[{"filename": "1.png", "boxes": [{"label": 5.0, "left": 43.0, …}, …]}, …]`.

    Args:
        data: the whole file.
        name: how messages call it.

    Raises:
        PodiumError: it is not JSON, or something else is in it.
    """
    return _check(*_parse(data, name), name)


class _Reader:
    """An open file, from which no more is read than a file of its size can hold.

    Each object is opened by h5py's low-level calls: the others take several times as long. Numbers that stand in one
    piece, as MATLAB writes them, are read all at once at the end, by their places in the file.

    Raises:
        Exception: by every method, one of `_ERRORS`.
    """

    def __init__(self, file: h5py.File, path: Path, digits: Literal["one", "first"]) -> None:
        self._file, self._path, self._digits = file, path, digits
        self._id = file.id
        self._size = self._left = path.stat().st_size
        cache = self._id.get_mdc_config()
        cache.set_initial_size = True
        cache.initial_size = cache.min_size = cache.max_size = _METADATA_BYTES
        self._id.set_mdc_config(cache)
        self._bytes = np.memmap(path, np.uint8, "r")

    def read(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
        """Give the names (n,), the counts (n,), and of each image's first digit the `FIELDS` (n, 5)."""
        names, groups = (self._column(f"digitStruct/{key}") for key in ("name", "bbox"))
        if len(names) != len(groups):
            raise ValueError(f"it has {len(names)} names and {len(groups)} groups of boxes")
        texts = [self._text(reference) for reference in names]
        counts = np.zeros(len(groups), np.int64)
        values = np.full((len(groups), len(FIELDS)), np.nan)
        places = np.full(values.shape, -1)
        for row, reference in enumerate(groups):
            counts[row] = self._first_digit(reference, values[row], places[row])
        at_once = places >= 0
        values[at_once] = np.ndarray((self._size - 7,), "<f8", self._bytes, strides=(1,))[places[at_once]]
        return texts, counts, values

    def _column(self, name: str) -> NDArray[Any]:
        """Read the references to all names, or to all boxes, which MATLAB writes in chunks if they are many."""
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset) or h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
            raise TypeError(f"{name} is not an array of references")
        self._take(MIN_BYTES * (dataset.size or 0))
        references: NDArray[Any] = dataset[()].ravel()
        return references

    def _text(self, reference: h5r.Reference) -> str:
        dataset = h5r.dereference(reference, self._id)
        count = dataset.get_space().get_simple_extent_npoints()
        self._take(2 * count)
        if not dataset.get_type().equal(h5t.STD_U16LE):
            raise TypeError(f"the name of an image is no text, but {dataset.dtype}")
        start = self._place(dataset, 2 * count)
        if start is None:
            letters = np.empty(count, "<u2")
            self._read(dataset, letters, h5t.STD_U16LE)
            return letters.tobytes().decode("utf-16-le")
        return self._bytes[start : start + 2 * count].tobytes().decode("utf-16-le")

    def _first_digit(self, reference: h5r.Reference, values: NDArray[np.float64], places: NDArray[np.int64]) -> int:
        """Count an image's digits; put the fields of the first into `values`, or where they stand into `places`."""
        group = h5r.dereference(reference, self._id)
        if not isinstance(group, h5g.GroupID):
            raise TypeError("the boxes of an image are no group")
        count = -1
        for column, field in enumerate(FIELDS):
            dataset = h5d.open(group, field.encode())
            here = dataset.get_space().get_simple_extent_npoints()
            if count < 0:
                count = here
                self._take(MIN_BYTES * (1 + count))
            if here != count:
                raise ValueError(f"the fields of an image have different lengths: {count} and {here}")
            if count == 0 or (count > 1 and self._digits == "one"):
                break
            if dataset.get_type().get_class() == h5t.REFERENCE:
                references = np.empty(count, h5py.ref_dtype)
                dataset.read(h5s.create_simple((count,)), h5s.ALL, references, _REFERENCE)
                dataset = h5r.dereference(references[0], self._id)
                here = dataset.get_space().get_simple_extent_npoints()
            elif count > 1:
                raise TypeError(f"'{field}' of an image with several digits has no references")
            if here != 1 or dataset.get_type().get_class() not in (h5t.FLOAT, h5t.INTEGER):
                raise TypeError(f"'{field}' of a digit is not one number")
            start = self._place(dataset, 8) if dataset.get_type().equal(h5t.IEEE_F64LE) else None
            if start is None:
                self._read(dataset, values[column : column + 1], h5t.IEEE_F64LE)
            else:
                places[column] = start
        return count

    def _place(self, dataset: h5d.DatasetID, size: int) -> int | None:
        """Give where in the file the bytes of a dataset stand; None if they stand in several pieces."""
        start = dataset.get_offset()
        if start is None or dataset.get_storage_size() != size:
            return None
        if start + size > self._size:
            raise ValueError("an address leads out of the file")
        return int(start)

    def _read(self, dataset: h5d.DatasetID, values: NDArray[Any], kind: h5t.TypeID) -> None:
        _require_plain(dataset, self._size)
        dataset.read(h5s.create_simple((values.size,)), h5s.ALL, values, kind)

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ValueError("it claims more than a file of this size can hold")


def _require_plain(dataset: h5d.DatasetID, size: int) -> None:
    """Refuse a dataset that lies in other files, or whose pieces are larger than a file of this size can hold.

    Not for references: HDF5 1.14.6 never returns from reading a compressed array of them whose creation properties
    were asked for. What they lead to is looked at as everything is.
    """
    plan = dataset.get_create_plist()
    if plan.get_layout() == h5d.VIRTUAL or (plan.get_layout() == h5d.CONTIGUOUS and plan.get_external_count()):
        raise ValueError("a dataset of it lies in another file")
    if plan.get_layout() == h5d.CHUNKED and prod(plan.get_chunk()) > size:
        raise ValueError("it has chunks that a file of this size cannot hold")


@contextmanager
def _memory_limited(size: int) -> Iterator[None]:
    """Let this process take no more than so many bytes beyond those that it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = psutil.Process().memory_info().vms + size
    resource.setrlimit(resource.RLIMIT_AS, (limit if soft == resource.RLIM_INFINITY else min(limit, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _parse(data: bytes, name: str) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    expected = f"Expected a filename, and boxes with the numbers {', '.join(FIELDS)}. Download the archive again."
    try:
        images = json.loads(data, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise PodiumError(f"{name} is not JSON: {error}. Download the archive again.") from None
    if not isinstance(images, list):
        raise PodiumError(f"{name} is not a list of images. {expected}")
    names, counts, first = [], [], []
    for number, image in enumerate(images, start=1):
        match image:
            case {"filename": str(filename), "boxes": [*boxes]}:
                names.append(filename)
                counts.append(len(boxes))
            case _:
                raise PodiumError(f"Image {number} of {name} is {str(image)[:80]}. {expected}")
        values: list[Any] = [np.nan] * len(FIELDS)
        for box in reversed(boxes):
            values = [box.get(field) for field in FIELDS] if isinstance(box, dict) else []
            if [*map(type, values)] != [float] * len(FIELDS):
                raise PodiumError(f"A box of '{filename}' in {name} is {str(box)[:120]}. {expected}")
        first.append(values)
    return names, np.array(counts, np.int64), np.array(first, np.float64).reshape(-1, len(FIELDS))


def _check(names: list[str], counts: NDArray[np.int64], values: NDArray[np.float64], name: str) -> Boxes:
    """Give the boxes if there are any, and all of them are numbers; a label of NaN beside NaNs was not asked for.

    Raises:
        PodiumError: there are none, or one is not, or its label is not whole.
    """
    if not names:
        raise PodiumError(f"{name} names no images. Expected one at least.")
    labels = values[:, 0]
    good = np.isfinite(values).all(axis=1) & (np.abs(labels) < 2**53) & (labels == np.rint(labels))
    asked = (counts == 1) | ((counts > 1) & ~np.isnan(values).all(axis=1))
    if not good[asked].all():
        image = int(np.flatnonzero(asked & ~good)[0])
        fields = ", ".join(f"{field} {number:g}" for field, number in zip(FIELDS, values[image], strict=True))
        raise PodiumError(
            f"The first digit of '{names[image]}' in {name} has {fields}. "
            "Expected finite numbers, and a whole one as label. Download the archive again."
        )
    return Boxes(names, counts, np.where(good, labels, 0).astype(np.int64), values[:, 1:].copy())
