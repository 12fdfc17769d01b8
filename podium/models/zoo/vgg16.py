"""VGG16 under a head of ours.

K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
arXiv:1409.1556.
"""

import keras
from keras import layers

from podium.config.models import Vgg16Model
from podium.models.zoo.backbones import apply_backbone
from podium.models.zoo.parts import dense, heads, image_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: Vgg16Model) -> keras.Model:
    """Build it. See `zoo.build`."""
    image = image_input(input_shape)
    x = apply_backbone("vgg16", image, options.size, options.weights)
    x = dense(layers.Flatten()(x), options.units)
    return keras.Model(image, heads(x, targets), name="vgg16")
