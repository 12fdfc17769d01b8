"""Thumbnails: small images for a page."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

THUMBNAIL_SIDE_PIXELS = 96
"""Pixels: the longest side of a thumbnail."""

_QUALITY = 80
_BOX = "#35d07f"


def thumbnail_size(height: int, width: int) -> tuple[int, int]:
    """Give the height and width that an image is to have, in pixels, before it is drawn: its own, if it is small."""
    scale = min(1.0, THUMBNAIL_SIDE_PIXELS / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def draw_thumbnail(pixels: NDArray[np.uint8], box: tuple[float, float, float, float] | None = None) -> bytes:
    """Draw a thumbnail.

    Args:
        pixels: (height, width, 1 or 3) uint8, 0–255, of `thumbnail_size`. Images of less than half of that side are
            enlarged by a whole factor, so that one sees their pixels.
        box: left, top, width, height in these pixels, to be drawn as an outline.

    Returns:
        A WebP file.
    """
    factor = max(1, THUMBNAIL_SIDE_PIXELS // max(pixels.shape[:2]))
    gray = pixels.shape[2] == 1
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    thumbnail = Pillow.fromarray(pixels.squeeze(axis=2) if gray else pixels).convert("RGB")
    if box and np.isfinite(box).all():
        left, top, across, down = box
        edges = np.round(np.array([left, top, left + across, top + down]) * factor).tolist()
        right, bottom = max(edges[0], edges[2] - 1), max(edges[1], edges[3] - 1)
        ImageDraw.Draw(thumbnail).rectangle((edges[0], edges[1], right, bottom), outline=_BOX)
    file = io.BytesIO()
    thumbnail.save(file, "WEBP", quality=_QUALITY, lossless=factor > 1)
    return file.getvalue()
