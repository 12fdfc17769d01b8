"""Every model that a candidate can name. One module a kind; each has `build(input_shape, targets, options)`.

What holds for all of them: they take raw images, (n, height, width, channels) uint8 of 0–255, and bring
their own scaling and resizing, so that whoever serves them hands over plain pixels. Their heads are named
outputs: `label` gives (n, classes) float32 probabilities, and `box`, where it is asked for, (n, 4) float32: left,
top, right and bottom as shares of the width and height. A pretrained base is a layer named `base`.
"""

from collections.abc import Callable
from typing import Any

import keras

from podium.config.models import Model
from podium.models.zoo import cnn, cnn4, cnn_dropout, dense, mobilenet, photo_cnn, resnet18, two_head, vgg16

_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "cnn": cnn.build,
    "cnn4": cnn4.build,
    "cnn_dropout": cnn_dropout.build,
    "dense": dense.build,
    "mobilenet": mobilenet.build,
    "photo_cnn": photo_cnn.build,
    "resnet18": resnet18.build,
    "two_head": two_head.build,
    "vgg16": vgg16.build,
}


def build(model: Model, input_shape: tuple[int, int, int], targets: dict[str, int]) -> Any:
    """Build a model with fresh weights.

    Args:
        model: its kind and its options.
        input_shape: height, width and channels of the images.
        targets: the name of each head and the size of its output: `{"label": 24}`, or `{"label": 10, "box": 4}`.

    Returns:
        The keras.Model, not compiled.

    Raises:
        PodiumError: pretrained weights cannot be had, or the images are too small for the model.
    """
    return _BUILDERS[model.kind](input_shape, targets, model)
