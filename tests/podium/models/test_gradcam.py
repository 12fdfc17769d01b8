from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from podium.models import gradcam as room
from podium.models.gradcam import find_spatial, heat_maps
from podium.models.zoo.backbones.pretrained import backbone_features
from podium.models.zoo.parts import heads, image_input
from tests.makers import DENSE
from tests.podium.models.zoo.entries import CNN4, ENTRIES, build, make_batch

pytestmark = pytest.mark.slow

SIDE = 24
WHERE = {"red": (2, 4), "blue": (16, 14)}
"""Top and left of a coloured square of 6 × 6 pixels."""


def make_scene(channels: int) -> np.ndarray:
    """Paint a red and a blue square on middle gray; in gray the first is black and the second white."""
    image = np.full((1, SIDE, SIDE, channels), 128, np.uint8)
    for number, (top, left) in enumerate(WHERE.values()):
        colour = ([255, 0, 0], [0, 0, 255])[number] if channels == 3 else 255 * number
        image[0, top : top + 6, left : left + 6] = colour
    return image


def see_colours(channels: int) -> list[np.ndarray]:
    """Give the weights of a 1 × 1 convolution with a channel for each square."""
    if channels == 3:
        return [np.array([[[[1, -1], [0, 0], [-1, 1]]]], np.float32), np.zeros(2, np.float32)]
    return [np.array([[[[-1, 1]]]], np.float32), np.zeros(2, np.float32)]


def make_model(channels: int, kind: str, folder: Path) -> keras.Model:
    """Build a network with weights by hand: its classes are the two squares."""
    image = image_input((SIDE, SIDE, channels))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    convolution = layers.Conv2D(2, 1, activation="relu", name="colours")
    if kind == "nested":

        def make_base(name: str, weights: None = None) -> keras.Model:
            inside = keras.Input((SIDE, SIDE, channels))
            return keras.Model(inside, layers.MaxPooling2D()(convolution(inside)), name=name)

        make_base("one").save_weights(folder / "base.weights.h5")
        x = backbone_features(x, "Colours", make_base, str(folder / "base.weights.h5"))
    else:
        x = convolution(x)
    if kind == "forked":  # the place where both ways begin is looked for
        ways = [layers.GlobalAveragePooling2D()(way) for way in (x, layers.ReLU()(x))]
        x = layers.Average()(ways)
    elif kind == "flat":
        x = layers.Flatten()(layers.Dropout(0.5)(layers.MaxPooling2D()(x)))
    else:
        x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, heads(x, {"label": 2}))
    convolution.set_weights(see_colours(channels))
    places = x.shape[1] // 2
    model.get_layer("label").set_weights([np.tile(np.eye(2, dtype=np.float32), (places, 1)), np.zeros(2, np.float32)])
    return model


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["pooled", "flat", "nested", "forked"])
def test_each_class_is_seen_where_its_object_is(kind: str, channels: int, tmp_path: Path) -> None:
    model, scene = make_model(channels, kind, tmp_path), make_scene(channels)
    maps = heat_maps(model, scene, np.array([0]), np.array([1]))
    assert maps is not None
    side = SIDE // 2 if kind == "nested" else SIDE
    assert maps.shape == (1, 2, side, side)
    assert maps.dtype == np.float16
    for number, (top, left) in enumerate(WHERE.values()):
        heat = np.kron(maps[0, number], np.ones((SIDE // side, SIDE // side)))
        inside = np.zeros((SIDE, SIDE), bool)
        inside[top : top + 6, left : left + 6] = True
        assert heat.max() == 1
        assert heat[inside].min() > 0.9
        assert heat[~inside].max() < 0.1


def test_one_image_of_several_has_the_map_that_it_has_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_BATCH", 2)
    model = make_model(3, "pooled", tmp_path)
    images = np.concatenate([make_scene(3), make_scene(3)[:, ::-1], make_scene(3)[:, :, ::-1]])
    labels, predicted = np.array([0, 1, 0]), np.array([1, 0, 1])
    maps = heat_maps(model, images, labels, predicted)
    assert maps is not None
    for row in range(3):
        alone = heat_maps(model, images[[row]], labels[[row]], predicted[[row]])
        np.testing.assert_array_equal(maps[[row]], alone)


def test_where_nothing_speaks_for_a_class_the_map_is_zero(tmp_path: Path) -> None:
    maps = heat_maps(
        make_model(3, "pooled", tmp_path), np.full((1, SIDE, SIDE, 3), 128, np.uint8), *np.array([[0], [1]])
    )
    assert maps is not None
    assert np.isfinite(maps).all()


def test_large_maps_are_reduced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "_MAX_SIDE", 8)
    maps = heat_maps(make_model(3, "pooled", tmp_path), make_scene(3), *np.array([[0], [1]]))
    assert maps is not None
    assert maps.shape == (1, 2, 8, 8)
    assert [np.unravel_index(maps[0, place].argmax(), (8, 8)) for place in range(2)] == [(1, 2), (6, 5)]


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in ("mobilenet_v2", "two_head_vgg19")])
def test_every_model_of_the_zoo_has_maps_or_none(name: str) -> None:
    options = ENTRIES[name]
    larger = replace(options, size=64) if hasattr(options, "size") else options
    model = build(larger)
    images, answers = make_batch(larger)
    maps = heat_maps(model, images, answers["label"], (answers["label"] + 1) % 3)
    if options.kind == "dense":
        assert maps is None
    else:
        assert maps is not None
        assert maps.shape[:2] == (6, 2)
        assert min(maps.shape[2:]) >= 2
        assert (maps.min(), maps.max()) >= (0, 0)
        assert maps.max() <= 1


def test_layers_on_pixels_alone_have_no_view_of_places() -> None:
    assert find_spatial(build(replace(DENSE, units=[])).get_layer("label").input) is None


def test_a_map_is_taken_before_the_last_pooling() -> None:
    spatial = find_spatial(build(CNN4, shape=(32, 32)).get_layer("label").input)
    assert spatial is not None
    assert spatial.shape == (None, 4, 4, 5)
