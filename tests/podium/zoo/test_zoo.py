from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from podium import zoo
from podium.config.tables import CnnModel, Model
from podium.errors import PodiumError
from podium.models import load_model, save_model
from podium.zoo.parts import set_trainable
from tests.makers import CNN, DENSE, MOBILENET

pytestmark = pytest.mark.slow

MODELS = [
    pytest.param(DENSE, id="dense"),
    pytest.param(replace(DENSE, units=[], dropout=0.0), id="dense-without-layers"),
    pytest.param(CNN, id="cnn"),
    pytest.param(MOBILENET, id="mobilenet"),
    pytest.param(replace(MOBILENET, interpolation="bilinear", scaling="unit", units=[]), id="mobilenet-unit"),
]


def make_batch(channels: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 10, channels), dtype=np.uint8)
    return images, {"label": np.arange(6) % 3}


def build(options: Model, channels: int = 1) -> keras.Model:
    keras.utils.set_random_seed(0)
    return zoo.build(options, (8, 10, channels), {"label": 3})


def compile_for_a_step(model: keras.Model) -> None:
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss={"label": "sparse_categorical_crossentropy"})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("options", MODELS)
def test_a_model_takes_raw_pictures_learns_and_predicts_the_same_after_it_was_read_again(
    tmp_path: Path, options: Model, channels: int
) -> None:
    model = build(options, channels)
    assert (model.input_shape, model.inputs[0].dtype) == ((None, 8, 10, channels), "uint8")
    images, labels = make_batch(channels)
    before = model.predict(images, verbose=0)
    assert [*before] == ["label"]
    assert (before["label"].shape, before["label"].dtype) == ((6, 3), np.float32)
    np.testing.assert_allclose(before["label"].sum(axis=1), 1, atol=1e-5)
    compile_for_a_step(model)
    assert np.isfinite(model.train_on_batch(images, labels))
    after = model.predict(images, verbose=0)["label"]
    assert np.abs(after - before["label"]).max() > 1e-4
    save_model(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras").predict(images, verbose=0)["label"], after)


@pytest.mark.parametrize("options", MODELS)
def test_the_seed_alone_decides_on_fresh_weights(options: Model) -> None:
    one, two = build(options).get_weights(), build(options).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def let_signals_through(base: keras.Model) -> None:
    """Make up for random weights, through which signals fade by a factor of six a layer."""
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.full(layer.moving_variance.shape, 0.03))


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_the_statistics_of_a_pretrained_base_never_move_and_its_weights_only_if_told(trainable: str) -> None:
    model = build(MOBILENET)
    base = model.get_layer("base")
    let_signals_through(base)
    set_trainable(model, trainable)
    statistics = [weight for weight in base.weights if "moving" in weight.name]
    kernels = [weight for weight in base.weights if "moving" not in weight.name]
    before = [weight.numpy() for weight in (*statistics, *kernels)]
    compile_for_a_step(model)
    model.train_on_batch(*make_batch(1))
    after = [weight.numpy() for weight in (*statistics, *kernels)]
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert len(statistics) == 54
    assert not any(moved[:54])
    assert any(moved[54:]) == (trainable == "all")


def test_the_base_is_fed_what_it_was_trained_with() -> None:
    model = build(MOBILENET, channels=3)
    (scaling,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    fed = keras.Model(model.inputs, scaling.output)
    images = np.zeros((1, 8, 10, 3), np.uint8)
    for value, expected in ((0, -1), (255, 1)):
        np.testing.assert_allclose(fed.predict(images + np.uint8(value), verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weights.h5", None, r"There is no weights file at /.*weights\.h5\. Correct model\.weights"),
        ("weights.h5", "no weights", "do not fit MobileNet without its top"),
        ("weights.txt", "no weights", "do not fit MobileNet without its top"),
        pytest.param(
            *("weights.keras", "no weights", "do not fit MobileNet without its top"),
        ),
    ],
)
def test_weights_that_cannot_be_had_are_refused(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content:
        path.write_text(content)
    with pytest.raises(PodiumError, match=words):
        build(replace(MOBILENET, weights=str(path)))


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_a_whole_model_is_no_weights_file(tmp_path: Path) -> None:
    save_model(build(MOBILENET), tmp_path / "model.keras")
    with pytest.raises(PodiumError, match="do not fit"):
        build(replace(MOBILENET, weights=str(tmp_path / "model.keras")))


def test_the_weights_of_another_network_are_refused(shared_data: Path) -> None:
    path = shared_data / "weights/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with pytest.raises(PodiumError, match=r"squeezenet.* do not fit MobileNet without its top"):
        build(replace(MOBILENET, weights=str(path)))


def test_the_weights_of_a_file_are_those_of_the_base(shared_data: Path) -> None:
    path = str(shared_data / "weights/mobilenet_1_0_224_tf_no_top.h5")
    one, two = (build(replace(MOBILENET, weights=path, units=units)) for units in ([], [4]))
    weights = [model.get_layer("base").get_weights() for model in (one, two, build(MOBILENET))]
    assert all(np.array_equal(a, b) for a, b in zip(*weights[:2], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_more_blocks_than_the_pictures_can_be_halved_is_a_podium_error() -> None:
    with pytest.raises(PodiumError):
        build(CnnModel(kind="cnn", filters=[4] * 6, dropout=0.0))
