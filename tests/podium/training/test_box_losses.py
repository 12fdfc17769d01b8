import keras
import numpy as np
import pytest

from podium.evaluation.boxes import overlap
from podium.training.box_losses import giou


def loss(actual: object, predicted: object) -> np.ndarray:
    return giou(*(keras.ops.convert_to_tensor(np.array(one, np.float32)) for one in (actual, predicted))).numpy()


def test_equal_boxes_lose_nothing() -> None:
    boxes = np.array([[0, 0, 1, 1], [0.2, 0.3, 0.4, 0.9]])
    np.testing.assert_allclose(loss(boxes, boxes), 0, atol=1e-5)


def test_boxes_that_fill_what_encloses_them_lose_what_their_overlap_lacks_and_their_distance() -> None:
    """One half of the other: nothing of the enclosing box is left."""
    actual, predicted = np.array([[0, 0, 0.5, 0.5]]), np.array([[0, 0, 0.25, 0.5]])
    share = overlap(actual, predicted)  # equal numbers, as both begin at 0
    np.testing.assert_allclose(loss(actual, predicted), 1 - share + 2.5 * 0.25, atol=1e-5)


def test_boxes_apart_lose_more_the_farther_apart_they_are() -> None:
    actual = [[0, 0, 0.1, 0.1]] * 3
    losses = loss(actual, [[0.1, 0, 0.2, 0.1], [0.3, 0, 0.4, 0.1], [0.8, 0.8, 0.9, 0.9]])
    assert (np.diff(losses) > 0.2).all()


@pytest.mark.parametrize("box", [[0.5, 0.5, 0.5, 0.5], [0.6, 0.6, 0.4, 0.4], [0.0, 0.0, 0.0, 0.0]])
def test_a_box_that_covers_nothing_still_learns_where_to_go(box: list[float]) -> None:
    tf = pytest.importorskip("tensorflow")
    predicted = tf.Variable([box])
    with tf.GradientTape() as tape:
        value = giou(tf.constant([[0.3, 0.3, 0.7, 0.8]]), predicted)
    slope = tape.gradient(value, predicted).numpy()
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0.1


def test_two_boxes_without_an_area_give_a_finite_loss() -> None:
    assert np.isfinite(loss([[0, 0, 0, 0.5]], [[0, 0, 0, 0]])).all()
