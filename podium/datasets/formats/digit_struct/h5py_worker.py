"""A digitStruct.mat as JSON, by h5py: `python digit_struct_json.py [PICTURE ...] < digitStruct.mat`.

Slow, some 600 images a second, but it reads whatever HDF5 can. `annotations` starts it as a process of its
own, with limits: on a damaged file HDF5 1.14.6 may write where it should not (CVE-2025-6816) or take memory without end
(23 GB after three wrong bytes, when it was tried). Python's own traceback says what is wrong.
"""

import json
import os
import resource
import sys
from collections.abc import Sequence
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

FIELDS = ("label", "left", "top", "width", "height")

MIN_BYTES = 256
"""Bytes that an image takes in a file at the very least, and a digit, too: what claims more is damaged."""
MEMORY_BYTES = 1 << 30
"""Bytes that this process may take, besides twice the size of the file."""


def read(raw: IO[bytes], images: Sequence[int] = ()) -> list[dict[str, Any]]:
    """Give the names and boxes of images, counted from 0; by default of all.

    Raises:
        Exception: the file is damaged, or something else; h5py raises one of many.
    """
    with h5py.File(raw, "r") as file:
        left = size = file.id.get_filesize()
        names, boxes = (_references(file[f"digitStruct/{key}"], size) for key in ("name", "bbox"))
        if names.shape != boxes.shape or names.shape[1:] != (1,):
            raise ValueError(f"names and boxes are arrays of {names.shape} and {boxes.shape}")
        if images:
            pairs = [(names[image, 0], boxes[image, 0]) for image in images]
        else:
            pairs = [*zip(names[:, 0], boxes[:, 0], strict=True)]
        rows = []
        for name, group in pairs:
            letters = _numbers(file[name], size).astype("<u2")
            digits = _read_digits(file[group], size)
            left -= MIN_BYTES * (1 + len(digits)) + letters.size
            if left < 0:
                raise ValueError("it claims more images than a file of this size can hold")
            rows.append({"filename": letters.tobytes().decode("utf-16-le"), "boxes": digits})
        return rows


def _read_digits(group: Any, size: int) -> list[dict[str, float]]:
    fields = [_read_field(group[field], size) for field in FIELDS]
    if len({*map(len, fields)}) != 1:
        raise ValueError(f"the fields of {group} have different lengths")
    return [dict(zip(FIELDS, digit, strict=True)) for digit in zip(*fields, strict=True)]


def _read_field(dataset: Any, size: int) -> list[float]:
    """Give one field of an image's digits: the dataset's own numbers, or those that it refers to."""
    if isinstance(dataset, h5py.Dataset) and h5py.check_ref_dtype(dataset.dtype):
        references = np.asarray(_references(dataset, size)[()])
        return [float(_numbers(dataset.file[reference], size).item()) for reference in references.flat]
    return [float(number) for number in _numbers(dataset, size)]


def _references(dataset: Any, size: int) -> Any:
    """Give the dataset back if it is an array of references, not more than a file of this size can hold."""
    if not isinstance(dataset, h5py.Dataset) or h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
        raise ValueError(f"{dataset} is not an array of references")
    if dataset.size is None or dataset.size * MIN_BYTES > size:
        raise ValueError(f"{dataset} has more elements than a file of this size can hold")
    return dataset


def _numbers(dataset: Any, size: int) -> NDArray[Any]:
    """Give all numbers of a dataset, not more than a file of this size can hold."""
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "uif" or dataset.size is None:
        raise ValueError(f"{dataset} is not an array of numbers")
    if dataset.size > size:
        raise ValueError(f"{dataset} has more elements than a file of this size can hold")
    return np.asarray(dataset[()]).ravel()


def _limit(size: int) -> None:
    """Have this process end where it takes too much: processor seconds (one for a megabyte, plus 60), and memory."""
    for kind, most in ((resource.RLIMIT_CPU, 60 + size // 1_000_000), (resource.RLIMIT_AS, MEMORY_BYTES + 2 * size)):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(kind, (most, hard))


if __name__ == "__main__":
    _limit(os.fstat(sys.stdin.fileno()).st_size)
    json.dump(read(sys.stdin.buffer, [*map(int, sys.argv[1:])]), sys.stdout)
