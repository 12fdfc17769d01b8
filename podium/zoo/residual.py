"""ResNet18 without its top: K. He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385.

The layers are torchvision's, one by one and under its names (`layer2.0.bn1` is `layer2_0_bn1`), with its padding: its
weights, converted, give its features. Kernels become (height, width, in, out).
"""

import keras
from keras import layers

from podium.errors import PodiumError

_FILTERS = (64, 128, 256, 512)
_BLOCKS = 2
"""In each stage of equal filters."""


def network(input_shape: tuple[int, int, int], name: str, weights: str | None) -> keras.Model:
    """Build ResNet18 without its top, (n, height, width, 3) to (n, height / 32, width / 32, 512).

    Raises:
        PodiumError: `weights` is not None: there are none to download.
    """
    if weights is not None:
        raise PodiumError(
            "Keras has no ImageNet weights of ResNet18 to download. Name a weights file in params.yaml, at "
            "model.weights (torchvision's, converted), or set it to 'random'."
        )
    pictures = keras.Input(input_shape)
    x = _convolve(pictures, 64, 7, 2, "conv1", "bn1")
    x = layers.ReLU()(x)
    x = layers.ZeroPadding2D(1)(x)  # nothing is below zero here, so zeros are no other border than −∞
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, filters in enumerate(_FILTERS, 1):
        for block in range(_BLOCKS):
            x = _basic_block(x, filters, 2 if stage > 1 and block == 0 else 1, f"layer{stage}_{block}")
    return keras.Model(pictures, x, name=name)


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
