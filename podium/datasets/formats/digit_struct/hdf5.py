"""Many small objects of an HDF5 file at once, with NumPy: h5py takes 50 µs and more for each of them.

Known is what MATLAB writes with `save -v7.3`: object headers of version 1, groups as symbol tables, datasets of n
rows and one column with their elements in one piece. Anything built otherwise, and any address out of the file,
raises `Unexpected`; h5py may know more.

All is laid out as in the HDF5 File Format Specification, version 3.0, whose sections the comments name.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

# Element types as a datatype message writes them (IV.A.2.d), little-endian.
DOUBLE = bytes.fromhex("11203f00 08000000 00004000 340b0034 ff030000")
CHARACTER = bytes.fromhex("10000000 02000000 00001000")
REFERENCE = bytes.fromhex("17000000 08000000")

_DATASPACE, _DATATYPE, _LAYOUT, _CONTINUATION, _SYMBOL_TABLE = 0x1, 0x3, 0x8, 0x10, 0x11
_USER_BLOCK = 512
"""Bytes in front of MATLAB's HDF5."""
_KIND = 0x2_0000_FFFF
"""Of a message's first eight bytes: its type, and the flag that its content is elsewhere."""
_STEPS = 24
"""Messages and blocks of a header that are looked at; MATLAB's need four."""


class Unexpected(Exception):  # noqa: N818 - h5py may still read the file
    """Something that is not built as known here, or damaged."""


@dataclass(frozen=True)
class Datasets:
    """Where datasets keep their elements.

    Attributes:
        kind: (n,), which of the element types that were asked for.
        count: (n,), how many elements.
        start: (n,), position of the first.
    """

    kind: Integers
    count: Integers
    start: Integers


class Objects:
    """The bytes of a file, read at many positions at once. Positions count from the first byte of the file.

    Args:
        data: the whole file.

    Attributes:
        root: position of the root group (1,).

    Raises:
        Unexpected: here and by every method.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        start = np.array([_USER_BLOCK])  # II.A, version 0; addresses count from here
        self._expect(start, b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0")
        self._expect(start + 24, _USER_BLOCK.to_bytes(8, "little"))
        if self.read(start + 40, "<u8")[0] > len(data):
            raise Unexpected("the file is cut short")
        self.root = self.follow(start + 64)

    def read(self, positions: Integers, dtype: str) -> NDArray[Any]:
        """Give the value at each position, aligned or not."""
        last = len(self._data) - np.dtype(dtype).itemsize
        if positions.size == 0:
            return np.empty(positions.shape, dtype)
        if positions.min() < 0 or positions.max() > last:
            raise Unexpected("an address leads out of the file")
        return np.ndarray((last + 1,), dtype, self._data, strides=(1,))[positions]

    def follow(self, positions: Integers) -> Integers:
        """Give the positions that the addresses written at these positions mean."""
        addresses = self.read(positions, "<u8")
        if (addresses > len(self._data)).any():  # also 2⁶⁴ - 1, which is none
            raise Unexpected("an address leads out of the file")
        return addresses.astype(np.int64) + _USER_BLOCK

    def members(self, groups: Integers, names: tuple[str, ...]) -> Integers:
        """Give the objects of groups that each have exactly these members: (names, groups)."""
        [table] = self._messages(groups, (_SYMBOL_TABLE,))
        tree, heap = self.follow(table), self.follow(table + 8)
        self._expect(tree, b"TREE\0\0\1\0")  # III.A.1: a leaf with one child
        self._expect(heap, b"HEAP\0")  # III.D
        node, letters = self.follow(tree + 32), self.follow(heap + 24)
        self._expect(node, b"SNOD\1\0" + len(names).to_bytes(2, "little"))  # III.B, its entries in order of their names
        found = {}
        for place, name in enumerate(sorted(names)):
            entry = node + 8 + 40 * place  # III.C
            offset = self.read(entry, "<u8").astype(np.int64)
            self._expect(letters + offset, name.encode() + b"\0")
            found[name] = self.follow(entry + 8)
        return np.stack([found[name] for name in names])

    def datasets(self, headers: Integers, types: tuple[bytes, ...]) -> Datasets:
        """Find out about datasets that each have one of these element types."""
        space, datatype, layout = self._messages(headers, (_DATASPACE, _DATATYPE, _LAYOUT))
        kind = np.full(headers.shape, -1)
        for number, written in enumerate(types):
            kind[self._matches(datatype, written)] = number
        if (kind < 0).any():
            raise Unexpected("a dataset has another element type")
        self._expect(space, b"\1\2")  # IV.A.2.b: version 1, two dimensions
        count = self.read(space + 8, "<u8")
        if (self.read(space + 16, "<u8") != 1).any() or (count > len(self._data)).any():
            raise Unexpected("a dataset has another shape")
        self._expect(layout, b"\3\1")  # IV.A.2.i: version 3, contiguous
        sizes = np.array([int.from_bytes(written[4:8], "little") for written in types], np.uint64)
        if (self.read(layout + 10, "<u8") != count * sizes[kind]).any():
            raise Unexpected("a dataset has another size than its elements")
        return Datasets(kind, count.astype(np.int64), self.follow(layout + 2))

    def elements(self, datasets: Datasets, size: int) -> Integers:
        """Give the position of every element of `size` bytes, dataset after dataset."""
        count = datasets.count
        total = int(count.sum())
        if total > len(self._data):
            raise Unexpected("datasets share their elements")
        before: Integers = count.cumsum() - count
        return np.repeat(datasets.start - size * before, count) + size * np.arange(total)

    def _messages(self, headers: Integers, kinds: tuple[int, ...]) -> list[Integers]:
        """Give the position of what one message of each kind says, for every header (IV.A.1.a)."""
        self._expect(headers, b"\1")
        position = headers + 16
        end = position + self.read(headers + 8, "<u4")
        more, more_end = position.copy(), position.copy()  # the block after this one (IV.A.2.q), empty until known
        found = np.zeros((len(kinds), *headers.shape), np.int64)
        for _ in range(_STEPS):
            over = position + 8 > end
            position, end = np.where(over, more, position), np.where(over, more_end, end)
            if (position + 8 > end).any():
                break
            head = self.read(position, "<u8").astype(np.int64)
            for known, kind in zip(found, kinds, strict=True):
                np.copyto(known, position + 8, where=(head & _KIND == kind) & (known == 0))
            complete = found.all(axis=0)
            if complete.all():
                return [*found]
            continued = ~complete & (head & _KIND == _CONTINUATION)
            more[continued] = self.follow(position[continued] + 8)
            more_end[continued] = more[continued] + self.read(position[continued] + 16, "<u8").astype(np.int64)
            position = np.where(complete, position, position + 8 + (head >> 16 & 0xFFFF))
        raise Unexpected("an object header has other messages")

    def _matches(self, positions: Integers, pattern: bytes) -> NDArray[np.bool_]:
        found = self.read(positions, f"V{len(pattern)}")
        return np.asarray(found == np.void(pattern))

    def _expect(self, positions: Integers, pattern: bytes) -> None:
        if not self._matches(positions, pattern).all():
            raise Unexpected(f"{pattern!r} is not where it should be")
