"""The models that a candidate can name. A kind is a module of its name, with `build(input_shape, targets, options)`.

What holds for all of them: they take raw images, (n, height, width, channels) uint8 of 0–255, and bring
their own scaling and resizing, so that whoever serves them hands over plain pixels. Their heads are named
outputs: `label` gives (n, classes) float32 probabilities, and `box`, where it is asked for, (n, 4) float32: left,
top, right and bottom as shares of the width and height. A pretrained backbone is a layer named `BACKBONE_LAYER`.
"""

from importlib import import_module
from typing import Any

from podium.config.models import Model

BACKBONE_LAYER = "base"
"""The name of a pretrained backbone's layer; it is in every saved model."""


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
    # Only the module of this kind is imported, so that `train` depends on no other kind's.
    return import_module(f"{__name__}.{model.kind}").build(input_shape, targets, model)
