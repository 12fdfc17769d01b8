"""The network that looks twice: what it samples, what teaches what, and what its file needs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from podium.models import zoo
from podium.models.files import save_model
from podium.models.zoo import two_looks
from tests.podium.models.zoo.entries import SHAPE, TWO_LOOKS, ask, build, make_batch

pytestmark = pytest.mark.slow


def crop(image: np.ndarray, box: list[float], side: int, scale: float = 1.0) -> np.ndarray:
    light, window = (keras.ops.convert_to_tensor(np.array([one], np.float32)) for one in (image, box))
    return keras.ops.convert_to_numpy(two_looks._crop(light, window, side, scale))[0]


def test_the_window_of_the_whole_image_in_its_own_size_is_the_image() -> None:
    image = np.random.default_rng(0).normal(size=(12, 12, 3))
    np.testing.assert_allclose(crop(image, [0, 0, 1, 1], 12), image, atol=1e-5)


def test_the_window_of_a_part_is_that_part() -> None:
    image = np.random.default_rng(0).normal(size=(10, 20, 2))
    np.testing.assert_allclose(crop(image, [0.25, 0.2, 0.5, 0.7], 5), image[2:7, 5:10], atol=1e-5)
    np.testing.assert_allclose(crop(image, [0.3, 0.3, 0.45, 0.6], 5, 5 / 3), image[2:7, 5:10], atol=1e-5)


def test_where_its_pixels_are_larger_the_window_has_weighted_means() -> None:
    """Triangles over a chessboard give gray, where every other pixel alone would give black or white."""
    chess = np.indices((24, 24)).sum(axis=0) % 2 * 1.0
    small = crop(chess[..., None], [0, 0, 1, 1], 6)
    np.testing.assert_allclose(small[1:-1, 1:-1], 0.5, atol=0.02)


def test_beyond_the_image_its_border_goes_on_and_an_empty_box_has_a_window_all_the_same() -> None:
    image = np.tile(np.arange(10.0)[None, :, None], (10, 1, 1))
    across = crop(image, [-1.0, 0, 2.0, 1], 30)[0, :, 0]
    np.testing.assert_allclose(across, [*[0] * 10, *range(10), *[9] * 10], atol=1e-5)
    assert np.isfinite(crop(image, [0.5, 0.5, 0.5, 0.5], 4)).all()
    assert np.isfinite(crop(image, [0.9, 0.9, 0.1, 0.1], 4)).all()


@pytest.mark.parametrize("change", [lambda image: image // 2 + 40, lambda image: image // 2 + np.uint8([0, 40, 90])])
def test_paler_or_tinted_images_look_nearly_the_same(change: Callable[[np.ndarray], np.ndarray]) -> None:
    light = [
        keras.ops.convert_to_tensor(one[None] / np.float32(127.5) - 1)
        for image in (np.random.default_rng(0).integers(0, 120, (9, 9, 3), dtype=np.uint8),)
        for one in (image, change(image))
    ]
    one, other = (keras.ops.convert_to_numpy(two_looks._even(each)) for each in light)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
    assert other.std() == pytest.approx(one.std(), rel=0.2)


def taught(targets: dict[str, int], by: str) -> set[str]:
    """Say what an answer teaches: where to look first (`edges`), how to correct that (`moves`), the class (`label`)."""
    keras.utils.set_random_seed(0)
    model = zoo.build(TWO_LOOKS, (*SHAPE, 3), targets)
    parts = [layer for layer in model.layers if layer.name in ("edges", "label", "moves")]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(make_batch(TWO_LOOKS, 3)[0], training=True)[by][:, 0])
    slopes = tape.gradient(loss, [part.kernel.value for part in parts])
    return {part.name for part, slope in zip(parts, slopes, strict=True) if slope is not None and np.any(slope)}


def test_the_box_alone_teaches_where_to_look_and_without_boxes_the_label_does() -> None:
    assert taught({"label": 3, "box": 4}, "label") == {"label"}
    assert taught({"label": 3, "box": 4}, "box") == {"edges", "moves"}
    assert taught({"label": 3}, "label") == {"edges", "label"}


def test_the_window_trembles_while_it_learns_and_stands_still_afterwards() -> None:
    model, (images, _) = build(TWO_LOOKS, 3), make_batch(TWO_LOOKS, 3)
    still = [ask(model, images)["box"] for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert np.abs(model(images, training=True)["box"].numpy() - still[0]).max() > 0.005
    assert not any("noise" in layer.name for layer in build(replace(TWO_LOOKS, jitter=None), 3).layers)


def test_its_file_needs_keras_alone(tmp_path: Path) -> None:
    model, (images, _) = build(TWO_LOOKS, 3), make_batch(TWO_LOOKS, 3)
    save_model(model, tmp_path / "model.keras")
    read = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert not keras.saving.get_custom_objects()
    assert "podium" not in read.to_json()
    assert "Lambda" not in {type(layer).__name__ for layer in read.layers}
    np.testing.assert_array_equal(ask(read, images)["box"], ask(model, images)["box"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"filters": [4] * 6}, r"size is 32, but 6 filters halve it .* it needs 64\. Take fewer filters"),
        ({"crop_filters": [4] * 5}, r"crop is 16, but 5 crop_filters halve it .* it needs 32\. Take fewer"),
    ],
)
def test_a_look_that_is_halved_to_nothing_is_refused(change: dict[str, list[int]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        replace(TWO_LOOKS, **change)
