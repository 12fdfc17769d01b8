"""A convolutional network of ours for photographs, to be trained from scratch on a laptop.

Global average pooling instead of dense layers after M. Lin et al., 2013, arXiv:1312.4400.
"""

import keras
from keras import layers

from podium.config.tables import PhotoCnnModel
from podium.zoo.parts import heads, picture_input, require_side
from podium.zoo.strided import strided_blocks


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: PhotoCnnModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    require_side(input_shape, 2 ** len(options.filters), "Take fewer filters in model.filters, or the model cnn.")
    image = picture_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.GlobalAveragePooling2D()(strided_blocks(x, options.filters))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="photo_cnn")
