"""Golden files: a version's golden images as people really send them, made anew each time.

What is asked of a decoder is in the form, not in the content: turned by EXIF, CMYK, with transparency, 16 bit, gray,
with a palette, of odd sizes, tiny, huge.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.serving.golden import ARTIFACTS, read_golden

_ORIENTATION: Final = 0x0112
_TURNED: Final = {6: Pillow.Transpose.ROTATE_90, 5: Pillow.Transpose.TRANSPOSE}
"""By EXIF's number, how an upright image is stored so that it is seen upright again."""
ODD, TINY, HUGE = ((37, 91),), ((1, 1), (3, 2)), (6000, 4000)
"""Pixels, width and height."""


@dataclass(frozen=True)
class GoldenFile:
    """An image file, and what is awkward about it."""

    name: str
    data: bytes


def make_golden_files(model: Path) -> list[GoldenFile]:
    """Make them of the golden images of a logged model, and put these themselves first.

    Args:
        model: the folder of the logged model, resolved.
    """
    paths = [model / ARTIFACTS / image["image"] for image in read_golden(model)]
    golden = [GoldenFile(path.name, path.read_bytes()) for path in paths]
    images = [Pillow.open(path).convert("RGB") for path in paths]
    turns = (images[row % len(images)] for row in range(99))  # not every form of the same image
    made = [GoldenFile(f"exif-{number}.jpg", _turned(next(turns), number)) for number in _TURNED]
    made += [
        GoldenFile("cmyk.jpg", _save(next(turns).convert("CMYK"), "JPEG", quality=95)),
        GoldenFile("alpha.png", _save(_with_alpha(next(turns)), "PNG")),
        GoldenFile("gray-16-bit.png", _save_16_bit(np.asarray(next(turns).convert("L")))),
        GoldenFile("colour-16-bit.png", _save_16_bit(np.asarray(next(turns))[..., ::-1])),
        GoldenFile("gray.png", _save(next(turns).convert("L"), "PNG")),
        GoldenFile("palette.png", _save(next(turns).quantize(16), "PNG")),
    ]
    for size in (*ODD, *TINY):
        resized = next(turns).resize(size, Pillow.Resampling.BILINEAR)
        made.append(GoldenFile(f"{size[0]}x{size[1]}.png", _save(resized, "PNG")))
    flat = Pillow.new("RGB", HUGE, next(turns).resize((1, 1)).getpixel((0, 0)))
    return [*golden, *made, GoldenFile(f"{HUGE[0]}x{HUGE[1]}.png", _save(flat, "PNG", compress_level=1))]


def save_png(pixels: NDArray[np.uint8]) -> bytes:
    """Save pixels (height, width, 1 or 3) as PNG, which loses nothing."""
    return _save(Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), "PNG")


def _save(image: Pillow.Image, kind: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


def _turned(image: Pillow.Image, orientation: int) -> bytes:
    exif = Pillow.Exif()
    exif[_ORIENTATION] = orientation
    return _save(image.transpose(_TURNED[orientation]), "JPEG", quality=95, exif=exif)


def _with_alpha(image: Pillow.Image) -> Pillow.Image:
    """Let an image fade out to the right."""
    fading = np.tile(np.linspace(255, 0, image.width).astype(np.uint8), (image.height, 1))
    faded = image.copy()
    faded.putalpha(Pillow.fromarray(fading))
    return faded


def _save_16_bit(pixels: NDArray[np.uint8]) -> bytes:
    """Save (height, width) gray, or (height, width, 3) blue, green and red."""
    fits, data = cv2.imencode(".png", pixels.astype(np.uint16) * 257)
    if not fits:
        raise ValueError(f"OpenCV did not save 16 bit pixels of the shape {pixels.shape}")
    return data.tobytes()
