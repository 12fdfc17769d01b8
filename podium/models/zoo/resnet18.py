"""ResNet18 under a head of ours.

K. He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385.
"""

import keras
from keras import layers

from podium.config.models import Resnet18Model
from podium.models.zoo.backbones import apply_backbone
from podium.models.zoo.parts import heads, image_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: Resnet18Model) -> keras.Model:
    """Build it. See `zoo.build`."""
    image = image_input(input_shape)
    x = layers.GlobalAveragePooling2D()(apply_backbone("resnet18", image, options.size, options.weights))
    if options.dropout:
        x = layers.Dropout(options.dropout)(x)
    return keras.Model(image, heads(x, targets), name="resnet18")
