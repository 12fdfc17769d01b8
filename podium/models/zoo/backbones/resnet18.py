"""ResNet18 without its top: K. He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385.

The layers are torchvision's, one by one and under its names (`layer2.0.bn1` is `layer2_0_bn1`), with its padding: its
weights give its features.
"""

import re
from pathlib import Path

import keras
import ml_dtypes  # noqa: F401 - teaches NumPy the type bfloat16, which safetensors reads BF16 as
import numpy as np
from keras import layers
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from podium.errors import PodiumError

_FILTERS = (64, 128, 256, 512)
_BLOCKS = 2
"""In each stage of equal filters."""

_TORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_NOT_OURS = r"fc\..+|.+\.num_batches_tracked"
"""torchvision's names of the top, and of a count that nothing here asks for."""
_TYPES = ("F32", "F16", "BF16")
"""What weights may be written as."""
_NAMED = 3
"""Tensors that a message names."""
_PUBLISHED = "timm/resnet18.tv_in1k on huggingface.co"


def network(input_shape: tuple[int, int, int], name: str, weights: str | None) -> keras.Model:
    """Build ResNet18 without its top, (n, height, width, 3) to (n, height / 32, width / 32, 512).

    Raises:
        PodiumError: `weights` is not None: there are none to download.
    """
    if weights is not None:
        raise PodiumError(
            "Keras has no ImageNet weights of ResNet18 to download. Name a weights file in params.yaml, at "
            f"model.weights (torchvision's as .safetensors: {_PUBLISHED}), or set it to 'random'."
        )
    images = keras.Input(input_shape)
    x = _convolve(images, 64, 7, 2, "conv1", "bn1")
    x = layers.ReLU()(x)
    x = layers.ZeroPadding2D(1)(x)  # nothing is below zero here, so zeros are no other border than −∞
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, filters in enumerate(_FILTERS, 1):
        for block in range(_BLOCKS):
            x = _basic_block(x, filters, 2 if stage > 1 and block == 0 else 1, f"layer{stage}_{block}")
    return keras.Model(images, x, name=name)


def load(base: keras.Model, path: Path) -> None:
    """Put the weights of a file into the network.

    Args:
        base: what `network` builds.
        path: torchvision's weights as a `.safetensors`, with or without the top, or a weights file of Keras.

    Raises:
        ValueError: they are another network's, or the file is damaged.
        OSError: it cannot be read.
    """
    if path.suffix.lower() != ".safetensors":
        base.load_weights(path)
        return
    weights = {
        f"{layer.name.replace('_', '.')}.{_TORCH_NAMES[weight.name]}": weight
        for layer in base.layers
        for weight in layer.weights
    }
    # torchvision's kernels are (out, in, height, width), Keras's (height, width, in, out).
    shapes = {name: (*weight.shape[:1:-1], *weight.shape[:2]) for name, weight in weights.items()}
    try:
        tensors = read_tensors(path, shapes, _NOT_OURS)
    except ValueError as error:
        raise ValueError(f"{error} Expected torchvision's, such as {_PUBLISHED}.") from error
    for name, tensor in tensors.items():
        weights[name].assign(tensor.transpose(2, 3, 1, 0) if tensor.ndim == 4 else tensor)


def _basic_block(x: keras.KerasTensor, filters: int, stride: int, name: str) -> keras.KerasTensor:
    """Add two convolutions to what comes in; where that has another shape, it is brought to theirs."""
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = _convolve(x, filters, 1, stride, f"{name}_downsample_0", f"{name}_downsample_1")
    x = _convolve(x, filters, 3, stride, f"{name}_conv1", f"{name}_bn1")
    x = layers.ReLU()(x)
    x = _convolve(x, filters, 3, 1, f"{name}_conv2", f"{name}_bn2")
    return layers.ReLU()(layers.Add()([x, shortcut]))


def _convolve(x: keras.KerasTensor, filters: int, side: int, stride: int, name: str, norm: str) -> keras.KerasTensor:
    """Convolve and normalise. The border is torchvision's, equal on all sides, which `same` with a stride is not."""
    if side > 1:
        x = layers.ZeroPadding2D(side // 2)(x)
    start = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    x = layers.Conv2D(filters, side, strides=stride, use_bias=False, kernel_initializer=start, name=name)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=norm)(x)


def read_tensors(path: Path, shapes: dict[str, tuple[int, ...]], spare: str) -> dict[str, NDArray[np.float32]]:
    """Read the tensors of a `.safetensors` file, which must have these and no others.

    Args:
        path: the file.
        shapes: of the tensors, by name.
        spare: a regular expression; tensors of such names may be there as well, and are not read.

    Returns:
        The tensors by name, float32.

    Raises:
        ValueError: it is no such file, or names, shapes or types differ. The message names the first of them.
        OSError: it cannot be read.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - the file is no dictionary
            found = {name: (slice_.get_dtype(), tuple(slice_.get_shape())) for name, slice_ in slices.items()}
            if wrong := _differences(found, shapes, spare):
                raise ValueError("; ".join(wrong) + ".")
            return {name: file.get_tensor(name).astype(np.float32) for name in shapes}
    except SafetensorError as error:  # its text may quote the file, so it is cut and its control characters are shown
        raise ValueError(f"it is no .safetensors file, or was cut: {str(error)!r:.150}.") from error


def _differences(
    found: dict[str, tuple[str, tuple[int, ...]]], shapes: dict[str, tuple[int, ...]], spare: str
) -> list[str]:
    """Say what a file lacks, what it has besides, and what has another type or shape."""
    lacking = [repr(name) for name in shapes if name not in found]
    surplus = [f"{name!r:.100}" for name in found if name not in shapes and not re.fullmatch(spare, name)]
    others = [
        f"{name!r} is {found[name][0]} of {found[name][1]}, not {' or '.join(_TYPES)} of {shape}"
        for name, shape in shapes.items()
        if name in found and (found[name][0] not in _TYPES or found[name][1] != shape)
    ]
    kinds = (("it lacks {}", lacking), ("it has {} besides", surplus), ("{}", others))
    return [words.format(_first(some)) for words, some in kinds if some]


def _first(some: list[str]) -> str:
    more = f" and {len(some) - _NAMED:,} more" if len(some) > _NAMED else ""
    return ", ".join(some[:_NAMED]) + more
