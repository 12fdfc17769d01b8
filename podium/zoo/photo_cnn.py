"""A convolutional network of ours for photographs, to be trained from scratch on a laptop.

A wide convolution with a stride looks at the picture first, as in K. He et al., 2015, arXiv:1512.03385: the blocks
after it have a quarter of the pixels to work on. Global average pooling instead of dense layers after M. Lin et al.,
2013, arXiv:1312.4400.
"""

import keras
from keras import layers

from podium.config.tables import PhotoCnnModel
from podium.zoo.parts import convolve, double_blocks, heads, picture_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: PhotoCnnModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    require_side(input_shape, 2 ** len(options.filters), "Take fewer filters in model.filters, or the model cnn.")
    image = picture_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = convolve(x, options.filters[0], 5, strides=2)
    x = layers.GlobalAveragePooling2D()(double_blocks(x, options.filters))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="photo_cnn")
