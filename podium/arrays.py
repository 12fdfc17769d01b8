"""A split as .npy files: written block by block, read memory-mapped, so its size never matters to memory.

images.npy   (n, height, width, channels) uint8, 0–255, raw: models bring their own scaling
labels.npy   (n,) int64, an index into classes.json
ids.npy      (n,) unicode, the pictures' ids in the manifest
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
BLOCK = 256
"""Pictures that a writer collects before it writes them."""


@dataclass(frozen=True)
class Split:
    """One split's arrays; see the module's docstring for shapes. They stay on disk until they are read."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)


def open_split(folder: Path) -> Split:
    """Open the arrays of one split, memory-mapped and read-only."""
    arrays = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels", "ids"))
    return Split(*arrays)


def load_classes(processed: Path) -> list[str]:
    """Give the class names that people read, in the order of the labels."""
    names: list[str] = json.loads((processed / "classes.json").read_text(encoding="utf-8"))
    return names


class SplitWriter:
    """Writes one split's arrays in order, holding no more than a block of pictures in memory.

    Used as a context manager. The number of pictures and their shape are known beforehand; to write others is
    a mistake of the caller, and raises ValueError.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int], ids: Sequence[str]) -> None:
        """Make the folder, and the files with their headers.

        Args:
            folder: the split's folder, to be made.
            shape: height, width, channels of every picture.
            ids: the pictures' ids, in the order in which they will be written.
        """
        folder.mkdir(parents=True)
        np.save(folder / "ids.npy", np.array(ids, dtype=np.str_))
        self._count, self._shape = len(ids), shape
        self._written = 0
        self._waiting: list[tuple[NDArray[np.uint8], int]] = []
        self._images = (folder / "images.npy").open("wb")
        self._labels = (folder / "labels.npy").open("wb")
        _write_header(self._images, (self._count, *shape), np.dtype(np.uint8))
        _write_header(self._labels, (self._count,), np.dtype(np.int64))

    def write(self, image: NDArray[np.uint8], label: int) -> None:
        """Add the next picture, (height, width, channels) uint8, and the index of its class."""
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"a picture is {image.shape} {image.dtype} where {self._shape} uint8 was announced")
        self._waiting.append((image, label))
        if len(self._waiting) == BLOCK:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            images, labels = zip(*self._waiting, strict=True)
            self._images.write(np.stack(images).tobytes())
            self._labels.write(np.array(labels, dtype=np.int64).tobytes())
            self._written += len(images)
            self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._images, self._labels:
            if kind is None:
                self._flush()
        if kind is None and self._written != self._count:
            raise ValueError(f"{self._written} pictures were written where {self._count} were announced")


def _write_header(file: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
