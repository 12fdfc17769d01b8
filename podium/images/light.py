"""How light, how rich in contrast and how sharp an image is."""

import cv2
import numpy as np
from numpy.typing import NDArray


def measure_light(gray: NDArray[np.uint8]) -> tuple[int, int, float, float, float]:
    """Measure the gray values of an image, (height, width) uint8.

    Returns:
        The least and the greatest of them; their mean and standard deviation, 0–255; the variance of their Laplacian
        (blurred images have little).
    """
    darkest, brightest, _, _ = cv2.minMaxLoc(gray)
    mean, deviation = cv2.meanStdDev(gray)
    _, edges = cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))
    return int(darkest), int(brightest), float(mean[0, 0]), float(deviation[0, 0]), float(edges[0, 0] ** 2)


def measure_pixels(pixels: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Give brightness, contrast and sharpness of pixels as a model takes them: (height, width, 1 or 3) uint8."""
    gray = pixels[..., 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return measure_light(np.ascontiguousarray(gray))[2:]
