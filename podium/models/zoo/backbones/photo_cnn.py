"""photo_cnn without its head: a backbone, for it and for other models.

A wide convolution with a stride looks at the image first, as in K. He et al., 2015, arXiv:1512.03385: the blocks
after it have a quarter of the pixels to work on.
"""

from collections.abc import Sequence

import keras

from podium.errors import PodiumError
from podium.models.zoo.parts import convolve, double_blocks

_FILTERS = (24, 48, 96, 160)


def network(input_shape: tuple[int, int, int], name: str, weights: str | None) -> keras.Model:
    """Build the backbone, (n, height, width, channels) to (n, height / 16, width / 16, 160).

    Raises:
        PodiumError: `weights` is not None: there are none to download.
    """
    if weights is not None:
        raise PodiumError(
            "photo_cnn has no ImageNet weights. Set model.weights in params.yaml to 'random', or to a weights file "
            "of such a network."
        )
    images = keras.Input(input_shape)
    return keras.Model(images, strided_blocks(images, _FILTERS), name=name)


def strided_blocks(x: keras.KerasTensor, filters: Sequence[int]) -> keras.KerasTensor:
    """Put `double_blocks` on a 5 × 5 convolution with a stride of 2.

    Args:
        x: (n, height, width, channels).
        filters: of each block; the convolution has as many as the first.
    """
    return double_blocks(convolve(x, filters[0], 5, strides=2), filters)
