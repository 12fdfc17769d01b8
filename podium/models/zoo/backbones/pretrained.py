"""Pretrained backbones: their inputs, and their weights."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import keras
from keras import layers

from podium.errors import PodiumError
from podium.models.zoo import BACKBONE_LAYER

Scaling = Literal["unit", "signed", "caffe", "torch"]

_CAFFE_MEANS = (103.939, 116.779, 123.68)
"""Of ImageNet's images: blue, green, red, 0–255."""
_TORCH_MEANS, _TORCH_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's images: red, green, blue, 0–1."""

_PICKLES = (".pt", ".pth", ".bin")
"""How files end that `torch.save` wrote."""


def backbone_input(
    image: keras.KerasTensor, size: int, scaling: Scaling, interpolation: Literal["bilinear", "bicubic"] = "bilinear"
) -> keras.KerasTensor:
    """Turn raw images into what a pretrained backbone was trained with: (n, size, size, 3) float32.

    It stays float32 under every dtype policy: between 128 and 256, bfloat16 knows whole numbers only.

    Args:
        image: raw images; gray ones get three equal channels.
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


def backbone_features(
    x: keras.KerasTensor,
    title: str,
    make: Callable[..., keras.Model],
    weights: str,
    load: Callable[[keras.Model, Path], None] = keras.Model.load_weights,
) -> keras.KerasTensor:
    """Apply a backbone, a network without its top, to images.

    With pretrained weights it becomes the layer `base`, which a schedule may leave as it is, and whose batch
    statistics stay as they were learnt. With random weights there is nothing to keep: it becomes the layer
    `network`, and is trained like any other part of the model.

    Args:
        x: (n, height, width, 3) float32, as `backbone_input` gives them.
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
            return make(name=BACKBONE_LAYER, weights="imagenet")
        backbone = make(name=BACKBONE_LAYER, weights=None)
        load(backbone, path)
    except Exception as error:
        if weights == "imagenet" and "URL fetch failure" in str(error):
            raise PodiumError(
                f"{title}'s ImageNet weights could not be downloaded. Connect once (Keras keeps them in "
                "~/.keras/models), or name a weights file in params.yaml, at model.weights."
            ) from error
        if isinstance(error, (ValueError, OSError, BadZipFile)):
            raise PodiumError(f"The weights in {weights} do not fit {title} without its top: {error}") from error
        raise
    return backbone
