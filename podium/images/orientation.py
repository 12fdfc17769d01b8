"""Which way is up: the one answer for the manifest, the arrays, the thumbnails and the boxes.

The rule is Pillow's: tag 0x0112 of the EXIF data, which a TIFF has among its own tags; if it is not there, the
`tiff:Orientation` of the XMP data. Whatever is not a whole number from 2 to 8 turns nothing.
"""

import struct
from typing import Final

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
_MIRROR = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""OpenCV's codes, by orientation: 1 swaps left and right, 0 top and bottom, -1 both."""
_SIDEWAYS = (5, 6, 7, 8)
_APP1, _SCAN = 0xE1, 0xDA


def read_orientation(image: Pillow.Image) -> int:
    """Tell how an image lies that Pillow opened: 1 to 8 as EXIF counts them, 1 is upright.

    A TIFF is to be asked once it is decoded: Pillow turns it upright then, by the same rule, and it is 1. So is a PNG,
    whose EXIF data may follow its pixels.
    """
    try:
        value = image.getexif().get(_TAG, 1)
    except BROKEN:  # the note about the image is broken, not the image
        return 1
    return int(value) if value in range(2, 9) else 1


def may_be_turned(data: bytes) -> bool:
    """Tell whether a JPEG has a segment that can say how it lies; in two microseconds, to spare opening the others."""
    place = 2
    while data[place : place + 1] == b"\xff" and place + 4 <= len(data):
        marker = data[place + 1]
        if marker == _SCAN:
            return False
        if marker in (_APP1, 0xFF):
            return True
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return True


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
