"""Models of the zoo in every form, held against Keras; what cannot be had, and where a wrong form begins to differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from podium.models.portable import steps, unfold
from podium.models.zoo.backbones.pretrained import backbone_input
from podium.models.zoo.parts import heads
from podium.serving.export import layers, litert, onnx, saved_model, tfjs
from podium.serving.export.source import Convertible, as_float, convertible
from podium.serving.export.target import File, MissingError, Runtime, UnfitError
from tests.makers import MOBILENET
from tests.podium.models.zoo.entries import ENTRIES, build, make_batch

pytestmark = pytest.mark.slow

MODELS = {name: ENTRIES[name] for name in ("cnn", "resnet18", "two_head", "two_looks")} | {
    "mobilenet": replace(MOBILENET, interpolation="bilinear"),
    "bicubic": MOBILENET,
}
FORMS = {
    "cnn": (onnx.TARGET, litert.TARGET, saved_model.TARGET),
    "mobilenet": (litert.TARGET,),
    "resnet18": (onnx.TARGET, saved_model.TARGET),
    "two_head": (onnx.TARGET,),
    "two_looks": (onnx.TARGET, litert.TARGET),
}
"""By model: conversions take seconds, and a backbone is converted like its neighbour."""


def make(name: str, channels: int = 3) -> tuple[keras.Model, np.ndarray]:
    """Build a model as it is after a training, with batch statistics of its own, and six images."""
    options = MODELS[name]
    model = build(options, channels)
    random = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(random.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.2, 0.8, layer.moving_variance.shape))
    return model, make_batch(options, channels)[0]


def differ(expected: dict[str, Any], said: dict[str, Any]) -> float:
    return max(float(np.abs(expected[name] - head).max()) for name, head in as_float(said).items())


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.soak if name in ("cnn", "resnet18", "two_head") else ()) for name in FORMS],
)
def test_a_model_of_the_zoo_says_the_same_in_onnx_litert_and_as_a_saved_model(name: str, tmp_path: Path) -> None:
    """Random weights and a layer Resizing: batch normalisation must not be written as it trains."""
    model, images = make(name)
    expected = model.predict(images, verbose=0)
    assert differ(expected, unfold(model).predict(images, verbose=0)) == 0
    with convertible(model) as form:
        for target in FORMS[name]:
            file = target.files[0]
            file.write(form, tmp_path / file.name)
            with file.runtimes[0].open(tmp_path / file.name) as runner:
                assert differ(expected, runner.predict_on_batch(images)) < 1e-4, file.runtimes[0].title
                assert differ(expected, runner.predict_on_batch(images)) < 1e-4, "asked twice"
                one = {head: numbers[:1] for head, numbers in expected.items()}
                assert differ(one, runner.predict_on_batch(images[:1])) < 1e-4, "one image alone"


def test_both_runtimes_of_a_browser_say_the_same(tmp_path: Path) -> None:
    """In TensorFlow.js the page resizes, and gray becomes colours."""
    model, images = make("two_head", 1)
    _compare_in_browser(model, images, (onnx.TARGET.files[0].runtimes[1], tfjs.TARGET.files[0].runtimes[0]), tmp_path)
    shards = sorted(tmp_path.glob("*.bin"))
    assert sum(shard.stat().st_size for shard in shards) >= 4 * model.count_params()
    assert max(shard.stat().st_size for shard in shards) <= tfjs.SHARD_BYTES


def test_tensorflow_js_scales_channels_and_turns_them_round_as_keras_does(tmp_path: Path) -> None:
    """As VGG was trained, but small."""
    model, images = make_small()
    _compare_in_browser(model, images, tfjs.TARGET.files[0].runtimes, tmp_path)


def make_small() -> tuple[keras.Model, np.ndarray]:
    """Build a small model that prepares images as VGG does, with batch statistics, and four images."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 5, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 100)(backbone_input(image, 8, "caffe"))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(4, 3, activation="relu")(x))
    model = keras.Model(image, heads(keras.layers.GlobalAveragePooling2D()(x), {"label": 3}), name="small")
    model.get_layer("norm").moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    return model, np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), dtype=np.uint8)


def _compare_in_browser(model: keras.Model, images: np.ndarray, runtimes: tuple[Runtime, ...], folder: Path) -> None:
    expected = model.predict(images, verbose=0)
    files = {runtime.title: file for file in (*onnx.TARGET.files, *tfjs.TARGET.files) for runtime in file.runtimes}
    for runtime in runtimes:
        file = files[runtime.title]
        with convertible(model) as form:
            file.write(form, folder / file.name)
        try:
            with runtime.open(folder / file.name) as runner:
                assert differ(expected, runner.predict_on_batch(images)) < 1e-4, runtime.title
        except MissingError as reason:
            pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("name", "file", "reason"),
    [
        ("bicubic", litert.TARGET.files[0], r"LiteRT does not resize bicubic, as the layer 'resizing\w*' \(Resizing\)"),
        ("bicubic", tfjs.TARGET.files[0], r"TensorFlow.js resizes bilinear, and 'resizing\w*' \(Resizing\) bicubic"),
        ("two_looks", tfjs.TARGET.files[0], r"TensorFlow.js has no layer for 'reshape\w*' \(Reshape\)"),
    ],
)
def test_what_a_runtime_does_not_have_is_named_by_its_layer(name: str, file: File, reason: str, tmp_path: Path) -> None:
    model, _ = make(name)
    with convertible(model) as form, pytest.raises(UnfitError, match=reason):
        file.write(form, tmp_path / file.name)
    assert not list(tmp_path.iterdir())


def test_the_layer_at_which_a_form_begins_to_differ_is_named() -> None:
    """The trap of Keras 3.15: after a layer Resizing, an export has batch normalisation as it trains."""

    def write(source: Convertible, path: Path) -> None:
        source.model = source.trained  # the inference form is left out
        saved_model.TARGET.files[0].write(source, path)

    model, images = make_small()
    file = replace(saved_model.TARGET.files[0], write=write)
    name = layers.find_diverging(model, file, file.runtimes[0], images[:1])
    listed = [(step, kind) for step, kind, _ in steps(unfold(model)) if kind != "Dropout"]
    number = next(row for row, (_, kind) in enumerate(listed, 1) if kind == "BatchNormalization")
    assert name == f"layer 'norm' (BatchNormalization), number {number} of {len(listed)}"


def test_a_layer_of_preparation_is_told_by_what_it_prepares() -> None:
    @contextmanager
    def darker(path: Path) -> Iterator[Any]:
        with saved_model.TARGET.files[0].runtimes[0].open(path) as runner:

            class Darker:
                def predict_on_batch(self, pixels: np.ndarray) -> Any:
                    return runner.predict_on_batch(pixels // 2)

            yield Darker()

    model, images = make("cnn")
    file = replace(saved_model.TARGET.files[0], runtimes=(Runtime("darker", darker),))
    assert layers.find_diverging(model, file, file.runtimes[0], images[:1]).startswith("scale: layer 'rescaling")


def test_the_layer_with_which_a_converter_fails_is_named(tmp_path: Path) -> None:
    def write(source: Convertible, path: Path) -> None:
        if any(kind == "GlobalAveragePooling2D" for _, kind, _ in steps(unfold(source.trained))):
            raise RuntimeError("no such operator")
        path.write_bytes(b"")

    model, _ = make("cnn")
    failing = layers.find_failing(model, replace(onnx.TARGET.files[0], write=write))
    assert failing.startswith("layer 'global_average_pooling2d")
