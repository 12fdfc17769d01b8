"""What Pillow decoded, in whatever mode, as pixels of 8 bit."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, TiffImageFile

from podium.images.opening import BadImageError
from podium.images.orientation import BROKEN

_EIGHT_BIT = ((np.arange(65536) + 128) // 257).astype(np.uint8)
_UNKNOWN_RANGE = "whose range nobody knows; save it as PNG of 8 or 16 bit"


def to_eight_bit(image: Pillow.Image, channels: int) -> NDArray[np.uint8]:
    """Give a decoded image as (height, width, channels) uint8, whatever its mode; not turned.

    Raises:
        BadImageError: nobody knows how its values are to be scaled.
    """
    if image.mode.startswith("I"):
        gray = _from_sixteen_bit(image)
        pixels: NDArray[np.uint8] = cv2.merge([gray] * channels).reshape(*gray.shape, channels)
        return pixels
    if image.mode == "F":
        raise BadImageError(f"its pixels are fractions, {_UNKNOWN_RANGE}")
    try:
        if image.has_transparency_data:
            white = Pillow.new("RGBA", image.size, "white")
            image = Pillow.alpha_composite(white, _convert(image, "RGBA"))
            del white
        wanted = "L" if channels == 1 else "RGB"
        if image.mode not in (wanted, "1", "L"):
            image = image.convert("RGB")
        image = _convert(image, wanted)
        return np.asarray(image).reshape(image.height, image.width, channels)
    except BROKEN as error:
        raise BadImageError(f"its pixels of the kind {image.mode} cannot be converted: {error}") from None


def _convert(image: Pillow.Image, mode: str) -> Pillow.Image:
    """Give an image in another mode; itself, if it has that one: Pillow would copy it."""
    return image if image.mode == mode else image.convert(mode)


def _from_sixteen_bit(image: Pillow.Image) -> NDArray[np.uint8]:
    """Scale gray of 16 bit to 8 bit; Pillow's own conversion would cut it off at 255."""
    deep = np.asarray(image)
    if image.mode == "I":
        if image.format != "PPM":
            raise BadImageError(f"its pixels are signed, or of 32 bit, {_UNKNOWN_RANGE}")
        deep = np.clip(deep, 0, 65535).astype(np.uint16)
    gray: NDArray[np.uint8] = _EIGHT_BIT[deep]
    if isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0:
        gray = 255 - gray  # it counts from white; of 8 bit, Pillow minds this itself
    if isinstance(clear := image.info.get("transparency"), int):
        gray[deep == clear] = 255
    return gray
