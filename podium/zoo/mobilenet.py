"""MobileNet v1 under a head of ours: A. Howard et al., "MobileNets", 2017, arXiv:1704.04861."""

from pathlib import Path
from zipfile import BadZipFile

import keras
from keras import layers

from podium.config.tables import MobilenetModel
from podium.errors import PodiumError
from podium.zoo.parts import heads, picture_input


def build(input_shape: tuple[int, int, int], targets: dict[str, int], options: MobilenetModel) -> keras.Model:
    """Build it. See `podium.zoo.build`."""
    image = picture_input(input_shape)
    x = layers.Resizing(options.size, options.size, interpolation=options.interpolation)(image)
    x = layers.Rescaling(1 / 127.5, offset=-1)(x) if options.scaling == "imagenet" else layers.Rescaling(1 / 255)(x)
    if input_shape[-1] == 1:
        x = layers.Concatenate()([x, x, x])
    x = _base(options)(x, training=False)  # its batch statistics stay fixed, also while its weights move
    x = layers.GlobalAveragePooling2D()(x)
    for units in options.units:
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(image, heads(x, targets), name="mobilenet")


def _base(options: MobilenetModel) -> keras.Model:
    weights: str | None
    match options.weights:
        case "random":
            weights = None
        case "imagenet":
            weights = "imagenet"
        case path:
            weights = str(Path(path).expanduser())
            if not Path(weights).is_file():
                raise PodiumError(
                    f"There is no weights file at {Path(weights).absolute()}. Correct model.weights in params.yaml: "
                    "a path, 'imagenet' or 'random'."
                )
    shape = (options.size, options.size, 3)
    try:
        return keras.applications.MobileNet(input_shape=shape, include_top=False, weights=weights, name="base")
    except Exception as error:
        if weights == "imagenet" and "URL fetch failure" in str(error):
            raise PodiumError(
                "MobileNet's ImageNet weights could not be downloaded. Connect once (Keras keeps them in "
                "~/.keras/models), or name a weights file in params.yaml, at model.weights."
            ) from error
        if isinstance(error, (ValueError, OSError, BadZipFile)) and weights is not None:
            raise PodiumError(f"The weights in {weights} do not fit MobileNet without its top: {error}") from error
        raise
