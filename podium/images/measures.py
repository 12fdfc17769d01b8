"""What is measured of an image: light, contrast, sharpness, colour, and what it looks like."""

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.images.light import measure_light
from podium.images.phash import perceptual_hash

MEASURES = ("darkest", "brightest", "brightness", "contrast", "sharpness", "red", "green", "blue", "hash")

MAX_HASHED_SIDE_PIXELS = 127
"""Pixels: the longer side of an image is reduced to no more before it is hashed."""

Measures = tuple[int, int, float, float, float, float, float, float, str]

NO_MEASURES: Measures = (0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")


def measure(gray: NDArray[np.uint8], colour: tuple[float, float, float]) -> Measures:
    """Measure an image.

    Args:
        gray: (height, width) uint8.
        colour: its mean red, green and blue.

    Returns:
        What `MEASURES` names: the least and the greatest gray value; the mean and the standard deviation of the gray
        values, 0–255; the variance of their Laplacian (blurred images have little); the colour; the perceptual
        hash.
    """
    return (*measure_light(gray), *colour, perceptual_hash(_reduced(gray)))


def _reduced(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = gray.shape
    if max(height, width) <= MAX_HASHED_SIDE_PIXELS:
        return gray
    small: NDArray[np.uint8] = cv2.resize(
        gray, (min(width, MAX_HASHED_SIDE_PIXELS), min(height, MAX_HASHED_SIDE_PIXELS)), interpolation=cv2.INTER_AREA
    )
    return small
