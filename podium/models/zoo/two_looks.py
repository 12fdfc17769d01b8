"""A network that looks twice: at the whole image, for where; then at what it found, in all pixels, for what.

Each edge of the box is the mean place on a heat map, as in X. Sun et al., "Integral Human Pose Regression", 2018,
arXiv:1711.08229. The second look is the sampler of M. Jaderberg et al., "Spatial Transformer Networks", 2015,
arXiv:1506.02025, written as two products of matrices. Both looks see evened light, as K. Jarrett et al., "What is the
best multi-stage architecture for object recognition?", 2009, had it: without, neither learns in many epochs (measured).
"""

import keras
import numpy as np
from keras import layers, ops

from podium.config.models import TwoLooksModel
from podium.models.zoo.backbones.photo_cnn import strided_blocks
from podium.models.zoo.parts import heads, image_input

_LEAST_SHARE = 0.02
"""Of the image's width and height that a window has, however small its box."""
_CLUES = 16
"""Channels from which the second look corrects the window."""
_PACE = 0.1
"""How fast corrections are learnt; at 1 they are noise to the first look for many epochs (measured)."""
_FAINT = 0.05
"""Contrast, as a share of half the range of light, below which it is not evened out wholly."""


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: TwoLooksModel) -> keras.Model:
    """Build it. See `zoo.build`.

    What the label learns does not move the box. Where no box is asked for, the label alone teaches where to look.
    """
    image = image_input(input_shape)
    light = layers.Rescaling(1 / 127.5, offset=-1, dtype="float32")(ops.cast(image, "float32"))
    window = _edges(strided_blocks(_even(_shrink(light, options.size)), options.filters))
    if options.jitter:
        window = layers.GaussianNoise(options.jitter, dtype="float32")(window)
    seen = ops.stop_gradient(window) if "box" in targets else window
    part = _crop(light, seen, options.crop, 1 + options.margin)
    features = strided_blocks(_even(part), options.crop_filters)
    x = layers.GlobalAveragePooling2D()(features)
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    outputs = heads(x, {"label": targets["label"]})
    if "box" in targets:
        outputs["box"] = layers.Add(dtype="float32", name="box")([window, _correction(features, seen)])
    return keras.Model(image, outputs, name="two_looks")


def _even(x: keras.KerasTensor) -> keras.KerasTensor:
    """Take away the mean colour and the strength of the contrast, image by image."""
    x = x - ops.mean(x, axis=(1, 2), keepdims=True)
    return x / (ops.sqrt(ops.mean(ops.square(x), axis=(1, 2, 3), keepdims=True)) + _FAINT)


def _correction(features: keras.KerasTensor, window: keras.KerasTensor) -> keras.KerasTensor:
    """Give how far the window's edges are to move, as shares of the image: (n, 4) float32. At first hardly."""
    x = layers.Flatten()(layers.Conv2D(_CLUES, 1, activation="relu")(features))
    begin = keras.initializers.RandomNormal(stddev=0.01)
    moves = layers.Dense(4, kernel_initializer=begin, dtype="float32", name="moves")(x) * _PACE
    size = ops.maximum(window[:, 2:] - window[:, :2], _LEAST_SHARE)
    return moves * ops.concatenate([size, size], axis=1)


def _edges(features: keras.KerasTensor) -> keras.KerasTensor:
    """Give left, top, right and bottom as shares: (n, 4) float32. Each is the mean place on its own heat map."""
    _, height, width, _ = features.shape
    across = np.tile(np.linspace(0, 1, width, dtype=np.float32), height)
    down = np.repeat(np.linspace(0, 1, height, dtype=np.float32), width)
    maps = layers.Conv2D(4, 1, dtype="float32", name="edges")(features)
    shares = layers.Softmax(axis=1, dtype="float32")(layers.Reshape((height * width, 4), dtype="float32")(maps))
    return ops.sum(shares * np.stack([across, down, across, down], axis=1), axis=1)


def _shrink(light: keras.KerasTensor, side: int) -> keras.KerasTensor:
    """Give the whole image, (n, side, side, channels), from (n, h, w, channels)."""
    _, height, width, _ = light.shape
    begin, end = np.zeros(1, np.float32), np.ones(1, np.float32)
    samplings = (ops.convert_to_numpy(_sampling(begin, end, pixels, side, 1.0)) for pixels in (height, width))
    return _sample(light, *samplings)


def _crop(light: keras.KerasTensor, box: keras.KerasTensor, side: int, scale: float) -> keras.KerasTensor:
    """Cut out what a box encloses and a margin around it, (n, side, side, channels), from (n, h, w, channels)."""
    _, height, width, _ = light.shape
    left, top, right, bottom = (box[:, edge] for edge in range(4))
    return _sample(light, _sampling(top, bottom, height, side, scale), _sampling(left, right, width, side, scale))


def _sample(light: keras.KerasTensor, down: keras.KerasTensor, across: keras.KerasTensor) -> keras.KerasTensor:
    """Make pixels of pixels: (n, side, side, channels) from (n, h, w, channels), (n, side, h) and (n, side, w)."""
    (_, height, width, channels), side = light.shape, down.shape[1]
    rows = ops.matmul(down, ops.reshape(light, (-1, height, width * channels)))
    columns = ops.transpose(ops.reshape(rows, (-1, side, width, channels)), (0, 2, 1, 3))
    columns = ops.matmul(across, ops.reshape(columns, (-1, width, side * channels)))
    return ops.transpose(ops.reshape(columns, (-1, side, side, channels)), (0, 2, 1, 3))


def _sampling(
    begin: keras.KerasTensor, end: keras.KerasTensor, pixels: int, side: int, scale: float
) -> keras.KerasTensor:
    """Say how much each of the image's pixels counts for each of the crop's, along one axis: (n, side, pixels).

    Linear interpolation; where a crop's pixel is larger than the image's, it is their weighted mean. Beyond the image
    its border goes on.
    """
    middle = (begin + end) / 2
    length = ops.maximum(end - begin, _LEAST_SHARE) * scale
    places = np.linspace(-0.5 + 0.5 / side, 0.5 - 0.5 / side, side, dtype=np.float32)
    centres = (ops.expand_dims(middle, 1) + ops.expand_dims(length, 1) * places) * pixels - 0.5
    centres = ops.expand_dims(ops.clip(centres, 0, pixels - 1), 2)
    reach = ops.reshape(ops.maximum(length * (pixels / side), 1.0), (-1, 1, 1))
    weights = ops.relu(1 - ops.abs(centres - np.arange(pixels, dtype=np.float32)) / reach)
    return weights / ops.sum(weights, axis=2, keepdims=True)
