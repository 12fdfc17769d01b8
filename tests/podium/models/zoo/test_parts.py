from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
from keras.applications import imagenet_utils

from podium.errors import PodiumError
from podium.models.files import load_model, save_model
from podium.models.zoo.backbones.pretrained import Scaling, backbone_input
from podium.models.zoo.parts import heads, image_input
from tests.makers import MOBILENET
from tests.podium.models.zoo.entries import VGG16, build

pytestmark = pytest.mark.slow

KERAS_NAMES = {"signed": "tf", "caffe": "caffe", "torch": "torch"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scaling", KERAS_NAMES)
def test_images_are_scaled_as_keras_scales_them_for_its_own_networks(scaling: Scaling, channels: int) -> None:
    image = image_input((8, 8, channels))
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, channels), dtype=np.uint8)
    fed = keras.Model(image, backbone_input(image, 8, scaling)).predict(images, verbose=0)
    colour = np.broadcast_to(images, (3, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(fed, imagenet_utils.preprocess_input(colour, mode=KERAS_NAMES[scaling]), atol=1e-4)


def test_images_are_resized_and_scaled_to_0_to_1() -> None:
    image = image_input((8, 10, 1))
    images = np.full((1, 8, 10, 1), 255, np.uint8)
    fed = keras.Model(image, backbone_input(image, 16, "unit", "bicubic")).predict(images, verbose=0)
    np.testing.assert_allclose(fed, np.ones((1, 16, 16, 3)), atol=1e-6)


@pytest.fixture(params=["float32", "mixed_bfloat16"])
def policy(request: pytest.FixtureRequest) -> Iterator[None]:
    keras.config.set_dtype_policy(request.param)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scaling", get_args(Scaling))
@pytest.mark.usefixtures("policy")
def test_who_asks_at_once_predicts_or_reads_the_model_again_is_fed_the_same(
    tmp_path: Path, scaling: Scaling, channels: int
) -> None:
    image = image_input((5, 6, channels))
    model = keras.Model(image, backbone_input(image, 9, scaling))
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 6, channels), dtype=np.uint8)
    fed = model(images).numpy()
    assert fed.dtype == np.float32
    save_model(model, tmp_path / "model.keras")
    for same in (model, load_model(tmp_path / "model.keras")):
        np.testing.assert_array_equal(same(images), fed)
        np.testing.assert_array_equal(same.predict(images, verbose=0), fed)
    exact = keras.ops.image.resize(images.astype(np.float32), (9, 9)).numpy()
    assert np.abs(exact - np.round(exact)).max() > 0.4
    if scaling in ("unit", "signed"):
        expected = exact / 255 if scaling == "unit" else exact / 127.5 - 1
        np.testing.assert_allclose(fed, np.broadcast_to(expected, fed.shape), atol=1e-6)


def test_a_box_begins_where_it_can_learn_however_strong_the_features_are() -> None:
    keras.utils.set_random_seed(0)
    features = keras.Input((64,))
    model = keras.Model(features, heads(features, {"box": 4}))
    boxes = model.predict(np.random.default_rng(0).normal(0, 7, (500, 64)), verbose=0)["box"]
    assert 0.05 < boxes.min() < 0.49
    assert 0.51 < boxes.max() < 0.95


PICKLE = r"are not read: such a file is a pickle, .* can run any code .* the \.safetensors of the same weights"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weights.h5", None, r"There is no weights file at /.*weights\.h5\. Correct model\.weights"),
        ("weights.h5", "no weights", "do not fit MobileNet without its top"),
        ("base.weights.h5", "no weights", "do not fit MobileNet without its top"),
        ("weights.txt", "no weights", "do not fit MobileNet without its top"),
        ("weights.keras", "no weights", "do not fit MobileNet without its top"),
        ("weights.safetensors", "no weights", "do not fit MobileNet without its top"),
        *((f"weights{end}", "no weights", PICKLE) for end in (".pth", ".pt", ".PTH", ".bin")),
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


def test_weights_that_cannot_be_downloaded_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP", "http://127.0.0.1:9/vgg16.h5")
    with pytest.raises(PodiumError, match=r"^VGG16's ImageNet weights could not be downloaded\. Connect once"):
        build(replace(VGG16, weights="imagenet"))


def test_the_weights_of_a_tilde_are_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    build(MOBILENET).get_layer("network").save_weights(tmp_path / "base.weights.h5")
    assert build(replace(MOBILENET, weights="~/base.weights.h5")).get_layer("base")
