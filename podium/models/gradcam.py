"""Grad-CAM: where in an image a model sees a class.

R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017,
arXiv:1610.02391.
"""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from podium.models.inference import LABEL_LAYER

_BATCH = 16
"""Images at once: the gradients of a batch take several times the memory of a prediction."""
_MAX_SIDE = 64
"""Height and width of a map; a larger one shows no more."""
_WITHOUT_WEIGHTS = (layers.MaxPooling2D, layers.AveragePooling2D, layers.Dropout, layers.SpatialDropout2D)
"""Layers that say nothing new of the place, but make it coarser: the map is taken before them."""


def heat_maps(
    model: keras.Model, images: NDArray[np.uint8], labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> NDArray[np.float16] | None:
    """Say where a model sees the true and the predicted class of some images.

    The last output with height and width counts, each of its channels weighted by the mean gradient of the class's
    logit; what speaks against the class is cut off.

    Args:
        model: one of the zoo's.
        images: (n, height, width, channels) uint8, 0–255; few enough to be held in memory.
        labels: (n,) the true classes.
        predicted: (n,) the predicted ones.

    Returns:
        (n, 2, h, w) float16, 0..1: of each image first the map for the true class, then for the predicted one, each
        divided by its greatest value; zeros where nothing speaks for the class. h and w are those of the model's
        output, at most 64, and cover the whole image. None for a model without such an output.
    """
    mapper = HeatMapper.of(model)
    return None if mapper is None else mapper.map(images, np.stack([labels, predicted], axis=1))


class HeatMapper:
    """Makes the heat maps of one model; see `heat_maps`."""

    def __init__(self, head: layers.Layer, front: keras.Model, back: keras.Model) -> None:
        """Know the model's parts; `of` finds them.

        Args:
            head: its layer of the class probabilities.
            front: from images to the last output with height and width.
            back: from there to what the head takes, if that is a softmax; else to what it gives.
        """
        self._head, self._front, self._back = head, front, back
        self._is_softmax = _is_softmax(head)
        self._height, self._width = (min(side, _MAX_SIDE) for side in front.output_shape[1:3])

    @classmethod
    def of(cls, model: keras.Model) -> "HeatMapper | None":
        """Take one of the zoo's models apart; None if it has no view of places."""
        head = model.get_layer(LABEL_LAYER)
        spatial = find_spatial(head.input)
        if spatial is None:
            return None
        back = keras.Model(spatial, head.input if _is_softmax(head) else head.output)
        return cls(head, keras.Model(model.input, spatial), back)

    def map(self, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> NDArray[np.float16]:
        """Say where the model sees some classes of each image.

        Args:
            images: (n, height, width, channels) uint8.
            classes: (n, k) of each image.

        Returns:
            (n, k, h, w) float16, 0..1, as `heat_maps` describes them.
        """
        maps = np.zeros((*classes.shape, self._height, self._width), np.float16)
        for begin in range(0, len(images), _BATCH):
            rows = slice(begin, begin + _BATCH)
            seen = tf.cast(self._front(images[rows], training=False), tf.float32)
            for place in range(classes.shape[1]):
                with tf.GradientTape() as tape:
                    tape.watch(seen)
                    score = tf.gather(self._logits(seen), classes[rows, place], batch_dims=1)
                weights = tf.reduce_mean(tape.gradient(score, seen), axis=(1, 2), keepdims=True)
                heat = tf.nn.relu(tf.reduce_sum(weights * seen, axis=-1, keepdims=True))
                small = tf.image.resize(heat, (self._height, self._width), method="area").numpy()[..., 0]
                maps[rows, place] = _scale(small)
        return maps

    def _logits(self, seen: tf.Tensor) -> tf.Tensor:
        known = tf.cast(self._back(seen, training=False), tf.float32)
        if self._is_softmax:
            return known @ self._head.kernel + self._head.bias
        return tf.math.log(known + keras.config.epsilon())


def _is_softmax(head: layers.Layer) -> bool:
    return isinstance(head, layers.Dense) and head.activation is keras.activations.softmax


def find_spatial(features: keras.KerasTensor) -> keras.KerasTensor | None:
    """Find the last thing with height and width that all of a model's features come from, and that weights made.

    Args:
        features: a tensor of a functional model, (n, width).

    Returns:
        (n, height, width, channels); None if nothing is left of height and width, or no weight came before it: then
        the model has no view of places.
    """
    for tensor in _before(features):
        if _is_spatial(tensor) and not _passes_by(features, tensor):
            while isinstance(_operation(tensor), _WITHOUT_WEIGHTS) and _is_spatial(_sources(tensor)[0]):
                tensor = _sources(tensor)[0]
            return tensor if any(getattr(_operation(one), "weights", None) for one in _before(tensor)) else None
    return None


def _is_spatial(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1


def _operation(tensor: keras.KerasTensor) -> keras.Operation:
    return tensor._keras_history.operation


def _sources(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Give what a tensor is made from; nothing for a model's input."""
    made = tensor._keras_history
    return list(made.operation._inbound_nodes[made.node_index].input_tensors)


def _before(tensor: keras.KerasTensor, without: keras.KerasTensor | None = None) -> Iterator[keras.KerasTensor]:
    """Give a tensor and all that it is made from, the nearest first, and not what only comes by way of another."""
    waiting, known = [tensor], {id(tensor)}
    for one in waiting:
        yield one
        for source in _sources(one):
            if source is not without and id(source) not in known:
                known.add(id(source))
                waiting.append(source)


def _passes_by(features: keras.KerasTensor, tensor: keras.KerasTensor) -> bool:
    """Say whether features come from the model's input also by another way than this tensor."""
    return any(not _sources(one) for one in _before(features, without=tensor))


def _scale(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each map, (n, h, w), by its greatest value."""
    most = maps.max(axis=(1, 2), keepdims=True)
    scaled: NDArray[np.float32] = np.divide(maps, most, out=np.zeros_like(maps), where=most > 0)
    return scaled
