"""Features: what a model sees in an image, as its last layer before the head `label` has it."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from podium.models.inference import LABEL_LAYER

FEATURES = "features"
FEATURE_LIMIT = 1024
"""Wider features are hashed to so many numbers. VGG16, flattened, has 25,088 of them: 100 kB an image."""


def with_features(model: keras.Model) -> keras.Model:
    """Give the same model with one more output, `features`: one pass over a split gives both.

    `podium.models.inference.predict_heads` takes it as any model. The layers and weights are the model's own.

    Args:
        model: one of the zoo's, with a layer `label`.

    Returns:
        A model whose `features` are (n, at most `FEATURE_LIMIT`) float32.
    """
    features = FeatureHashing(name=FEATURES, dtype="float32")(model.get_layer(LABEL_LAYER).input)
    return keras.Model(model.input, {**model.output, FEATURES: features})


class FeatureHashing(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Bounds the width of features so that the angles between them stay about what they are.

    Each feature is added, with a sign drawn by lot, to one of `FEATURE_LIMIT` sums, also drawn by lot: K. Weinberger
    et al., "Feature Hashing for Large Scale Multitask Learning", 2009, arXiv:0902.2206. A cosine is then off by about
    1 / √FEATURE_LIMIT, 0.03. A matrix of random projections would do the same with FEATURE_LIMIT numbers a feature.
    Features that are no wider stay as they are.
    """

    def call(self, features: Any) -> Any:
        """Turn (n, …) into (n, at most `FEATURE_LIMIT`)."""
        width = math.prod(features.shape[1:])
        flat = ops.reshape(features, (-1, width))
        if width <= FEATURE_LIMIT:
            return flat
        random = np.random.default_rng(0)
        order, signs = random.permutation(width), random.choice(np.array([-1, 1], np.float32), width)
        rows = math.ceil(width / FEATURE_LIMIT)
        mixed = ops.pad(ops.take(flat, order, axis=1) * signs, ((0, 0), (0, rows * FEATURE_LIMIT - width)))
        return ops.sum(ops.reshape(mixed, (-1, rows, FEATURE_LIMIT)), axis=1)
