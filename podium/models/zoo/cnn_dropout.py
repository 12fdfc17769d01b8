"""The convolutional network of many tutorials on cats and dogs: blocks of one convolution, then dense layers.

After Y. LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE 86, 1998;
dropout after N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", Journal of
Machine Learning Research 15, 2014.
"""

import keras
from keras import layers

from podium.config.models import CnnDropoutModel
from podium.models.zoo.parts import dense, heads, image_input, require_side


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: CnnDropoutModel) -> keras.Model:
    """Build it. See `zoo.build`."""
    least = 1
    for _ in options.filters:
        least = 2 * least + 2  # a block turns a side of 2s + 2 into s
    require_side(input_shape, least, "Take fewer filters in model.filters.")
    image = image_input(input_shape)
    x = layers.Rescaling(1 / 255)(image)
    for filters in options.filters:
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    x = dense(layers.Flatten()(x), options.units)
    return keras.Model(image, heads(x, targets), name="cnn_dropout")
