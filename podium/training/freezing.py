"""Which weights of a model a phase trains."""

import re

import keras
from keras import layers

from podium.errors import PodiumError, nearest
from podium.models.zoo import BACKBONE_LAYER


def set_trainable(model: keras.Model, what: str, unfreeze: str | int | None = None) -> None:
    """Say which weights may move: `all` of them, the `head` on a pretrained backbone, or the `top`: head and upper end.

    The batch statistics of a pretrained backbone never move, as its weights were learnt with them. A layer of
    batch normalisation keeps them only while it is not trainable: `training=False` at the call of a model
    inside a model does not reach it (Keras 3.15).

    Args:
        model: one of the zoo's.
        what: `all`, `head` or `top`.
        unfreeze: with `top`, where the backbone's upper end begins: at the first layer whose name begins with this text
            (`block5`), or so many layers before the end. Only layers with weights, batch normalisation not counted.

    Raises:
        PodiumError: the model has no pretrained backbone to leave alone, or the backbone has no such upper end.
    """
    backbones = [layer for layer in model.layers if layer.name == BACKBONE_LAYER]
    if what != "all" and not backbones:
        trained = "head alone" if what == "head" else "top"
        raise PodiumError(
            f"The schedule trains the {trained}, but the model '{model.name}' has no pretrained backbone. "
            "Set trainable: all in the schedule's phase; or, if the model has weights: random, name pretrained ones."
        )
    for backbone in backbones:
        fixed = 0 if unfreeze is None else _fixed_layers(backbone, unfreeze)
        backbone.trainable = what != "head"
        for place, layer in enumerate(backbone.layers):
            if place < fixed or isinstance(layer, layers.BatchNormalization):
                layer.trainable = False


def _fixed_layers(backbone: keras.Model, unfreeze: str | int) -> int:
    """Count the layers below the upper end of a backbone, which begins where `set_trainable` says."""
    movable = {
        layer.name: place
        for place, layer in enumerate(backbone.layers)
        if layer.weights and not isinstance(layer, layers.BatchNormalization)
    }
    if isinstance(unfreeze, int):
        if unfreeze > len(movable):
            raise PodiumError(
                f"The schedule has unfreeze: {unfreeze}, but the backbone has {len(movable)} layers with weights, "
                "batch normalisation not counted. Set a smaller number in the schedule's phase, or trainable: all."
            )
        return [*movable.values()][-unfreeze]
    for name, place in movable.items():
        if name.startswith(unfreeze):
            return place
    blocks = {re.sub(r"_[a-z]+\d*$", "", name) for name in movable}
    raise PodiumError(
        f"The schedule has unfreeze: {unfreeze}, but the backbone has no layer with weights, batch normalisation not "
        f"counted, whose name begins so. {nearest(unfreeze, blocks)}"
    )
