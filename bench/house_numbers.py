"""Write a `digitStruct.mat` as large as that of Street View House Numbers: `python -m bench.house_numbers FILE`.

Built as MATLAB does it: 512 bytes in front; a group `#refs#` with everything but the two arrays of references; a
image's fields are (1, 1) doubles if it has one digit, and (n, 1) references to such doubles if it has n.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5r, h5s, h5t

FIELDS = ("height", "left", "top", "width", "label")
"""In MATLAB's order."""

IMAGES = {1: 5_137, 2: 18_130, 3: 8_691, 4: 1_434, 5: 9, 6: 1}
"""How many images of the official train part have so many digits: 33,402 images with 73,257 digits."""

Image = tuple[str, np.ndarray]
"""A name, and its digits: (digits, 5) float64 in the order of `FIELDS`."""


def draw(digits: Iterable[int], seed: int = 0) -> list[Image]:
    """Draw images with so many digits each."""
    random = np.random.default_rng(seed)
    images = []
    for number, count in enumerate(digits, start=1):
        boxes = random.integers(1, 120, (count, len(FIELDS))).astype(np.float64)
        boxes[:, -1] = random.integers(1, 11, count)
        images.append((f"{number}.png", boxes))
    return images


def write(path: Path, images: Iterable[Image], libver: str = "earliest", chunks: bool = False) -> None:
    """Write images.

    Args:
        path: the file.
        images: what is in it.
        libver: `latest` for structures that MATLAB does not write.
        chunks: store every array in compressed chunks, which MATLAB does with large ones only.
    """
    with h5py.File(path, "w", userblock_size=512, libver=libver) as file:
        writer = _Writer(file, chunks)
        references = [(writer.write_name(name), writer.write_boxes(boxes)) for name, boxes in images]
        struct = file.create_group("digitStruct")
        _mark(struct.id, b"struct")
        for key, column in zip(("name", "bbox"), zip(*references, strict=True), strict=True):
            writer.write_references(struct.id, key.encode(), column)
        user_block = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"
    with path.open("r+b") as raw:
        raw.write(user_block)


class _Writer:
    """Low-level calls throughout: h5py's own create_dataset takes ten times as long."""

    def __init__(self, file: h5py.File, chunks: bool) -> None:
        self.refs = file.create_group("#refs#").id
        self.chunks = chunks
        self.count = 0

    def write_name(self, name: str) -> h5r.Reference:
        letters = np.frombuffer(name.encode("utf-16-le"), "<u2").reshape(-1, 1)
        place = self.place()
        _mark(self.write_array(self.refs, place, h5t.STD_U16LE, letters), b"char")
        return h5r.create(self.refs, place, h5r.OBJECT)

    def write_boxes(self, boxes: np.ndarray) -> h5r.Reference:
        place = self.place()
        group = h5g.create(self.refs, place)
        _mark(group, b"struct")
        for field, numbers in zip(FIELDS, boxes.T, strict=True):
            if len(numbers) == 1:
                self.write_number(group, field.encode(), numbers[0])
            else:
                self.write_references(group, field.encode(), [self.write_inner(number) for number in numbers])
        return h5r.create(self.refs, place, h5r.OBJECT)

    def write_inner(self, number: float) -> h5r.Reference:
        place = self.place()
        self.write_number(self.refs, place, number)
        return h5r.create(self.refs, place, h5r.OBJECT)

    def write_number(self, group: h5g.GroupID, place: bytes, number: float) -> None:
        _mark(self.write_array(group, place, h5t.IEEE_F64LE, np.array([[number]])), b"double")

    def write_references(self, group: h5g.GroupID, place: bytes, references: Iterable[h5r.Reference]) -> None:
        column = np.array([*references], dtype=h5py.ref_dtype).reshape(-1, 1)
        self.write_array(group, place, h5t.STD_REF_OBJ, column)

    def write_array(self, group: h5g.GroupID, place: bytes, kind: h5t.TypeID, array: np.ndarray) -> h5d.DatasetID:
        layout = None
        if self.chunks:
            layout = h5p.create(h5p.DATASET_CREATE)
            layout.set_chunk(array.shape)
            layout.set_deflate(3)
        dataset = h5d.create(group, place, kind, h5s.create_simple(array.shape), layout)
        dataset.write(h5s.ALL, h5s.ALL, array)
        return dataset

    def place(self) -> bytes:
        self.count += 1
        return b"%x" % self.count


def _mark(thing: h5g.GroupID | h5d.DatasetID, matlab_class: bytes) -> None:
    kind = h5t.C_S1.copy()
    kind.set_size(len(matlab_class))
    h5a.create(thing, b"MATLAB_class", kind, h5s.create(h5s.SCALAR)).write(np.array(matlab_class))


if __name__ == "__main__":
    digits = np.repeat([*IMAGES], [*IMAGES.values()])
    np.random.default_rng(0).shuffle(digits)
    write(Path(sys.argv[1]), draw(digits))
