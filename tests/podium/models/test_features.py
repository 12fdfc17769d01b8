from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from podium.config.models import Model
from podium.datasets.arrays import open_split
from podium.models import features as room
from podium.models.features import FEATURES, FeatureHashing, with_features
from podium.models.inference import PREDICT_BATCH, predict_heads
from tests.makers import CNN, DENSE, make_arrays
from tests.podium.models.zoo.entries import TWO_HEAD, VGG16, build

pytestmark = pytest.mark.slow

COUNT = PREDICT_BATCH + 6
WITH_BOX = replace(TWO_HEAD, backbone="photo_cnn")


@pytest.mark.parametrize("options", [CNN, DENSE, WITH_BOX], ids=lambda options: options.kind)
def test_the_features_come_with_the_answers_and_leave_them_as_they_are(options: Model, tmp_path: Path) -> None:
    boxes = options.kind == "two_head"
    split = open_split(make_arrays(tmp_path / "dots", COUNT, boxes=boxes) / "test")
    model = build(options, shape=split.images.shape[1:3])
    plain, both = predict_heads(model, split), predict_heads(with_features(model), split)
    features = both.pop(FEATURES)
    assert features.shape == (COUNT, 8)
    assert features.dtype == np.float32
    assert set(both) == set(plain)
    for name, head in plain.items():
        np.testing.assert_array_equal(both[name], head)


def test_the_label_follows_from_the_features(tmp_path: Path) -> None:
    split = open_split(make_arrays(tmp_path / "dots", COUNT) / "test")
    model = build(CNN, shape=split.images.shape[1:3])
    heads = predict_heads(with_features(model), split)
    kernel, bias = model.get_layer("label").get_weights()
    logits = heads[FEATURES] @ kernel + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, heads["label"], atol=1e-5)


def test_some_rows_are_seen_as_among_all(tmp_path: Path) -> None:
    split = open_split(make_arrays(tmp_path / "dots", COUNT, boxes=True) / "test")
    model, rows = with_features(build(WITH_BOX, shape=split.images.shape[1:3])), np.array([0, 3, COUNT - 1])
    whole, some = predict_heads(model, split), predict_heads(model, split, rows)
    for name in whole:
        np.testing.assert_allclose(some[name], whole[name][rows], atol=1e-4, err_msg=name)


def test_wide_features_are_bounded_and_their_angles_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FEATURE_LIMIT", 512)
    random = np.random.default_rng(0)
    middle = random.normal(size=5_000)
    wide = (middle * np.array([[1], [1], [-1], [0]]) + random.normal(0, 0.5, (4, 5_000))).astype(np.float32)
    hashed = np.asarray(FeatureHashing()(wide.reshape(4, 50, 10, 10)))
    assert hashed.shape == (4, 512)
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (wide, hashed)]
    np.testing.assert_allclose(unit[1] @ unit[1].T, unit[0] @ unit[0].T, atol=0.15)
    np.testing.assert_array_equal(np.asarray(FeatureHashing()(wide.reshape(4, 50, 10, 10))), hashed)


def test_a_flattened_backbone_has_no_more_than_others() -> None:
    model = with_features(build(replace(VGG16, size=64, units=[])))
    assert model.output[FEATURES].shape == (None, room.FEATURE_LIMIT)
