"""A model in forms that other programs can take: without what only a training does, flat, or cut off after a layer."""

from typing import Any

import keras


def inference_form(model: keras.Model) -> keras.Model:
    """Give a model whose every layer knows that nobody trains: the same weights, inputs and named outputs.

    A `Resizing` layer says `training` of itself (Keras 3.15), and a functional model tells that to all layers after it
    wherever nothing else was said. `predict` says it, `export` to ONNX and to a SavedModel does not: batch
    normalisation is then written as it trains, silently.
    """
    return keras.Model(model.input, model(model.input, training=False), name=model.name)


def unfold(model: keras.Model) -> keras.Model:
    """Give a copy in which no layer is a model itself: the layers of a backbone are the model's own.

    Their names stay, but where two would have the same. Weights are copied; the outputs have their names.
    """
    return keras.Model(*_Unfolding().run(model), name=model.name)


class _Unfolding:
    """One unfolding: the copies of the layers by the layers, as one may be called several times."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._names: set[str] = set()
        self._weights: list[tuple[keras.layers.Layer, keras.layers.Layer]] = []

    def run(self, model: keras.Model) -> tuple[Any, Any]:
        """Give the inputs and the outputs of the flat model."""
        entrance = model.inputs[0]
        image = keras.Input(batch_shape=entrance.shape, dtype=entrance.dtype, name=entrance.name)
        outputs = self._follow(model, image)
        for layer, copy in self._weights:
            copy.set_weights(layer.get_weights())
        return image, outputs

    def _follow(self, model: keras.Model, inputs: Any) -> Any:
        return model._run_through_graph(inputs, operation_fn=self._take)

    def _take(self, operation: Any) -> Any:
        if isinstance(operation, keras.Model):
            return lambda inputs, **_: self._follow(operation, inputs)
        if not isinstance(operation, keras.layers.Layer):
            return operation  # a function of Keras: it has neither weights nor a name that counts
        if id(operation) not in self._copies:
            config = operation.get_config()
            config["name"] = self._free(config["name"])
            copy = type(operation).from_config(config)
            self._copies[id(operation)] = lambda *inputs, training=None, **named: copy(*inputs, **named)
            self._weights.append((operation, copy))
        return self._copies[id(operation)]

    def _free(self, name: str) -> str:
        """Give a name that no layer has yet."""
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}_{number}"
        self._names.add(free)
        return free


def steps(flat: keras.Model) -> list[tuple[str, str, keras.KerasTensor]]:
    """List what a flat model computes, in an order in which nothing comes before what it needs.

    Args:
        flat: as `unfold` gives it.

    Returns:
        For each step but the input: its name, its kind, which is the layer's class, and its output.
    """
    found = []
    for depth in sorted(flat._nodes_by_depth, reverse=True):
        for node in flat._nodes_by_depth[depth]:
            if not node.is_input:
                found += [(node.operation.name, type(node.operation).__name__, tensor) for tensor in node.outputs]
    return found


def cut_after(flat: keras.Model, tensor: keras.KerasTensor) -> keras.Model:
    """Give the model that ends with one of the `steps` of a flat one: its only output is named `label`."""
    return keras.Model(flat.input, {"label": tensor}, name=flat.name)
