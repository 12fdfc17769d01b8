"""A convolutional network of ours for photographs, to be trained from scratch on a laptop.

A wide convolution with a stride looks at the picture first, as in K. He et al., 2015, arXiv:1512.03385: the blocks
after it have a quarter of the pixels to work on. Global average pooling instead of dense layers after M. Lin et al.,
2013, arXiv:1312.4400.
"""

from collections.abc import Sequence

import keras
from keras import layers

from podium.config.tables import PhotoCnnModel
from podium.errors import PodiumError
from podium.zoo.parts import convolve, double_blocks, heads, picture_input, require_side

_FILTERS = (24, 48, 96, 160)
"""Of the network that other models stand on."""


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: PhotoCnnModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    require_side(input_shape, 2 ** len(options.filters), "Take fewer filters in model.filters, or the model cnn.")
    image = picture_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.GlobalAveragePooling2D()(_look(x, options.filters))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="photo_cnn")


def network(input_shape: tuple[int, int, int], name: str, weights: str | None) -> keras.Model:
    """Build it without its head, (n, height, width, channels) to (n, height / 16, width / 16, 160).

    Raises:
        PodiumError: `weights` is not None: there are none to download.
    """
    if weights is not None:
        raise PodiumError(
            "photo_cnn has no ImageNet weights. Set model.weights in params.yaml to 'random', or to a weights file "
            "of such a network."
        )
    pictures = keras.Input(input_shape)
    return keras.Model(pictures, _look(pictures, _FILTERS), name=name)


def _look(x: keras.KerasTensor, filters: Sequence[int]) -> keras.KerasTensor:
    return double_blocks(convolve(x, filters[0], 5, strides=2), filters)
