"""The backbones: networks without their tops, one line each.

MobileNet: A. Howard et al., 2017, arXiv:1704.04861. MobileNet v2: M. Sandler et al., 2018, arXiv:1801.04381. ResNet18:
K. He et al., 2015, arXiv:1512.03385. VGG16 and VGG19: K. Simonyan and A. Zisserman, 2014, arXiv:1409.1556. photo_cnn
is ours, and has no weights to begin with.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import keras
from keras import applications

from podium.models.zoo.backbones import photo_cnn as strided
from podium.models.zoo.backbones import resnet18 as residual
from podium.models.zoo.backbones.pretrained import Scaling, backbone_features, backbone_input


class Backbone(NamedTuple):
    """A network without its top.

    Attributes:
        title: its name, for people.
        make: builds it from an `input_shape`, a `name` and `weights`, as keras.applications do.
        scaling: how the images that it was trained with were scaled.
        load: puts the weights of a file into it.
    """

    title: str
    make: Callable[..., keras.Model]
    scaling: Scaling
    load: Callable[[keras.Model, Path], None] = keras.Model.load_weights


BACKBONES = {
    "mobilenet": Backbone("MobileNet", partial(applications.MobileNet, include_top=False), "signed"),
    "mobilenet_v2": Backbone("MobileNet v2", partial(applications.MobileNetV2, include_top=False), "signed"),
    "photo_cnn": Backbone("photo_cnn", strided.network, "signed"),
    "resnet18": Backbone("ResNet18", residual.network, "torch", residual.load),
    "vgg16": Backbone("VGG16", partial(applications.VGG16, include_top=False), "caffe"),
    "vgg19": Backbone("VGG19", partial(applications.VGG19, include_top=False), "caffe"),
}


def apply_backbone(
    name: str,
    image: keras.KerasTensor,
    size: int,
    weights: str,
    scaling: Literal["imagenet", "unit"] = "imagenet",
    interpolation: Literal["bilinear", "bicubic"] = "bilinear",
) -> keras.KerasTensor:
    """Apply a backbone to raw images.

    Args:
        name: its name, one of `BACKBONES`.
        image: (n, height, width, channels) uint8 of 0–255.
        size: height and width that it sees, in pixels.
        weights: `imagenet`, `random`, or the path of a weights file.
        scaling: `imagenet` as it was trained with, or `unit`, 0..1.
        interpolation: of the resizing.

    Returns:
        Its features, (n, height, width, channels).

    Raises:
        PodiumError: the weights cannot be had, or are another network's.
    """
    title, make, trained_with, load = BACKBONES[name]
    x = backbone_input(image, size, "unit" if scaling == "unit" else trained_with, interpolation)
    return backbone_features(x, title, partial(make, input_shape=x.shape[1:]), weights, load)
