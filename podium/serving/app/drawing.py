"""The image that is shown beside an answer: upright, as large as a screen needs; with the box, or with the heat."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.pages.thumbnails import HEAT
from podium.serving.reading import read_upright

LONGEST, LEAST = 720, 240
"""Pixels of the longer side: larger images are reduced, small ones enlarged by a whole factor to see their pixels."""
BOX = (255, 176, 0)
"""Red, green, blue of a box, with a dark line on either side: seen on any image."""
_QUALITY = 90


@dataclass(frozen=True)
class Shown:
    """An image as it is shown.

    Attributes:
        pixels: (height, width, 3) uint8, upright, as it is seen.
        width, height: of the image itself, upright.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


def read_shown(data: bytes) -> Shown:
    """Decode an image file for the screen.

    Raises:
        BadImageError: it cannot be used; the predictor says the same of it.
    """
    given = read_upright(data, LONGEST)
    pixels = given.pixels
    factor = max(1, LEAST // max(pixels.shape[:2]))
    return Shown(pixels.repeat(factor, axis=0).repeat(factor, axis=1), given.width, given.height)


def draw_box(shown: Shown, box: list[float]) -> NDArray[np.uint8]:
    """Draw a box on an image: (height, width, 3) uint8.

    Args:
        shown: the image.
        box: left, top, right, bottom in the image's own pixels.
    """
    height, width = shown.pixels.shape[:2]
    scale = np.array([width / shown.width, height / shown.height] * 2)
    left, top, right, bottom = (
        np.clip(np.round(np.array(box) * scale), 0, [width - 1, height - 1] * 2).astype(int).tolist()
    )
    drawn = np.ascontiguousarray(shown.pixels.copy())
    thin = max(2, round(max(height, width) / 200))
    for colour, thickness in (((16, 16, 16), thin + 2), (BOX, thin)):
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, thickness)
    return drawn


def draw_heat(shown: Shown, heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a map over an image in gray: the more heat, the more colour: (height, width, 3) uint8.

    Args:
        shown: the image.
        heat: (h, w), 0 to 1, of the whole image.
    """
    height, width = shown.pixels.shape[:2]
    share = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]
    gray = cv2.cvtColor(shown.pixels, cv2.COLOR_RGB2GRAY)[..., np.newaxis].astype(np.float32)
    stops = np.linspace(0, 1, len(HEAT))
    colours = np.concatenate([np.interp(share, stops, channel) for channel in np.transpose(HEAT)], axis=2)
    weight = 0.7 * np.sqrt(share.clip(0, 1))
    mixed: NDArray[np.uint8] = (gray * (1 - weight) * 0.9 + colours * weight).clip(0, 255).astype(np.uint8)
    return mixed


def as_address(pixels: NDArray[np.uint8]) -> str:
    """Give an image, (height, width, 3) uint8, as an address that holds it: small ones exactly, others as JPEG."""
    exact = max(pixels.shape[:2]) < 2 * LEAST
    kind, how = ("png", []) if exact else ("jpg", [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    _, file = cv2.imencode(f".{kind}", np.ascontiguousarray(pixels[..., ::-1]), how)
    return f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(file.tobytes()).decode()}"
