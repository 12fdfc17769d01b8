"""Metrics of predicted boxes."""

import numpy as np
from numpy.typing import NDArray


def measure_boxes(
    actual: NDArray[np.float32], predicted: NDArray[np.float32], shape: tuple[int, int, int]
) -> dict[str, float]:
    """Measure the predicted boxes of a split.

    Args:
        actual: (n, 4) left, top, width, height in pixels.
        predicted: (n, 4) likewise.
        shape: height, width and channels of the images.

    Returns:
        box_mse (mean squared error over left, top, right and bottom as shares of the image's width and height),
        mean_iou (of `overlap`), and iou_over_half (share of the images with an overlap of at least 0.5, where
        M. Everingham et al., "The Pascal Visual Object Classes Challenge", 2010, begin to call a box right).
    """
    height, width, _ = shape
    errors = (_corners(actual) - _corners(predicted)) / np.array([width, height, width, height])
    overlaps = overlap(actual, predicted)
    return {
        "box_mse": float(np.mean(errors**2)),
        "mean_iou": float(np.mean(overlaps)),
        "iou_over_half": float(np.mean(overlaps >= 0.5)),
    }


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
