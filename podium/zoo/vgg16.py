"""VGG16 under a head of ours.

K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014,
arXiv:1409.1556.
"""

from functools import partial

import keras
from keras import layers

from podium.config.tables import Vgg16Model
from podium.zoo.parts import dense, features, feed, heads, picture_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: Vgg16Model) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    image = picture_input(input_shape)
    x = feed(image, options.size, "caffe")
    make = partial(keras.applications.VGG16, input_shape=x.shape[1:], include_top=False)
    x = features(x, "VGG16", make, options.weights)
    x = dense(layers.Flatten()(x), options.units)
    return keras.Model(image, heads(x, targets), name="vgg16")
