import numpy as np
import pytest

from podium.evaluation.boxes import corner_errors, overlap

ACTUAL = np.array([[2, 2, 4, 4], [2, 2, 4, 4], [0, 0, 2, 2], [0, 0, 4, 4]], np.float32)
PREDICTED = np.array([[2, 2, 4, 4], [4, 2, 4, 4], [5, 5, 1, 1], [0, 0, 4, 2]], np.float32)  # of 20 × 10 pixels


def test_overlaps_are_those_counted_by_hand() -> None:
    np.testing.assert_allclose(overlap(ACTUAL, PREDICTED), [1, 8 / 24, 0, 1 / 2])
    np.testing.assert_allclose(overlap(PREDICTED, ACTUAL), [1, 8 / 24, 0, 1 / 2])


@pytest.mark.parametrize("box", [(3, 3, 0, 0), (5, 2, -3, 4), (5, 5, -3, -3), (2, 2, 4, 0)])
def test_a_box_without_an_area_covers_nothing(box: tuple[float, ...]) -> None:
    boxes = np.array([box], np.float32)
    assert overlap(ACTUAL[:1], boxes).tolist() == overlap(boxes, boxes).tolist() == [0]


def test_errors_are_those_counted_by_hand() -> None:
    """The second is 2 too far right on both sides, the third 5, 5, 4 and 4 off, the last 2 too short."""
    squares = [0, 2 * (2 / 20) ** 2, (5 / 20) ** 2 + (5 / 10) ** 2 + (4 / 20) ** 2 + (4 / 10) ** 2, (2 / 10) ** 2]
    np.testing.assert_allclose(corner_errors(ACTUAL, PREDICTED, (10, 20, 3)), np.array(squares) / 4)
