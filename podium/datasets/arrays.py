"""A split as .npy files: written block by block, read memory-mapped, so its size never matters to memory.

images.npy   (n, height, width, channels) uint8, 0–255, raw: models bring their own scaling
labels.npy   (n,) int64, an index into classes.json
boxes.npy    (n, 4) float32: left, top, width, height in pixels of the array's images; only where boxes are a target
ids.npy      (n,) unicode, the images' ids in the manifest
"""

import json
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
BLOCK_IMAGES = 256
"""Images that a writer collects before it writes them."""


@dataclass(frozen=True)
class Split:
    """One split's arrays; see the module's docstring for shapes. They stay on disk until they are read."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    boxes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)


def open_split(folder: Path) -> Split:
    """Open the arrays of one split, memory-mapped and read-only."""
    images, labels, ids = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels", "ids"))
    boxes = folder / "boxes.npy"
    return Split(images, labels, ids, np.load(boxes, mmap_mode="r") if boxes.exists() else None)


def load_classes(processed: Path) -> list[str]:
    """Give the class names that people read, in the order of the labels."""
    names: list[str] = json.loads((processed / "classes.json").read_text(encoding="utf-8"))
    return names


def forget(array: NDArray[Any]) -> None:
    """Let go of the pages of a memory-mapped array that were read; they stay in the system's cache while it has room.

    Else they count as this process's memory, which would seem to grow with the dataset; and fast, because with a small
    image that is read come its surroundings, 130 kB of them (measured).
    """
    if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        array.base.madvise(mmap.MADV_DONTNEED)


class SplitWriter:
    """Writes one split's arrays in order, holding no more than a block of images in memory.

    Used as a context manager. The number of images and their shape are known beforehand; to write others is
    a mistake of the caller, and raises ValueError. After a kill, a new writer goes on where a `sync` was.
    """

    def __init__(
        self, folder: Path, shape: tuple[int, int, int], ids: Sequence[str], *, boxes: bool = False, written: int = 0
    ) -> None:
        """Make the folder, and the files with their headers; or open those of a writer that was killed.

        Args:
            folder: the split's folder.
            shape: height, width, channels of every image.
            ids: the images' ids, in the order in which they will be written.
            boxes: whether every image has a box.
            written: how many images are there already; 0 begins anew.
        """
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "ids.npy", np.array(ids, dtype=np.str_))
        self._count, self._shape, self._written = len(ids), shape, written
        self._waiting: list[tuple[NDArray[np.uint8], int, Sequence[float]]] = []
        self._files = [
            _Growing(folder / "images.npy", (self._count, *shape), np.uint8, written),
            _Growing(folder / "labels.npy", (self._count,), np.int64, written),
        ]
        if boxes:
            self._files.append(_Growing(folder / "boxes.npy", (self._count, 4), np.float32, written))

    def write(self, image: NDArray[np.uint8], label: int, box: Sequence[float] = ()) -> None:
        """Add the next image, (height, width, channels) uint8, the index of its class, and its box if it has one."""
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"an image is {image.shape} {image.dtype} where {self._shape} uint8 was announced")
        self._waiting.append((image, label, box))
        if len(self._waiting) == BLOCK_IMAGES:
            self._flush()

    def sync(self) -> None:
        """Bring everything that was written to the disk, so that not even a power cut can lose it."""
        self._flush()
        for file in self._files:
            file.sync()

    def _flush(self) -> None:
        if self._waiting:
            for file, column in zip(self._files, zip(*self._waiting, strict=True), strict=False):
                file.append(column)
            self._written += len(self._waiting)
            self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        for file in self._files:
            file.close()
        if kind is None and self._written != self._count:
            raise ValueError(f"{self._written} images were written where {self._count} were announced")


class _Growing:
    """A .npy file of a known shape, appended to row by row."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: type[np.generic], written: int) -> None:
        self._dtype = np.dtype(dtype)
        self._file = path.open("r+b" if written else "wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        row = self._dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
        self._file.truncate(self._file.tell() + written * row)
        self._file.seek(0, 2)

    def append(self, rows: Sequence[Any]) -> None:
        block = np.stack(rows) if isinstance(rows[0], np.ndarray) else np.array(rows, dtype=self._dtype)
        self._file.write(block.data)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()
