"""Every model that a candidate can name. One module a kind; each has `build(input_shape, targets, options)`.

What holds for all of them: they take raw pictures, (n, height, width, channels) uint8 of 0–255, and bring
their own scaling and resizing, so that whoever serves them hands over plain pixels. Their heads are named
outputs: `label` gives (n, classes) float32 probabilities. A pretrained base is a layer named `base`.
"""

from collections.abc import Callable
from typing import Any

import keras

from podium.config.tables import Model
from podium.zoo import cnn, dense, mobilenet

_BUILDERS: dict[str, Callable[..., keras.Model]] = {
    "cnn": cnn.build,
    "dense": dense.build,
    "mobilenet": mobilenet.build,
}


def build(model: Model, input_shape: tuple[int, int, int], targets: dict[str, int]) -> Any:
    """Build a model with fresh weights.

    Args:
        model: its kind and its options.
        input_shape: height, width and channels of the pictures.
        targets: the name of each head and the size of its output: `{"label": 24}`.

    Returns:
        The keras.Model, not compiled.

    Raises:
        PodiumError: pretrained weights cannot be had.
    """
    return _BUILDERS[model.kind](input_shape, targets, model)
