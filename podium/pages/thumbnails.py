"""Small images for the page: made in one pass over the dataset, few in memory."""

import io

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from podium.config.datasets import Image
from podium.datasets.formats.example import Example
from podium.images.decoding import BadImageError, Placement, decode, fit, inspect

SIDE = 96
"""Pixels: the longest side of a thumbnail."""
_QUALITY = 80
_BOX = "#35d07f"


def _draw(example: Example) -> bytes | None:
    """Make the thumbnail of one image, as WebP; None if the image cannot be used."""
    image = example.image
    try:
        if image is None or example.fault:
            return None
        if isinstance(image, bytes):
            facts = inspect(image, example.id)  # refuses what is too large to decode
            height, width, channels = facts.height, facts.width, facts.channels
            size = _shrink(height, width, channels)
            pixels = decode(image, size)
        else:
            height, width, channels = image.shape
            size = _shrink(height, width, channels)
            pixels = fit(image, size)
    except BadImageError:
        return None
    factor = max(1, SIDE // max(size.height, size.width))
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    thumbnail = Pillow.fromarray(pixels.squeeze(axis=2) if channels == 1 else pixels).convert("RGB")
    if example.box and np.isfinite(example.box).all():
        left, top, across, down = Placement.of(width, height, size).move(example.box, size)
        edges = np.round(np.array([left, top, left + across, top + down]) * factor).tolist()
        right, bottom = max(edges[0], edges[2] - 1), max(edges[1], edges[3] - 1)
        ImageDraw.Draw(thumbnail).rectangle((edges[0], edges[1], right, bottom), outline=_BOX)
    file = io.BytesIO()
    thumbnail.save(file, "WEBP", quality=_QUALITY, lossless=factor > 1)
    return file.getvalue()


def _shrink(height: int, width: int, channels: int) -> Image:
    """Name the size of an image, in pixels, once it is small enough: its own, if it is."""
    scale = min(1.0, SIDE / max(height, width))
    return Image(
        height=max(1, round(height * scale)),
        width=max(1, round(width * scale)),
        channels=3 if channels == 3 else 1,
        resize="stretch",
    )
