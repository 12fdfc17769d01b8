"""Labels as soft targets."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

from podium.training.soft_targets import soft_targets_of, with_soft_targets
from tests.makers import make_schedule

pytestmark = pytest.mark.slow

LABELS = np.array([0] * 6 + [1] * 3 + [2])


def test_labels_stay_what_they_are_where_nobody_asks_for_more() -> None:
    assert soft_targets_of(make_schedule(), LABELS, 3) is None


def test_smoothing_spreads_a_share_of_each_label_over_all_classes() -> None:
    targets = soft_targets_of(make_schedule(label_smoothing=0.3), LABELS, 3)
    assert targets is not None
    np.testing.assert_allclose(targets, np.full((3, 3), 0.1) + 0.7 * np.eye(3), atol=1e-7)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    targets = soft_targets_of(make_schedule(class_weights="balanced"), LABELS, 3)
    assert targets is not None
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(targets, np.diag(expected), rtol=1e-6)
    assert np.diag(targets)[LABELS].mean() == pytest.approx(1)


def test_the_loss_of_weighed_and_smoothed_shares_is_the_loss_that_keras_weighs_and_smooths() -> None:
    targets = soft_targets_of(make_schedule(class_weights="balanced", label_smoothing=0.2), LABELS, 3)
    assert targets is not None
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), len(LABELS)).astype(np.float32)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)[LABELS]
    known = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)(np.eye(3)[LABELS], probabilities, weights)
    ours = keras.losses.CategoricalCrossentropy()(targets[LABELS], probabilities)
    assert float(ours) == pytest.approx(float(known), rel=1e-5)


def test_only_labels_are_replaced() -> None:
    boxes = np.arange(40, dtype=np.float32).reshape(10, 4)
    images = np.arange(10)
    batches = tf.data.Dataset.from_tensor_slices((images, {"label": LABELS, "box": boxes})).batch(4)
    targets = np.arange(9, dtype=np.float32).reshape(3, 3)
    found = [*with_soft_targets(targets, batches).as_numpy_iterator()]
    np.testing.assert_array_equal(np.concatenate([images for images, _ in found]), images)
    np.testing.assert_array_equal(np.concatenate([known["label"] for _, known in found]), targets[LABELS])
    np.testing.assert_array_equal(np.concatenate([known["box"] for _, known in found]), boxes)
