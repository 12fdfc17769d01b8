"""Image files: proved by decoding them in full, and brought to the size and the channels of the arrays."""

from dataclasses import dataclass
from pathlib import PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.images.fitting import Target, fit
from podium.images.kinds import SUFFIXES
from podium.images.opening import BadImageError, open_image
from podium.images.orientation import BROKEN, is_sideways, read_jpeg_orientation, read_orientation, turn
from podium.images.pixels import to_eight_bit

MAX_ASPECT = 20
"""An image that is longer than this many times its width, or the other way round, is worth a look."""
OPENCV_FORMATS = (("JPEG", "L"), ("JPEG", "RGB"))
"""Formats and modes that OpenCV decodes as Pillow does."""
MIN_PROOF_PIXELS = (64, 64)
"""Pixels: a JPEG is proved at the smallest scale of at least this size; all its data is read nevertheless."""

_DRAFTED = ("JPEG", "MPO")
"""Formats that Pillow decodes at a fraction of their size."""
_GRAY = (
    *(cv2.IMREAD_GRAYSCALE, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    *(cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_GRAYSCALE_8),
)
_COLOUR = (
    *(cv2.IMREAD_COLOR, cv2.IMREAD_REDUCED_COLOR_2),
    *(cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8),
)
"""OpenCV's ways to decode at 1, 1/2, 1/4 and 1/8 of the size."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is known of an image file once it was decoded; sizes in pixels, as people see it (orientation applied)."""

    format: str
    mode: str
    height: int
    width: int
    channels: int
    gray: NDArray[np.uint8]
    """(height, width) uint8: the image in gray, upright, a JPEG reduced to a half, a quarter or an eighth."""
    colour: tuple[float, float, float]
    """Its mean red, green and blue, 0–255."""
    notice: str
    """What is odd about it though it can be used; empty if nothing is."""


def inspect(data: bytes, name: str) -> Facts:
    """Decode an image file in full and say what it is.

    Raises:
        BadImageError: it cannot be used.
    """
    image = open_image(data)
    mode, kind = image.mode, image.format or ""
    width, height = image.size
    orientation = _load(image, "YCbCr", MIN_PROOF_PIXELS)
    gray, colour = _seen(image)
    gray = turn(gray[..., np.newaxis], orientation)[..., 0]
    if kind not in _DRAFTED:
        height, width = gray.shape
    elif is_sideways(orientation):
        width, height = height, width
    notices = []
    suffix = PurePosixPath(name).suffix.lower()
    if suffix and suffix not in SUFFIXES[kind]:
        notices.append(f"its content is {kind}, its name ends in {suffix}")
    if kind != "MPO" and _has_more(image):
        several = "it has several pages; the first is used"
        notices.append(several if kind == "TIFF" else "it is animated; its first frame is used")
    if min(width, height) == 1 or max(width, height) > MAX_ASPECT * min(width, height):
        notices.append(f"it is {width} × {height} pixels")
    channels = 1 if mode in ("1", "L", "LA") or mode.startswith("I") else 3
    return Facts(kind, mode, height, width, channels, gray, colour, "; ".join(notices))


def _has_more(image: Pillow.Image) -> bool:
    """Tell whether there is a second frame or page; one that is broken is none."""
    try:
        return bool(getattr(image, "is_animated", False))
    except BROKEN:
        return False


def read_header(data: bytes) -> tuple[int, int, int]:
    """Read how large an image file is, without decoding it.

    Returns:
        Its width and its height in pixels as they are stored, and its orientation: 1 to 8, as EXIF numbers them.

    Raises:
        BadImageError: it is no image.
    """
    image = open_image(data)
    return image.width, image.height, read_orientation(image)


def _seen(image: Pillow.Image) -> tuple[NDArray[np.uint8], tuple[float, float, float]]:
    """Give a decoded image's gray pixels (height, width), and its mean red, green and blue."""
    if image.mode == "YCbCr":  # as most JPEGs are stored; their gray is one of the channels, as it is
        pixels = np.asarray(image)
        gray, pale, reddish = cv2.mean(pixels)[:3]
        pale, reddish = pale - 128, reddish - 128
        colour = (gray + 1.402 * reddish, gray - 0.344136 * pale - 0.714136 * reddish, gray + 1.772 * pale)
        return np.ascontiguousarray(pixels[..., 0]), colour
    pixels = to_eight_bit(image, 3)
    red, green, blue = cv2.mean(pixels)[:3]
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (red, green, blue)


def decode(data: bytes, image: Target, proved: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Decode an image file for the arrays.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is still at least the size asked
    for. That is several times faster; decision 0010 says how much the pixels differ.

    Args:
        data: the file.
        image: what to bring it to.
        proved: width and height of the image, if `inspect` found it to be an `OPENCV_FORMATS` one. It is left to OpenCV
            then, which is faster.

    Returns:
        (image.height, image.width, image.channels) uint8, orientation applied, transparency on white.

    Raises:
        BadImageError: it cannot be used.
    """
    if proved:
        scale = min(proved[0] // image.width, proved[1] // image.height)
        flags = _GRAY if image.channels == 1 else _COLOUR
        how = flags[max(0, min(scale, 8).bit_length() - 1)] | cv2.IMREAD_IGNORE_ORIENTATION
        orientation = read_jpeg_orientation(data) or read_orientation(open_image(data))
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
        if pixels is not None:
            fitted = fit(turn(pixels.reshape(*pixels.shape[:2], image.channels), orientation), image)
            return fitted if image.channels == 1 else np.ascontiguousarray(fitted[..., ::-1])  # it was blue first
    return fit(_decode_upright(open_image(data), image), image)


def decode_unseen(data: bytes, image: Target) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Decode an image file that was never inspected: to the pixels that it would have in the arrays.

    Args:
        data: the file.
        image: what to bring it to.

    Returns:
        The pixels, as `decode` gives them for an inspected file; and the width and height of the image, upright.

    Raises:
        BadImageError: it cannot be used.
    """
    opened = open_image(data)
    width, height = opened.size
    if opened.format in _DRAFTED and is_sideways(read_orientation(opened)):
        width, height = height, width
    if (opened.format, opened.mode) in OPENCV_FORMATS:
        _load(opened, "YCbCr", MIN_PROOF_PIXELS)  # OpenCV would take one that is cut short
        return decode(data, image, (width, height)), (width, height)
    pixels = _decode_upright(opened, image)
    if opened.format not in _DRAFTED:
        height, width = pixels.shape[:2]
    return fit(pixels, image), (width, height)


def _decode_upright(opened: Pillow.Image, image: Target) -> NDArray[np.uint8]:
    """Give an opened file's pixels (height, width, image.channels), a JPEG reduced to at least the size asked for."""
    orientation = _load(opened, "L" if image.channels == 1 else "RGB", (image.width, image.height))
    return turn(to_eight_bit(opened, image.channels), orientation)


def _load(image: Pillow.Image, mode: str, size: tuple[int, int]) -> int:
    """Decode, a JPEG to `mode` at the smallest scale that is at least `size`, and tell how the pixels lie.

    Args:
        image: decoded in place; not turned, unless it is a TIFF, which Pillow turns by the same rule.
        mode: of a JPEG.
        size: width and height, once it is upright.

    Returns:
        The orientation, as `turn` takes it.

    Raises:
        BadImageError: it cannot be decoded.
    """
    try:
        if image.format in _DRAFTED:
            image.draft(mode, size[::-1] if is_sideways(read_orientation(image)) else size)
        image.load()
    except BROKEN as error:
        raise BadImageError(f"the image cannot be decoded: {error}") from None
    return read_orientation(image)
