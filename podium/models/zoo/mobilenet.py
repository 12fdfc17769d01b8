"""MobileNet under a head of ours.

Version 1: A. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
arXiv:1704.04861. Version 2: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018,
arXiv:1801.04381.
"""

import keras
from keras import layers

from podium.config.models import MobilenetModel
from podium.models.zoo.backbones import apply_backbone
from podium.models.zoo.parts import dense, heads, image_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: MobilenetModel) -> keras.Model:
    """Build it. See `zoo.build`."""
    image = image_input(input_shape)
    base = "mobilenet_v2" if options.version == 2 else "mobilenet"
    x = apply_backbone(base, image, options.size, options.weights, options.scaling, options.interpolation)
    x = dense(layers.GlobalAveragePooling2D()(x), options.units)
    return keras.Model(image, heads(x, targets), name="mobilenet")
