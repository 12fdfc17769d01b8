"""A small convolutional network for small pictures.

Blocks of two 3 × 3 convolutions after K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for
Large-Scale Image Recognition", 2014, arXiv:1409.1556; batch normalisation after S. Ioffe and C. Szegedy, 2015,
arXiv:1502.03167; global average pooling instead of dense layers after M. Lin et al., "Network In Network",
2013, arXiv:1312.4400.
"""

import keras
from keras import layers

from podium.config.tables import CnnModel
from podium.zoo.parts import heads, picture_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: CnnModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    require_side(input_shape, 2 ** (len(options.filters) - 1), "Take fewer filters in model.filters.")
    image = picture_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    for block, filters in enumerate(options.filters):
        if block:
            x = layers.MaxPooling2D()(x)
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="cnn")
