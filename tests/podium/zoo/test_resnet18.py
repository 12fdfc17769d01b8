from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from podium.errors import PodiumError
from tests.podium.zoo.entries import RESNET18, build

pytestmark = pytest.mark.slow

BLOCKS = [f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build(replace(RESNET18, size=48), 3).get_layer("network")


def test_it_has_the_parameters_of_torchvision_under_torchvisions_names(network: keras.Model) -> None:
    """11,689,512 with the top, which has 513,000; the batch statistics are two more numbers for each of 4,800."""
    assert sum(weight.numpy().size for weight in network.trainable_weights) == 11_689_512 - 513_000
    assert sum(weight.numpy().size for weight in network.non_trainable_weights) == 9_600
    names = {"conv1", "bn1"} | {f"{block}.{layer}" for block in BLOCKS for layer in ("conv1", "bn1", "conv2", "bn2")}
    names |= {f"layer{stage}.0.downsample.{layer}" for stage in (2, 3, 4) for layer in (0, 1)}
    assert {layer.name for layer in network.layers if layer.weights} == {name.replace(".", "_") for name in names}


def test_its_features_are_those_of_torchvisions_layout_computed_by_hand(network: keras.Model) -> None:
    """The sides are 48, 24, 12, 12, 6, 3, 2: with a stride, equal borders differ from `same` where a side is even."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        if "kernel" not in weight.name:
            centred = weight.name in ("beta", "moving_mean")
            weight.assign(random.uniform(0.5, 1.5, weight.shape) - (1 if centred else 0))
    pictures = random.normal(size=(2, 48, 48, 3)).astype(np.float32)

    def weights(name: str) -> list[np.ndarray]:
        return [weight.astype(np.float64) for weight in network.get_layer(name.replace(".", "_")).get_weights()]

    def windows(x: np.ndarray, side: int, stride: int, padding: int, border: float) -> np.ndarray:
        around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        padded = np.pad(x, around, constant_values=border)
        return sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::stride, ::stride]

    def convolve(x: np.ndarray, name: str, stride: int, padding: int) -> np.ndarray:
        (kernel,) = weights(name)
        return np.einsum("nhwcij,ijco->nhwo", windows(x, len(kernel), stride, padding, 0), kernel, optimize=True)

    def normalise(x: np.ndarray, name: str) -> np.ndarray:
        gamma, beta, mean, variance = weights(name)
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    x = np.maximum(normalise(convolve(pictures, "conv1", 2, 3), "bn1"), 0)
    x = windows(x, 3, 2, 1, -np.inf).max(axis=(4, 5))
    for block in BLOCKS:
        stride = 2 if block in ("layer2.0", "layer3.0", "layer4.0") else 1
        y = np.maximum(normalise(convolve(x, f"{block}.conv1", stride, 1), f"{block}.bn1"), 0)
        y = normalise(convolve(y, f"{block}.conv2", 1, 1), f"{block}.bn2")
        if stride == 2:
            x = normalise(convolve(x, f"{block}.downsample.0", 2, 0), f"{block}.downsample.1")
        x = np.maximum(x + y, 0)
    assert x.shape == (2, 2, 2, 512)
    assert np.median(x.std(axis=(0, 1, 2)) / x.mean()) > 0.1  # the pictures come through
    np.testing.assert_allclose(network(pictures, training=False), x, rtol=1e-4, atol=1e-4 * x.std())


def test_weights_of_another_size_of_pictures_fit_as_well(network: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "base.weights.h5"
    network.save_weights(path)
    base = build(replace(RESNET18, weights=str(path))).get_layer("base")
    path.unlink()  # 45 MB
    assert (network.input_shape, base.input_shape) == ((None, 48, 48, 3), (None, 32, 32, 3))
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), base.get_weights(), strict=True))


def test_weights_that_keras_does_not_have_are_asked_for() -> None:
    with pytest.raises(PodiumError, match=r"no ImageNet weights of ResNet18.*Name a weights file in params\.yaml"):
        build(replace(RESNET18, weights="imagenet"))


def test_dropout_stands_before_the_head_if_asked_for() -> None:
    for rate, expected in ((0.0, []), (0.6, [0.6])):
        model = build(replace(RESNET18, dropout=rate))
        assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == expected
