"""A convolutional network of ours for photographs, to be trained from scratch on a laptop.

Global average pooling instead of dense layers after M. Lin et al., 2013, arXiv:1312.4400.
"""

import keras
from keras import layers

from podium.config.models import PhotoCnnModel
from podium.models.zoo.backbones.photo_cnn import strided_blocks
from podium.models.zoo.parts import heads, image_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: PhotoCnnModel) -> keras.Model:
    """Build it. See `zoo.build`."""
    require_side(input_shape, 2 ** len(options.filters), "Take fewer filters in model.filters, or the model cnn.")
    image = image_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.GlobalAveragePooling2D()(strided_blocks(x, options.filters))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="photo_cnn")
