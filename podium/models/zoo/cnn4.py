"""A convolutional network of four blocks for photographs, flattened into dense layers with dropout.

Batch normalisation after S. Ioffe and C. Szegedy, 2015, arXiv:1502.03167; dropout after N. Srivastava et al.,
"Dropout: A Simple Way to Prevent Neural Networks from Overfitting", Journal of Machine Learning Research 15, 2014.
"""

import keras
from keras import layers

from podium.config.models import Cnn4Model
from podium.models.zoo.parts import convolve, dense, heads, image_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: Cnn4Model) -> keras.Model:
    """Build it. See `zoo.build`."""
    require_side(input_shape, 2 ** len(options.filters), "Make the dataset's image larger, or take another model.")
    image = image_input(input_shape)
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    for filters in options.filters:
        x = layers.MaxPooling2D()(convolve(x, filters, 3))
    x = dense(layers.Flatten()(x), options.units)
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="cnn4")
