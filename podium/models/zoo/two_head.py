"""One backbone under two branches, which say what is in the image and where.

Both branches learn from the same features, as in P. Sermanet et al., "OverFeat: Integrated Recognition,
Localization and Detection using Convolutional Networks", 2013, arXiv:1312.6229.
"""

import keras
from keras import layers

from podium.config.models import TwoHeadModel
from podium.models.zoo.backbones import apply_backbone
from podium.models.zoo.parts import dense, heads, image_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: TwoHeadModel) -> keras.Model:
    """Build it, with a branch for each target that is asked for. See `zoo.build`."""
    image = image_input(input_shape)
    x = apply_backbone(options.backbone, image, options.size, options.weights, options.scaling)
    x = layers.Flatten()(x) if options.pooling == "flatten" else layers.GlobalAveragePooling2D()(x)
    units = {"label": options.label_units, "box": options.box_units}
    outputs: dict[str, keras.KerasTensor] = {}
    for name, size in targets.items():
        outputs |= heads(dense(x, units[name]), {name: size})
    return keras.Model(image, outputs, name="two_head")
