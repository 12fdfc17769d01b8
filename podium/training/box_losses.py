"""What a box learns from: how far it is from the true one."""

import keras
from keras import ops

_DISTANCE = 2.5
"""Weight of the edges' distances beside the overlap, as DETR has them (5 : 2)."""


def giou(actual: keras.KerasTensor, predicted: keras.KerasTensor) -> keras.KerasTensor:
    """Give each pair of boxes 1 less their generalised overlap: 0 for equal ones, near 2 for small ones far apart.

    After H. Rezatofighi et al., "Generalized Intersection over Union", 2019, arXiv:1902.09630. A box whose right edge
    is left of its left one covers nothing, and the share of the enclosing box that neither covers still moves it.

    Args:
        actual: (n, 4) left, top, right, bottom.
        predicted: (n, 4) likewise.

    Returns:
        (n,).
    """
    one, other = ops.split(actual, 2, axis=-1), ops.split(predicted, 2, axis=-1)
    shared = _area(ops.maximum(one[0], other[0]), ops.minimum(one[1], other[1]))
    union = _area(*one) + _area(*other) - shared
    begin, end = ops.minimum(one[0], other[0]), ops.maximum(one[1], other[1])
    around = _area(begin, ops.maximum(end, begin))
    epsilon = keras.config.epsilon()
    distance = ops.sum(ops.abs(actual - predicted), axis=-1)
    return _DISTANCE * distance + 1 - shared / (union + epsilon) + (around - union) / (around + epsilon)


def _area(begin: keras.KerasTensor, end: keras.KerasTensor) -> keras.KerasTensor:
    return ops.prod(ops.relu(end - begin), axis=-1)
