"""MobileNet v1 under a head of ours: A. Howard et al., "MobileNets", 2017, arXiv:1704.04861."""

from functools import partial

import keras
from keras import layers

from podium.config.tables import MobilenetModel
from podium.zoo.parts import Scaling, dense, features, feed, heads, picture_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: MobilenetModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    image = picture_input(input_shape)
    scaling: Scaling = "signed" if options.scaling == "imagenet" else "unit"
    x = feed(image, options.size, scaling, options.interpolation)
    make = partial(keras.applications.MobileNet, input_shape=x.shape[1:], include_top=False)
    x = features(x, "MobileNet", make, options.weights)
    x = dense(layers.GlobalAveragePooling2D()(x), options.units)
    return keras.Model(image, heads(x, targets), name="mobilenet")
