"""What the models of the zoo share: the way in, a pretrained backbone, and the way out."""

from collections.abc import Sequence

import keras
from keras import layers

from podium.errors import PodiumError


def image_input(shape: tuple[int, int, int]) -> keras.KerasTensor:
    """Take raw images, (n, *shape) uint8 of 0–255."""
    return keras.Input(shape, dtype="uint8", name="image")


def require_side(shape: tuple[int, int, int], least: int, advice: str) -> None:
    """Refuse images that a network would shrink to nothing.

    Raises:
        PodiumError: the height or the width is less than `least` pixels; the message ends with the advice.
    """
    if min(shape[:2]) < least:
        raise PodiumError(
            f"Images of {shape[0]} × {shape[1]} pixels are too small for the model, which halves them until nothing "
            f"is left: it needs {least} × {least}. {advice}"
        )


def convolve(x: keras.KerasTensor, filters: int, side: int, strides: int = 1) -> keras.KerasTensor:
    """Convolve, normalise over the batch (S. Ioffe and C. Szegedy, 2015, arXiv:1502.03167), cut off below zero."""
    x = layers.Conv2D(filters, side, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def double_blocks(x: keras.KerasTensor, filters: Sequence[int]) -> keras.KerasTensor:
    """Put blocks of two 3 × 3 convolutions on each other, each block after the first half the size of the last.

    After K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
    arXiv:1409.1556.

    Args:
        x: (n, height, width, channels).
        filters: of each block.
    """
    for block, count in enumerate(filters):
        if block:
            x = layers.MaxPooling2D()(x)
        x = convolve(convolve(x, count, 3), count, 3)
    return x


def dense(x: keras.KerasTensor, units: Sequence[int]) -> keras.KerasTensor:
    """Put fully connected layers with ReLU on features, (n, features)."""
    for count in units:
        x = layers.Dense(count, activation="relu")(x)
    return x


def heads(x: keras.KerasTensor, targets: dict[str, int]) -> dict[str, keras.KerasTensor]:
    """End in one named output per target, float32.

    `label` gives class probabilities. `box` gives left, top, right and bottom as shares of the image's width
    and height, 0..1. It begins near the middle, with small weights as in T.-Y. Lin et al., "Focal Loss for Dense
    Object Detection", 2017, arXiv:1708.02002: strong features would else drive the sigmoid to its ends, where a
    squared error teaches nothing (seen with MobileNet, flattened: worse than one box for all, and for good).
    """
    make = {"label": _label_head, "box": _box_head}
    return {name: make[name](size)(x) for name, size in targets.items()}


def _label_head(size: int) -> layers.Dense:
    return layers.Dense(size, activation="softmax", dtype="float32", name="label")


def _box_head(size: int) -> layers.Dense:
    begin = keras.initializers.RandomNormal(stddev=0.01)
    return layers.Dense(size, activation="sigmoid", kernel_initializer=begin, dtype="float32", name="box")
