"""How far predicted boxes are off."""

import numpy as np
from numpy.typing import NDArray


def corner_errors(
    actual: NDArray[np.float32], predicted: NDArray[np.float32], shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    """Give the error of each pair of boxes, whose mean is box_mse: (n,).

    Args:
        actual: (n, 4) left, top, width, height in pixels.
        predicted: (n, 4) likewise.
        shape: height, width and channels of the images.

    Returns:
        The mean squared error over left, top, right and bottom as shares of the image's width and height.
    """
    height, width, _ = shape
    errors = (_corners(actual) - _corners(predicted)) / np.array([width, height, width, height])
    squares: NDArray[np.float64] = np.mean(errors**2, axis=1)
    return squares


def overlap(actual: NDArray[np.float32], predicted: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give each pair of boxes its intersection over union, 0..1: (n,) from (n, 4) left, top, width, height in pixels.

    A box whose width or height is not above zero covers nothing.

    Example:
        >>> overlap(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 2, 2]]))
        array([0.33333333])
    """
    one, two = _corners(actual), _corners(predicted)
    sides = np.minimum(one[:, 2:], two[:, 2:]) - np.maximum(one[:, :2], two[:, :2])
    areas = [np.prod(np.maximum(box, 0), axis=1) for box in (sides, one[:, 2:] - one[:, :2], two[:, 2:] - two[:, :2])]
    union = areas[1] + areas[2] - areas[0]
    shares: NDArray[np.float64] = np.divide(areas[0], union, out=np.zeros_like(union), where=union > 0)
    return shares


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give left, top, right, bottom of boxes that are left, top, width, height."""
    exact = np.asarray(boxes, np.float64)
    return np.concatenate([exact[:, :2], exact[:, :2] + exact[:, 2:]], axis=1)
