"""A small convolutional network for small images.

Global average pooling instead of dense layers after M. Lin et al., "Network In Network", 2013, arXiv:1312.4400; what is
below it, see `double_blocks`.
"""

import keras
from keras import layers

from podium.config.models import CnnModel
from podium.models.zoo.parts import double_blocks, heads, image_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: CnnModel) -> keras.Model:
    """Build it. See `zoo.build`."""
    require_side(input_shape, 2 ** (len(options.filters) - 1), "Take fewer filters in model.filters.")
    image = image_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.GlobalAveragePooling2D()(double_blocks(x, options.filters))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="cnn")
