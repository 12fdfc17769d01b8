"""A part of an open file, as if it were a file of its own."""

import io
import os
from typing import Any


class Slice(io.RawIOBase):
    """A part of an open file, as if it were a file of its own."""

    def __init__(self, descriptor: int, begin: int, size: int) -> None:
        """Look at `size` bytes from `begin` on; the file stays open as long as this is used."""
        self.descriptor, self.begin = descriptor, begin
        self._size, self._place = size, 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; see `io.IOBase.seek`."""
        self._place = max(0, offset + (0, self._place, self._size)[whence])
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read what fits; see `io.RawIOBase.readinto`."""
        length = max(0, min(len(buffer), self._size - self._place))
        content = os.pread(self.descriptor, length, self.begin + self._place)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)
