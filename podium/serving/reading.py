"""One image, however a person of this machine has it: a file's path, its bytes, an array, or a Pillow image."""

import os
import stat
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.images.decoding import read_header
from podium.images.fitting import Target
from podium.images.given import MAX_BYTES, MAX_WHOLE_PIXELS, Given, read_given
from podium.images.opening import BadImageError
from podium.images.orientation import BROKEN, is_sideways, read_orientation, turn
from podium.images.pixels import to_eight_bit
from podium.tracking.classifier import Size

AnyImage = Path | bytes | NDArray[np.uint8] | Pillow.Image | BadImageError
"""What a `Predictor` takes: see `read_image`."""
MAX_ASPECT: Final = 20
"""A longer image is shown squeezed: it would be a line."""

_EXPECTED: Final = "expected a Path, the bytes of an image file, an array (height, width, 1 or 3) uint8 or a PIL image"


def read_image(image: AnyImage, target: Target) -> Given:
    """Read one image by the rules of `podium.images`.

    A Pillow image is converted by the rules that hold for files: turned as its EXIF data say, transparency on white,
    16 bit scaled to 8. Of a JPEG it has other pixels than its file gives: a large file is decoded at a fraction
    of its size, and one for a model of gray images without its colours. So the probabilities may differ a little from
    those of the file; give the path or the bytes, where they are at hand. Of an animation the
    frame counts that it shows.

    Args:
        image: the image; or why there is none, where somebody found that out before. Text is refused: nothing that a
            stranger sends becomes a path.
        target: what to bring it to.

    Raises:
        BadImageError: it cannot be used; the text says why.
    """
    if isinstance(image, Path):
        return read_given(read_file(image), target)
    if isinstance(image, Pillow.Image):
        return _from_pillow(image, target)
    if isinstance(image, bytes | np.ndarray):
        return read_given(image, target)
    if isinstance(image, BadImageError):
        raise image
    raise BadImageError(f"it is of the type {type(image).__name__}; {_EXPECTED}")


def read_upright(image: AnyImage, longest: int) -> Given:
    """Read one image in its own shape and in colour, to be shown.

    Args:
        image: as `read_image` takes it.
        longest: pixels that its longer side has at most.

    Returns:
        Its pixels (height, width, 3) uint8, upright; and the image's own width and height.

    Raises:
        BadImageError: it cannot be used.
    """
    if isinstance(image, Path):
        image = read_file(image)
    width, height = _measure(image)
    scale, least = min(1.0, longest / max(width, height)), max(1, longest // MAX_ASPECT)
    height, width = (max(round(side * scale), min(side, least)) for side in (height, width))
    return read_image(image, Size(height, width, 3, "stretch"))


def _measure(image: AnyImage) -> tuple[int, int]:
    """Give the width and height of an image, upright, without decoding it."""
    match image:
        case bytes():
            width, height, orientation = read_header(image)
        case Pillow.Image():
            width, height, orientation = *image.size, read_orientation(image)
        case np.ndarray() if image.ndim == 3:
            return image.shape[1], image.shape[0]
        case _:
            return 1, 1  # it is refused when it is read
    return (height, width) if is_sideways(orientation) else (width, height)


def read_file(path: Path) -> bytes:
    """Read a file that is no larger than an image may be.

    Raises:
        BadImageError: it is larger, no file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # asked before: to open a device may do something
            raise BadImageError("it is no file; a folder, a device or a pipe is not read")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe in its place is not waited for
        with os.fdopen(descriptor, "rb") as file:
            if (size := os.fstat(descriptor).st_size) > MAX_BYTES:
                raise BadImageError(f"the file has {size:,} bytes, over {MAX_BYTES:,}")
            return file.read(MAX_BYTES + 1)  # one that grows meanwhile is refused by its length
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise BadImageError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _from_pillow(image: Pillow.Image, target: Target) -> Given:
    if image.width * image.height > MAX_WHOLE_PIXELS:
        raise BadImageError(f"it has {image.width} × {image.height} pixels, over {MAX_WHOLE_PIXELS:,}")
    try:
        image.load()
    except BROKEN as error:
        raise BadImageError(f"the image cannot be decoded: {error}") from None
    return read_given(turn(to_eight_bit(image, target.channels), read_orientation(image)), target)
