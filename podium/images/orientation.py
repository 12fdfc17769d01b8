"""Which way is up: the one answer for the manifest, the arrays, the thumbnails and the boxes.

The rule is Pillow's: tag 0x0112 of the EXIF data, which a TIFF has among its own tags; if it is not there, the
`tiff:Orientation` of the XMP data. Whatever is not a whole number from 2 to 8 turns nothing.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

BROKEN: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, OverflowError),
    *(AttributeError, AssertionError, RuntimeError, ZeroDivisionError, struct.error),
)
"""What Pillow raises for bytes that are not what they pretend to be."""

_TAG = 0x0112
_NOTES = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
"""Where Pillow puts an image's EXIF and XMP data."""
_MIRROR = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""OpenCV's codes, by orientation: 1 swaps left and right, 0 top and bottom, -1 both."""
_SIDEWAYS = (5, 6, 7, 8)
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_APP1, _SCAN = 0xE1, 0xDA
_WITH_LENGTH = frozenset((*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDB, 0xF0), 0xFE))
"""A JPEG's markers that a segment follows."""


def read_orientation(image: Pillow.Image) -> int:
    """Tell how an image's pixels lie: 1 to 8 as EXIF counts them, 1 is upright.

    Args:
        image: opened by Pillow, and decoded, too, if it is no JPEG: a PNG's EXIF data may follow its pixels, and
            Pillow turns a TIFF upright while it decodes it, by the same rule.
    """
    return 1 if image.format == "TIFF" else _orientation_of(image.info)


def read_jpeg_orientation(data: bytes) -> int | None:
    """Tell how a JPEG lies, from its first segments alone; None if they are odd and Pillow has to open it."""
    notes: dict[str, bytes] = {}
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == _SCAN:
            return _orientation_of(notes) if notes else 1
        if marker not in _WITH_LENGTH:
            break
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == _APP1 and data.startswith(_EXIF, place + 4):
            notes["exif"] = notes["exif"] + data[place + 10 : end] if "exif" in notes else data[place + 4 : end]
        elif marker == _APP1 and data.startswith(_XMP, place + 4):
            notes["xmp"] = data[place + 4 + len(_XMP) : end]
        place = end
    return None


def _orientation_of(notes: Mapping[Any, Any]) -> int:
    """Have Pillow read an image's EXIF and XMP data, and nothing else of it."""
    bare = Pillow.Image()
    bare.info = {name: notes[name] for name in _NOTES if name in notes}
    try:
        value = bare.getexif().get(_TAG, 1) if bare.info else 1
    except BROKEN:  # the note about the image is broken, not the image
        return 1
    return int(value) if value in range(2, 9) else 1


def is_sideways(orientation: int) -> bool:
    """Tell whether an image's stored height is the width that people see."""
    return orientation in _SIDEWAYS


def turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn stored pixels (height, width, channels) upright."""
    if orientation == 1:
        return pixels
    channels = pixels.shape[2]
    turned = cv2.transpose(pixels) if is_sideways(orientation) else pixels
    if orientation in _MIRROR:
        turned = cv2.flip(turned, _MIRROR[orientation])
    return turned.reshape(*turned.shape[:2], channels)
