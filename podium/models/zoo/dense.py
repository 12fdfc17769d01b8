"""Fully connected layers on the pixels: what every other model has to beat."""

import keras
from keras import layers

from podium.config.models import DenseModel
from podium.models.zoo.parts import heads, image_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: DenseModel) -> keras.Model:
    """Build it. See `zoo.build`."""
    image = image_input(input_shape)
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Flatten()(x)
    for units in options.units:
        x = layers.Dense(units, activation="relu")(x)
        if options.dropout:
            x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="dense")
