"""What the models of the zoo share: the way in and the way out."""

import keras

from podium.errors import PodiumError


def picture_input(shape: tuple[int, int, int]) -> keras.KerasTensor:
    """Take raw pictures, (n, *shape) uint8 of 0–255."""
    return keras.Input(shape, dtype="uint8", name="image")


def heads(features: keras.KerasTensor, targets: dict[str, int]) -> dict[str, keras.KerasTensor]:
    """End in one named output per target: class probabilities for `label`."""
    return {
        name: keras.layers.Dense(size, activation="softmax", dtype="float32", name=name)(features)
        for name, size in targets.items()
    }


def set_trainable(model: keras.Model, what: str) -> None:
    """Say which weights may move: `all` of them, or only the `head` on a pretrained base.

    The batch statistics of a pretrained base never move, as its weights were learnt with them. A layer of
    batch normalisation keeps them only while it is not trainable: `training=False` at the call of a model
    inside a model does not reach it (Keras 3.15).

    Raises:
        PodiumError: the model has no pretrained base to leave alone.
    """
    bases = [layer for layer in model.layers if layer.name == "base"]
    if what == "head" and not bases:
        raise PodiumError(
            f"The schedule trains the head alone, but the model '{model.name}' has no pretrained base. "
            "Set trainable: all in the schedule's phase."
        )
    for base in bases:
        base.trainable = what == "all"
        for layer in base.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
