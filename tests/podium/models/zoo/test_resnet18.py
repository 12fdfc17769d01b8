from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import save_file

from podium.errors import PodiumError
from tests.podium.models.zoo.entries import RESNET18, TWO_HEAD, build

pytestmark = pytest.mark.slow

BLOCKS = [f"layer{stage}.{block}" for stage in (1, 2, 3, 4) for block in (0, 1)]
STRIDED = ("layer2.0", "layer3.0", "layer4.0")


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


@pytest.fixture(scope="module")
def torch() -> dict[str, np.ndarray]:
    """Tensors as torchvision names and lays them out, of random numbers: all that its file has, the top too."""
    random, tensors = np.random.default_rng(0), dict[str, np.ndarray]()

    def convolution(name: str, channels: int, filters: int, side: int) -> None:
        kernel = random.normal(0, np.sqrt(2 / (channels * side**2)), (filters, channels, side, side))
        tensors[f"{name}.weight"] = kernel.astype(np.float32)

    def norm(name: str, filters: int) -> None:
        for part, least in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            tensors[f"{name}.{part}"] = random.uniform(least, least + 1, filters).astype(np.float32)
        tensors[f"{name}.num_batches_tracked"] = np.array(7)

    convolution("conv1", 3, 64, 7)
    norm("bn1", 64)
    for block in BLOCKS:
        filters = 32 * 2 ** int(block[5])
        channels = filters // 2 if block in STRIDED else filters
        for layer, before in ((1, channels), (2, filters)):
            convolution(f"{block}.conv{layer}", before, filters, 3)
            norm(f"{block}.bn{layer}", filters)
        if block in STRIDED:
            convolution(f"{block}.downsample.0", channels, filters, 1)
            norm(f"{block}.downsample.1", filters)
    return tensors | {"fc.weight": np.zeros((1000, 512), np.float32), "fc.bias": np.zeros(1000, np.float32)}


def features_by_hand(images: np.ndarray, torch: dict[str, np.ndarray]) -> np.ndarray:
    """Compute what torchvision's layers make of (n, height, width, 3) images: (n, height, width, 512)."""

    def windows(x: np.ndarray, side: int, stride: int, padding: int, border: float) -> np.ndarray:
        around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        padded = np.pad(x, around, constant_values=border)
        return sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::stride, ::stride]

    def convolve(x: np.ndarray, name: str, stride: int, padding: int) -> np.ndarray:
        kernel = torch[f"{name}.weight"].astype(np.float64)
        seen = windows(x, kernel.shape[2], stride, padding, 0)
        return np.einsum("nhwcij,ocij->nhwo", seen, kernel, optimize=True)

    def normalise(x: np.ndarray, name: str) -> np.ndarray:
        parts = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (torch[f"{name}.{part}"].astype(np.float64) for part in parts)
        return (x - mean) / np.sqrt(variance + 1e-5) * scale + shift

    x = np.maximum(normalise(convolve(images, "conv1", 2, 3), "bn1"), 0)
    x = windows(x, 3, 2, 1, -np.inf).max(axis=(4, 5))
    for block in BLOCKS:
        stride = 2 if block in STRIDED else 1
        y = np.maximum(normalise(convolve(x, f"{block}.conv1", stride, 1), f"{block}.bn1"), 0)
        y = normalise(convolve(y, f"{block}.conv2", 1, 1), f"{block}.bn2")
        if stride == 2:
            x = normalise(convolve(x, f"{block}.downsample.0", 2, 0), f"{block}.downsample.1")
        x = np.maximum(x + y, 0)
    return x


@pytest.mark.parametrize("options", [replace(RESNET18, size=48), replace(TWO_HEAD, backbone="resnet18", size=48)])
def test_with_the_weights_that_torchvision_publishes_it_has_torchvisions_features(
    options: Any, torch: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """The sides are 48, 24, 12, 12, 6, 3, 2: with a stride, equal borders differ from `same` where a side is even."""
    path = tmp_path / "model.safetensors"
    save_file(torch, path)
    base = build(replace(options, weights=str(path)), 3).get_layer("base")
    path.unlink()  # 47 MB
    images = np.random.default_rng(0).normal(size=(2, 48, 48, 3)).astype(np.float32)
    expected = features_by_hand(images, torch)
    assert expected.shape == (2, 2, 2, 512)
    assert np.median(expected.std(axis=(0, 1, 2)) / expected.mean()) > 0.1  # the images come through
    np.testing.assert_allclose(base(images, training=False), expected, rtol=1e-4, atol=1e-4 * expected.std())


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (
            {},
            r"it lacks 'conv1\.weight', 'bn1\.weight', 'bn1\.bias' and 97 more\. Expected torchvision's, such as timm/",
        ),
        ({"resnet.conv1.weight": np.zeros(1)}, r"97 more; it has 'resnet\.conv1\.weight' besides"),
        (
            {"conv1.weight": np.zeros((64, 3, 3, 3))},
            r"'conv1\.weight' is F32 of \(64, 3, 3, 3\), not .* of \(64, 3, 7, 7\)",
        ),
    ],
    ids=["missing", "surplus", "misshapen"],
)
def test_tensors_of_another_network_are_refused(tensors: dict[str, np.ndarray], words: str, tmp_path: Path) -> None:
    floats = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    path = tmp_path / "model.safetensors"
    save_file(floats, path)
    with pytest.raises(PodiumError, match=rf"^The weights in {path} do not fit ResNet18 without its top: .*{words}"):
        build(replace(RESNET18, weights=str(path)))


def test_a_damaged_file_of_tensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(
        PodiumError, match=r"do not fit ResNet18 without its top: it is no \.safetensors file, or was cut"
    ):
        build(replace(RESNET18, weights=str(tmp_path / "model.safetensors")))


def test_weights_of_another_size_of_images_fit_as_well(network: keras.Model, tmp_path: Path) -> None:
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
