"""Images as a caller hands them over: arrays, files, or files as text; brought to the pixels that a model takes.

What comes is a stranger's: it is bounded, it is never taken for a path or an address, and what is refused has a reason.
"""

import base64
import binascii
import re
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from podium.images.decoding import decode_unseen, read_header
from podium.images.fitting import Placement, Target, fit
from podium.images.kinds import HEAD_BYTES, sniff
from podium.images.opening import BadImageError

MAX_BYTES: Final = 1 << 26
"""64 MiB: a larger file is refused unread."""
MAX_SERVED_PIXELS: Final = 100_000_000
"""A larger image is refused, a file by its header."""
MAX_WHOLE_PIXELS: Final = 54_000_000
"""The same of all files but JPEGs, which are decoded at a fraction of their size: others take up to 18 bytes a pixel
(measured), so that it stays below a gigabyte.
"""
MAX_SIDE: Final = 1 << 16
"""Pixels of an array's height or width."""

_MANY_PIXELS: Final = 16_000_000
"""Larger images are decoded one after another, however many threads ask: each takes hundreds of megabytes."""
_ONE_AT_A_TIME = Lock()

_DATA_ADDRESS = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_BLANKS = str.maketrans("", "", " \t\r\n")


@dataclass(frozen=True, eq=False)
class Given:
    """An image as a model takes it.

    Attributes:
        pixels: (height, width, channels) uint8, of the size of the arrays.
        placement: where they come from in the image that was handed over.
        width, height: of that image, upright.
    """

    pixels: NDArray[np.uint8]
    placement: Placement
    width: int
    height: int


def read_given(value: Any, target: Target) -> Given:
    """Read one image.

    Args:
        value: an array (height, width, 1 or 3) uint8, upright, or as nested lists of whole numbers 0 to 255; or the
            bytes of an image file; or these as base64 text, also as a data URI.
        target: what to bring it to.

    Raises:
        BadImageError: it is none of them, or it cannot be used.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_file(bytes(value), target)
    if isinstance(value, str):
        return _from_file(_from_text(value), target)
    if isinstance(value, np.ndarray | list | tuple):
        return _from_array(value, target)
    raise BadImageError(f"it is of the type {type(value).__name__}; {_EXPECTED}")


_EXPECTED = "expected the bytes of an image file, base64 text of them, or an array (height, width, channels) uint8"


def _from_text(text: str) -> bytes:
    if len(text) > MAX_BYTES * 3 // 2:
        raise BadImageError(
            f"the text has {len(text):,} letters; expected an image file of at most {MAX_BYTES:,} bytes"
        )
    start = _DATA_ADDRESS.match(text)
    try:
        return base64.b64decode(text[start.end() if start else 0 :].translate(_BLANKS), validate=True)
    except (binascii.Error, ValueError):
        raise BadImageError(f"the text {text[:24]!r} is no base64; {_EXPECTED}") from None


def _from_file(data: bytes, target: Target) -> Given:
    if len(data) > MAX_BYTES:
        raise BadImageError(f"the file has {len(data):,} bytes, over {MAX_BYTES:,}")
    width, height, _ = read_header(data)
    most = MAX_SERVED_PIXELS if sniff(data[:HEAD_BYTES]) == "JPEG" else MAX_WHOLE_PIXELS
    if width * height > most:
        raise BadImageError(f"it has {width} × {height} pixels, over {most:,}")
    with _ONE_AT_A_TIME if width * height > _MANY_PIXELS else nullcontext():
        pixels, (width, height) = decode_unseen(data, target)
    return Given(pixels, Placement.of(width, height, target), width, height)


def _from_array(value: Any, target: Target) -> Given:
    try:
        pixels = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        raise BadImageError(f"its rows differ in length; {_EXPECTED}") from None
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not 0 < min(pixels.shape) <= max(pixels.shape) <= MAX_SIDE:
        raise BadImageError(f"its shape is {pixels.shape}; expected (height, width, channels), of 1 or 3 channels")
    height, width = pixels.shape[:2]
    if width * height > MAX_SERVED_PIXELS:
        raise BadImageError(f"it has {width} × {height} pixels, over {MAX_SERVED_PIXELS:,}")
    if pixels.dtype != np.uint8:
        if isinstance(value, np.ndarray) or pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > 255:
            raise BadImageError(f"its numbers are {pixels.dtype}; expected uint8, whole numbers from 0 to 255")
        pixels = pixels.astype(np.uint8)
    placement = Placement.of(width, height, target)
    return Given(fit(np.ascontiguousarray(pixels), target), placement, width, height)
