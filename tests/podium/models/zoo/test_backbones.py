"""The heads that stand on a network of others."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from podium.errors import PodiumError
from podium.models import zoo
from tests.makers import MOBILENET
from tests.podium.models.zoo.entries import SHAPE, TWO_HEAD, TWO_HEAD_VGG19, VGG16, build, make_batch

pytestmark = pytest.mark.slow


def shapes_of(model: keras.Model) -> dict[str, list[int]]:
    return {layer.name: list(layer.kernel.shape) for layer in model.layers if isinstance(layer, keras.layers.Dense)}


def test_vgg16_is_flattened_into_the_head_and_has_its_published_size() -> None:
    model = build(replace(VGG16, size=64, units=[7]), 3)
    assert model.get_layer("network").count_params() == 14_714_688
    assert [*shapes_of(model).values()] == [[2 * 2 * 512, 7], [7, 3]]


@pytest.mark.parametrize(
    ("version", "features", "parameters"), [(None, 1024, 3_228_864), (1, 1024, 3_228_864), (2, 1280, 2_257_984)]
)
def test_mobilenet_is_averaged_into_the_head(version: int | None, features: int, parameters: int) -> None:
    model = build(replace(MOBILENET, size=64, units=[7], version=version))
    assert model.get_layer("network").count_params() == parameters
    assert [*shapes_of(model).values()] == [[features, 7], [7, 3]]


@pytest.mark.parametrize(
    ("options", "features", "parameters"),
    [
        (replace(TWO_HEAD, size=64), 1024, 3_228_864),
        (replace(TWO_HEAD, size=64, pooling="flatten"), 2 * 2 * 1024, 3_228_864),
        (replace(TWO_HEAD_VGG19, size=64), 2 * 2 * 512, 20_024_384),
        (replace(TWO_HEAD, size=64, backbone="vgg16"), 512, 14_714_688),
        (replace(TWO_HEAD, size=64, backbone="mobilenet_v2", pooling="flatten"), 2 * 2 * 1280, 2_257_984),
        (replace(TWO_HEAD, size=64, backbone="resnet18"), 512, 11_689_512 - 513_000 + 9_600),
        (replace(TWO_HEAD, size=64, backbone="photo_cnn", pooling="flatten"), 4 * 4 * 160, 539_048),
    ],
    ids=["mobilenet-average", "mobilenet-flatten", "vgg19", "vgg16", "mobilenet_v2", "resnet18", "photo_cnn"],
)
def test_both_branches_stand_on_the_features(options: object, features: int, parameters: int) -> None:
    model = build(options)
    assert model.get_layer("network").count_params() == parameters
    shapes = shapes_of(model)
    assert (shapes.pop("label"), shapes.pop("box")) == ([8, 3], [5, 4])
    assert sorted(shapes.values()) == sorted([[features, 8], [features, 6], [6, 5]])


def test_weights_as_keras_publishes_them_fit_every_model_that_stands_on_their_network(shared_data: Path) -> None:
    weights = str(shared_data / "weights/mobilenet_1_0_224_tf_no_top.h5")
    bases = [build(replace(options, weights=weights)).get_layer("base") for options in (MOBILENET, TWO_HEAD)]
    random = build(MOBILENET).get_layer("network")
    one, two, fresh = (network.get_layer("conv1").get_weights()[0] for network in (*bases, random))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, fresh)


def test_weights_that_nobody_published_are_not_looked_for() -> None:
    with pytest.raises(
        PodiumError, match=r"photo_cnn has no ImageNet weights.* to 'random', or to a weights file of such"
    ):
        build(replace(TWO_HEAD, backbone="photo_cnn", weights="imagenet"))


def test_a_box_that_nobody_asks_for_has_no_branch() -> None:
    model = zoo.build(TWO_HEAD, (*SHAPE, 1), {"label": 3})
    assert [*shapes_of(model).values()] == [[1024, 8], [8, 3]]


def test_what_the_box_learns_leaves_the_branch_of_the_label_alone() -> None:
    model = build(TWO_HEAD)
    model.compile(
        optimizer="sgd",
        loss={"label": "sparse_categorical_crossentropy", "box": "mean_squared_error"},
        loss_weights={"label": 0.0, "box": 1.0},
        run_eagerly=True,
    )
    before = {name: model.get_layer(name).kernel.numpy() for name in ("label", "box")}
    model.train_on_batch(*make_batch(TWO_HEAD))
    moved = {name: not np.array_equal(model.get_layer(name).kernel, kernel) for name, kernel in before.items()}
    assert moved == {"label": False, "box": True}


SIGNED = [[-1, -1, -1], [1, 1, 1]]
CAFFE = [[-103.939, -116.779, -123.68], [151.061, 138.221, 131.32]]
TORCH = [[-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.64]]


@pytest.mark.parametrize(
    ("base", "trained_with"),
    [
        ("mobilenet", SIGNED),
        ("mobilenet_v2", SIGNED),
        ("vgg16", CAFFE),
        ("vgg19", CAFFE),
        ("resnet18", TORCH),
        ("photo_cnn", SIGNED),
    ],
)
@pytest.mark.parametrize("scaling", ["imagenet", "unit"])
def test_a_base_is_fed_what_it_was_trained_with_or_0_to_1(base: str, trained_with: object, scaling: str) -> None:
    model = build(replace(TWO_HEAD, backbone=base, scaling=scaling), 3)
    (rescaling,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling))
    images = np.array([0, 255], np.uint8)[:, None, None, None] * np.ones((1, *SHAPE, 3), np.uint8)
    fed = keras.Model(model.inputs[0], rescaling.output)(images).numpy()[:, 0, 0]
    np.testing.assert_allclose(fed, [[0, 0, 0], [1, 1, 1]] if scaling == "unit" else trained_with, atol=1e-3)
