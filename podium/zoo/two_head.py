"""One network of others under two branches, which say what is in the picture and where.

Both branches learn from the same features, as in P. Sermanet et al., "OverFeat: Integrated Recognition,
Localization and Detection using Convolutional Networks", 2013, arXiv:1312.6229. The network is VGG19 (K. Simonyan and
A. Zisserman, 2014, arXiv:1409.1556) or MobileNet v1 (A. Howard et al., 2017, arXiv:1704.04861).
"""

from collections.abc import Callable
from functools import partial

import keras
from keras import layers

from podium.config.tables import TwoHeadModel
from podium.zoo.parts import Scaling, dense, features, feed, heads, picture_input

_BASES: dict[str, tuple[str, Callable[..., keras.Model], Scaling]] = {
    "mobilenet": ("MobileNet", keras.applications.MobileNet, "signed"),
    "vgg19": ("VGG19", keras.applications.VGG19, "caffe"),
}


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: TwoHeadModel) -> keras.Model:
    """Build it, with a branch for each target that is asked for. See `podium.zoo.build`."""
    title, application, trained_with = _BASES[options.base]
    image = picture_input(input_shape)
    x = feed(image, options.size, "unit" if options.scaling == "unit" else trained_with)
    make = partial(application, input_shape=x.shape[1:], include_top=False)
    x = features(x, title, make, options.weights)
    x = layers.Flatten()(x) if options.pooling == "flatten" else layers.GlobalAveragePooling2D()(x)
    units = {"label": options.label_units, "box": options.box_units}
    outputs: dict[str, keras.KerasTensor] = {}
    for name, size in targets.items():
        outputs |= heads(dense(x, units[name]), {name: size})
    return keras.Model(image, outputs, name="two_head")
