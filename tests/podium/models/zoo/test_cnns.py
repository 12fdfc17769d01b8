"""The networks from scratch: their layers, and the smallest images that they take."""

from dataclasses import replace

import keras
import pytest

from podium.config.models import CnnDropoutModel, Model
from podium.errors import PodiumError
from podium.models import zoo
from tests.makers import CNN
from tests.podium.models.zoo.entries import CNN4, CNN_DROPOUT, PHOTO_CNN, build

pytestmark = pytest.mark.slow


def kinds_of(model: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


def test_cnn_dropout_is_the_network_of_the_tutorials() -> None:
    """At 100 × 100 gray its sides are 98, 49, 47, 23, 21, 10."""
    options = CnnDropoutModel(kind="cnn_dropout", filters=[32, 64, 128], units=[100], dropout=0.5)
    model = zoo.build(options, (100, 100, 1), {"label": 2})
    dense = (10 * 10 * 128 + 1) * 100
    assert model.count_params() == (9 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128 + dense + 101 * 2
    blocks = ["Conv2D", "MaxPooling2D"] * 3
    assert kinds_of(model) == ["InputLayer", "Rescaling", *blocks, "Dropout", "Flatten", "Dense", "Dense"]
    assert "Dropout" not in kinds_of(build(replace(CNN_DROPOUT, dropout=0.0)))


def test_cnn4_has_four_blocks_without_biases_and_one_dropout() -> None:
    model = build(CNN4, 3)  # 16 × 18: its sides are 1 × 1 at the end
    blocks = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D"] * 4
    assert kinds_of(model) == ["InputLayer", "Rescaling", *blocks, "Flatten", "Dense", "Dropout", "Dense"]
    convolutions, norms = 9 * (3 * 2 + 2 * 3 + 3 * 4 + 4 * 5), 4 * (2 + 3 + 4 + 5)
    assert model.count_params() == convolutions + norms + (5 + 1) * 8 + (8 + 1) * 3
    assert "Dropout" not in kinds_of(build(replace(CNN4, dropout=0.0)))


def test_photo_cnn_looks_at_a_quarter_of_the_pixels_and_then_is_cnn() -> None:
    model = zoo.build(replace(PHOTO_CNN, filters=[4, 8]), (100, 80, 3), {"label": 2})
    convolution = ["Conv2D", "BatchNormalization", "ReLU"]
    blocks = [*convolution * 2, "MaxPooling2D", *convolution * 2]
    top = ["GlobalAveragePooling2D", "Dropout", "Dense"]
    assert kinds_of(model) == ["InputLayer", "Rescaling", *convolution, *blocks, *top]
    sides = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sides == [(50, 40, 4)] * 3 + [(25, 20, 8)] * 2
    assert "Dropout" not in kinds_of(build(replace(PHOTO_CNN, dropout=0.0)))


@pytest.mark.parametrize(
    ("options", "least"),
    [
        (replace(CNN, filters=[4]), 1),
        (replace(CNN, filters=[4, 4, 4]), 4),
        (replace(PHOTO_CNN, filters=[4]), 2),
        (replace(PHOTO_CNN, filters=[4, 4, 4]), 8),
        (CNN4, 16),
        (replace(CNN_DROPOUT, filters=[4]), 4),
        (replace(CNN_DROPOUT, filters=[4, 4]), 10),
        (replace(CNN_DROPOUT, filters=[4, 4, 4]), 22),
    ],
)
def test_images_that_a_network_would_shrink_to_nothing_are_refused(options: Model, least: int) -> None:
    build(options, shape=(least, 2 * least))
    if least > 1:
        with pytest.raises(PodiumError, match=rf"it needs {least} × {least}\. (Take fewer|Make the dataset's image)"):
            build(options, shape=(2 * least, least - 1))
