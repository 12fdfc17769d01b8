"""JSON read piece by piece: the elements of the lists at its top, so that its size does not matter to memory."""

import io
import json
import re
from collections.abc import Iterator
from typing import IO

CHUNK = 1 << 24
"""Characters that are read at once: 16 Mi."""
MAX_ELEMENT = 1 << 22
"""Characters that one element may have: 4 Mi."""

_BLANK = re.compile(r"[ \t\r\n]*")


def elements(file: IO[bytes]) -> Iterator[tuple[str, object]]:
    """Read a JSON object.

    Args:
        file: its bytes, UTF-8.

    Yields:
        Each element of a list at the top with the list's key; each other value with its key.

    Raises:
        ValueError: it is no JSON object, is cut short, or has an element of more than `MAX_ELEMENT` characters.
    """
    text = _Text(file)
    text.expect("{")
    if text.take("}"):
        return
    while True:
        key = text.value()
        if not isinstance(key, str):
            raise ValueError(f"it has {str(key)[:40]} where a key is expected")
        text.expect(":")
        if not text.take("["):
            yield key, text.value()
        elif not text.take("]"):
            yield key, text.value()
            while text.take(","):
                yield key, text.value()
            text.expect("]")
        if not text.take(","):
            break
    text.expect("}")


class _Text:
    """A text that is read through a window. Every method raises ValueError if it is not as expected."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = io.TextIOWrapper(file, encoding="utf-8-sig")
        self._window, self._place, self._ended = "", 0, False
        self._decode = json.JSONDecoder().raw_decode

    def take(self, mark: str) -> bool:
        """Pass over blanks, and over a mark if it is next; tell whether it was."""
        self._fill()
        if self._window[self._place : self._place + 1] != mark:
            return False
        self._place += 1
        return True

    def expect(self, mark: str) -> None:
        """Pass over blanks and a mark."""
        if not self.take(mark):
            found = self._window[self._place : self._place + 20] or "its end"
            raise ValueError(f"it has {found!r} where '{mark}' is expected")

    def value(self) -> object:
        """Read the next value."""
        self._fill()
        try:
            value, self._place = self._decode(self._window, self._place)
        except json.JSONDecodeError as error:
            start = self._window[self._place : self._place + 40]
            long = not self._ended and len(self._window) - self._place >= MAX_ELEMENT
            reason = f"longer than {MAX_ELEMENT:,} characters, or broken" if long else error.msg
            raise ValueError(f"what begins with {start!r} is {reason}") from None
        except RecursionError:
            raise ValueError("it has lists in lists in lists beyond all measure") from None
        return value

    def _fill(self) -> None:
        """Go to the next mark, and have an element's length of text after it."""
        while True:
            blank = _BLANK.match(self._window, self._place)
            self._place = blank.end() if blank else self._place
            if self._ended or len(self._window) - self._place >= MAX_ELEMENT:
                return
            more = self._file.read(CHUNK)
            self._ended = not more
            self._window, self._place = self._window[self._place :] + more, 0
