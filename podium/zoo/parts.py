"""What the models of the zoo share: the way in and the way out."""

import keras


def picture_input(shape: tuple[int, int, int]) -> keras.KerasTensor:
    """Take raw pictures, (n, *shape) uint8 of 0–255."""
    return keras.Input(shape, dtype="uint8", name="image")


def heads(features: keras.KerasTensor, targets: dict[str, int]) -> dict[str, keras.KerasTensor]:
    """End in one named output per target: class probabilities for `label`."""
    return {
        name: keras.layers.Dense(size, activation="softmax", dtype="float32", name=name)(features)
        for name, size in targets.items()
    }
