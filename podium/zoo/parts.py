"""What the models of the zoo share: the way in, a network of others to stand on, and the way out."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import keras
from keras import layers

from podium.errors import PodiumError, nearest

Scaling = Literal["unit", "signed", "caffe", "torch"]

_CAFFE_MEANS = (103.939, 116.779, 123.68)
"""Of ImageNet's pictures: blue, green, red, 0–255."""
_TORCH_MEANS, _TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures: red, green, blue, 0–1."""

_PICKLES = (".pt", ".pth", ".bin")
"""How files end that `torch.save` wrote."""


def picture_input(shape: tuple[int, int, int]) -> keras.KerasTensor:
    """Take raw pictures, (n, *shape) uint8 of 0–255."""
    return keras.Input(shape, dtype="uint8", name="image")


def require_side(shape: tuple[int, int, int], least: int, advice: str) -> None:
    """Refuse pictures that a network would shrink to nothing.

    Raises:
        PodiumError: the height or the width is less than `least` pixels; the message ends with the advice.
    """
    if min(shape[:2]) < least:
        raise PodiumError(
            f"Pictures of {shape[0]} × {shape[1]} pixels are too small for the model, which halves them until nothing "
            f"is left: it needs {least} × {least}. {advice}"
        )


def feed(
    image: keras.KerasTensor, size: int, scaling: Scaling, interpolation: Literal["bilinear", "bicubic"] = "bilinear"
) -> keras.KerasTensor:
    """Turn raw pictures into what a network of others was trained with: (n, size, size, 3) float32.

    It stays float32 under every dtype policy: between 128 and 256, bfloat16 knows whole numbers only.

    Args:
        image: raw pictures; gray ones get three equal channels.
        size: height and width, in pixels.
        scaling: `unit` 0..1; `signed` −1..1; `caffe` blue, green, red, less ImageNet's means, as VGG was trained;
            `torch` 0..1, then ImageNet's means and deviations, as torchvision's networks were trained.
        interpolation: of the resizing.
    """
    x = keras.ops.cast(image, "float32")  # resized uint8 is rounded in eager calls, but not in graphs (Keras 3.15)
    x = layers.Resizing(size, size, interpolation=interpolation, dtype="float32")(x)
    rescale = partial(layers.Rescaling, dtype="float32")
    match scaling:
        case "unit":
            return _three_channels(rescale(1 / 255)(x))
        case "signed":
            return _three_channels(rescale(1 / 127.5, offset=-1)(x))
        case "caffe":
            x = keras.ops.flip(_three_channels(x), axis=-1)
            return rescale(1.0, offset=[-mean for mean in _CAFFE_MEANS])(x)
        case "torch":
            offsets = [-mean / deviation for mean, deviation in zip(_TORCH_MEANS, _TORCH_DEVIATIONS, strict=True)]
            scales = [1 / (255 * deviation) for deviation in _TORCH_DEVIATIONS]
            return rescale(scales, offset=offsets)(_three_channels(x))


def _three_channels(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Concatenate(dtype="float32")([x, x, x]) if x.shape[-1] == 1 else x


def features(
    x: keras.KerasTensor,
    title: str,
    make: Callable[..., keras.Model],
    weights: str,
    load: Callable[[keras.Model, Path], None] = keras.Model.load_weights,
) -> keras.KerasTensor:
    """Let a network of others, without its top, look at pictures.

    With pretrained weights it becomes the layer `base`, which a schedule may leave as it is, and whose batch
    statistics stay as they were learnt. With random weights there is nothing to keep: it becomes the layer
    `network`, and is trained like any other part of the model.

    Args:
        x: (n, height, width, 3) float32, as `feed` gives them.
        title: the network's name, for people.
        make: builds it from a `name` and `weights`, `imagenet` or None for fresh ones, as keras.applications do.
        weights: `imagenet`, `random`, or the path of a weights file. Only numbers are read from it, no code.
        load: puts the weights of a file into the network; ValueError where they do not fit.

    Raises:
        PodiumError: the weights cannot be had, or are another network's.
    """
    if weights == "random":
        return make(name="network", weights=None)(x)
    return _pretrained(title, make, weights, load)(x, training=False)


def _pretrained(
    title: str, make: Callable[..., keras.Model], weights: str, load: Callable[[keras.Model, Path], None]
) -> keras.Model:
    path = Path(weights).expanduser()
    if path.suffix.lower() in _PICKLES:
        raise PodiumError(
            f"The weights in {weights} are not read: such a file is a pickle, and reading one can run any code in it. "
            "Name a file that holds numbers alone in params.yaml, at model.weights: the .safetensors of the same "
            "weights (for ResNet18), or a .weights.h5 of Keras."
        )
    if weights != "imagenet" and not path.is_file():
        raise PodiumError(
            f"There is no weights file at {path.absolute()}. Correct model.weights in params.yaml: "
            "a path, 'imagenet' or 'random'."
        )
    try:
        if weights == "imagenet":
            return make(name="base", weights="imagenet")
        base = make(name="base", weights=None)
        load(base, path)
    except Exception as error:
        if weights == "imagenet" and "URL fetch failure" in str(error):
            raise PodiumError(
                f"{title}'s ImageNet weights could not be downloaded. Connect once (Keras keeps them in "
                "~/.keras/models), or name a weights file in params.yaml, at model.weights."
            ) from error
        if isinstance(error, (ValueError, OSError, BadZipFile)):
            raise PodiumError(f"The weights in {weights} do not fit {title} without its top: {error}") from error
        raise
    return base


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

    `label` gives class probabilities. `box` gives left, top, right and bottom as shares of the picture's width
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


def set_trainable(model: keras.Model, what: str, unfreeze: str | int | None = None) -> None:
    """Say which weights may move: `all` of them, the `head` on a pretrained base, or the `top`: head and upper end.

    The batch statistics of a pretrained base never move, as its weights were learnt with them. A layer of
    batch normalisation keeps them only while it is not trainable: `training=False` at the call of a model
    inside a model does not reach it (Keras 3.15).

    Args:
        model: one of the zoo's.
        what: `all`, `head` or `top`.
        unfreeze: with `top`, where the base's upper end begins: at the first layer whose name begins with this text
            (`block5`), or so many layers before the end. Only layers with weights, batch normalisation not counted.

    Raises:
        PodiumError: the model has no pretrained base to leave alone, or the base has no such upper end.
    """
    bases = [layer for layer in model.layers if layer.name == "base"]
    if what != "all" and not bases:
        trained = "head alone" if what == "head" else "top"
        raise PodiumError(
            f"The schedule trains the {trained}, but the model '{model.name}' has no pretrained base. "
            "Set trainable: all in the schedule's phase; or, if the model has weights: random, name pretrained ones."
        )
    for base in bases:
        fixed = 0 if unfreeze is None else _fixed_layers(base, unfreeze)
        base.trainable = what != "head"
        for place, layer in enumerate(base.layers):
            if place < fixed or isinstance(layer, layers.BatchNormalization):
                layer.trainable = False


def _fixed_layers(base: keras.Model, unfreeze: str | int) -> int:
    """Count the layers below the upper end of a base, which begins where `set_trainable` says."""
    movable = {
        layer.name: place
        for place, layer in enumerate(base.layers)
        if layer.weights and not isinstance(layer, layers.BatchNormalization)
    }
    if isinstance(unfreeze, int):
        if unfreeze > len(movable):
            raise PodiumError(
                f"The schedule has unfreeze: {unfreeze}, but the base has {len(movable)} layers with weights, batch "
                "normalisation not counted. Set a smaller number in the schedule's phase, or trainable: all."
            )
        return [*movable.values()][-unfreeze]
    for name, place in movable.items():
        if name.startswith(unfreeze):
            return place
    blocks = {re.sub(r"_[a-z]+\d*$", "", name) for name in movable}
    raise PodiumError(
        f"The schedule has unfreeze: {unfreeze}, but the base has no layer with weights, batch normalisation not "
        f"counted, whose name begins so. {nearest(unfreeze, blocks)}"
    )
