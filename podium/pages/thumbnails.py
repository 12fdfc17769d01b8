"""Thumbnails: small images for a page."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

THUMBNAIL_SIDE_PIXELS = 96
"""Pixels: the longest side of a thumbnail."""

_QUALITY = 80
TRUE_BOX, PREDICTED_BOX = "#35d07f", "#ffb000"
HEAT = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
"""Colours from no heat to most: the stops of matplotlib's `inferno`, which the colour-blind can read, too."""


Box = tuple[float, float, float, float]
"""Left, top, width, height."""


def thumbnail_size(height: int, width: int, side: int = THUMBNAIL_SIDE_PIXELS) -> tuple[int, int]:
    """Give the height and width that an image is to have, in pixels, before it is drawn: its own, if it is small."""
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink(
    pixels: NDArray[np.uint8], box: Box | None = None, side: int = THUMBNAIL_SIDE_PIXELS
) -> tuple[NDArray[np.uint8], Box | None]:
    """Give an image, (height, width, 1 or 3) uint8, and a box on it, in its `thumbnail_size` of some longest side."""
    height, width = thumbnail_size(pixels.shape[0], pixels.shape[1], side)
    if (height, width) == pixels.shape[:2]:
        return pixels, box
    image = Pillow.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels)
    small = np.asarray(image.resize((width, height), Pillow.Resampling.BOX)).reshape(height, width, pixels.shape[2])
    across, down = width / pixels.shape[1], height / pixels.shape[0]
    return small, box and (box[0] * across, box[1] * down, box[2] * across, box[3] * down)


def draw_thumbnail(pixels: NDArray[np.uint8], box: Box | None = None, predicted: Box | None = None) -> bytes:
    """Draw a thumbnail.

    Args:
        pixels: (height, width, 1 or 3) uint8, 0–255, of `thumbnail_size`. Images of less than half of that side are
            enlarged by a whole factor, so that one sees their pixels.
        box: left, top, width, height in these pixels, to be drawn as an outline.
        predicted: likewise, of the box that a model predicts; it is drawn in corners alone, to be told apart.

    Returns:
        A WebP file.
    """
    factor = _factor(pixels)
    gray = pixels.shape[2] == 1
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    thumbnail = Pillow.fromarray(pixels.squeeze(axis=2) if gray else pixels).convert("RGB")
    draw = ImageDraw.Draw(thumbnail)
    if box and np.isfinite(box).all():
        draw.rectangle(_edges(box, factor), outline=TRUE_BOX)
    if predicted and np.isfinite(predicted).all():
        left, top, right, bottom = _edges(predicted, factor)
        across, down = (right - left) // 3, (bottom - top) // 3
        for x, y, to_x, to_y in (
            *((left, top, across, down), (right, top, -across, down)),
            *((left, bottom, across, -down), (right, bottom, -across, -down)),
        ):
            draw.line([(x + to_x, y), (x, y), (x, y + to_y)], fill=PREDICTED_BOX, width=2)
    return _save(thumbnail, lossless=factor > 1)


def draw_heat(pixels: NDArray[np.uint8], heat: NDArray[np.float16]) -> bytes:
    """Lay a map over an image: the more heat, the more colour.

    Args:
        pixels: (height, width, 1 or 3) uint8, of `thumbnail_size`.
        heat: (h, w), from 0 to 1; it is stretched over the image.

    Returns:
        A WebP file.
    """
    factor = _factor(pixels)
    image = pixels.repeat(factor, axis=0).repeat(factor, axis=1).mean(axis=2, keepdims=True)
    size = (image.shape[1], image.shape[0])
    levels = Pillow.fromarray(np.round(np.nan_to_num(heat.astype(np.float32)).clip(0, 1) * 255).astype(np.uint8))
    share = np.asarray(levels.resize(size, Pillow.Resampling.BICUBIC), np.float64)[..., None] / 255
    stops = np.linspace(0, 1, len(HEAT))
    colours = np.concatenate([np.interp(share, stops, channel) for channel in np.transpose(HEAT)], axis=2)
    mixed = image * (1 - 0.6 * share**0.5) * 0.85 + colours * 0.6 * share**0.5
    return _save(Pillow.fromarray(mixed.clip(0, 255).astype(np.uint8)))


def _factor(pixels: NDArray[np.uint8]) -> int:
    return max(1, THUMBNAIL_SIDE_PIXELS // int(max(pixels.shape[:2])))


def _edges(box: Box, factor: int) -> tuple[int, int, int, int]:
    left, top, across, down = box
    edges = np.round(np.array([left, top, left + across, top + down]) * factor).tolist()
    return int(edges[0]), int(edges[1]), int(max(edges[0], edges[2] - 1)), int(max(edges[1], edges[3] - 1))


def _save(image: Pillow.Image, *, lossless: bool = False) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, lossless=lossless)
    return file.getvalue()
