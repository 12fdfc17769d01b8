"""The entries of the zoo, small, and what can be done with any of them."""

from dataclasses import replace

import keras
import numpy as np

from podium.config.models import (
    Cnn4Model,
    CnnDropoutModel,
    Model,
    PhotoCnnModel,
    Resnet18Model,
    TwoHeadModel,
    TwoLooksModel,
    Vgg16Model,
)
from podium.models import zoo
from tests.makers import CNN, DENSE, MOBILENET

SHAPE = (16, 18)
CNN_DROPOUT = CnnDropoutModel(kind="cnn_dropout", filters=[4, 8], units=[8], dropout=0.1)
PHOTO_CNN = PhotoCnnModel(kind="photo_cnn", filters=[4, 8], dropout=0.1)
CNN4 = Cnn4Model(kind="cnn4", filters=[2, 3, 4, 5], units=[8], dropout=0.1)
VGG16 = Vgg16Model(kind="vgg16", size=32, units=[8], weights="random")
RESNET18 = Resnet18Model(kind="resnet18", size=32, dropout=0.1, weights="random")
TWO_HEAD = TwoHeadModel(
    kind="two_head",
    backbone="mobilenet",
    size=32,
    pooling="average",
    scaling="imagenet",
    label_units=[8],
    box_units=[6, 5],
    weights="random",
)
TWO_HEAD_VGG19 = replace(TWO_HEAD, backbone="vgg19", pooling="flatten")
TWO_LOOKS = TwoLooksModel(
    kind="two_looks", size=32, filters=[4, 8], crop=16, margin=0.4, crop_filters=[4, 8], dropout=0.1, jitter=0.01
)

ENTRIES = {
    "dense": DENSE,
    "cnn": CNN,
    "photo_cnn": PHOTO_CNN,
    "cnn_dropout": CNN_DROPOUT,
    "cnn4": CNN4,
    "mobilenet": MOBILENET,
    "mobilenet_v2": replace(MOBILENET, version=2),
    "vgg16": VGG16,
    "resnet18": RESNET18,
    "two_head": TWO_HEAD,
    "two_head_vgg19": TWO_HEAD_VGG19,
    "two_looks": TWO_LOOKS,
}
ON_A_BASE = ["mobilenet", "mobilenet_v2", "vgg16", "resnet18", "two_head"]
"""The entries that can have pretrained weights; VGG19 differs from VGG16 in nothing that matters here."""


def targets_of(options: Model) -> dict[str, int]:
    return {"label": 3, "box": 4} if options.kind in ("two_head", "two_looks") else {"label": 3}


def build(options: Model, channels: int = 1, shape: tuple[int, int] = SHAPE, seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return zoo.build(options, (*shape, channels), targets_of(options))


def make_batch(options: Model, channels: int = 1) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw six images and what a model is to answer."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (6, *SHAPE, channels), dtype=np.uint8)
    answers = {"label": np.arange(6) % 3, "box": random.uniform(0, 1, (6, 4)).astype(np.float32)}
    return images, {name: answers[name] for name in targets_of(options)}


def ask(model: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    """Ask a model without compiling it to a graph first, which takes longer than the answer."""
    return {name: head.numpy() for name, head in model(images, training=False).items()}


def train_a_step(model: keras.Model, options: Model, channels: int = 1) -> set[str]:
    """Train a step; give the paths of the weights that it left as they were."""
    losses = {"label": "sparse_categorical_crossentropy", "box": "mean_squared_error"}
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),  # moves weights however small their gradient is
        loss={name: losses[name] for name in targets_of(options)},
        run_eagerly=True,
    )
    weights = [weight for weight in model.weights if "seed_generator" not in weight.path]
    before = [weight.numpy() for weight in weights]
    assert np.isfinite(model.train_on_batch(*make_batch(options, channels))).all()
    return {weight.path for weight, old in zip(weights, before, strict=True) if np.array_equal(weight, old)}
