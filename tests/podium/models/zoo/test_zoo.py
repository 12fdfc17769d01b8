"""What holds for every entry of the zoo."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args, get_type_hints

import keras
import numpy as np
import pytest

from podium.config.models import Model, TwoHeadModel
from podium.errors import PodiumError
from podium.models import zoo
from podium.models.files import load_model, save_model
from podium.models.zoo.backbones import BACKBONES
from podium.training.freezing import set_trainable
from tests.makers import DENSE, MOBILENET
from tests.podium.models.zoo.entries import (
    ENTRIES,
    ON_A_BASE,
    SHAPE,
    TWO_HEAD,
    ask,
    build,
    make_batch,
    targets_of,
    train_a_step,
)

pytestmark = pytest.mark.slow

VARIANTS = ENTRIES | {
    "dense-without-layers": replace(DENSE, units=[], dropout=0.0),
    "mobilenet-unit": replace(MOBILENET, interpolation="bilinear", scaling="unit", units=[]),
    **{
        f"two_head-{base}": replace(TWO_HEAD, backbone=base)
        for base in ("vgg16", "mobilenet_v2", "resnet18", "photo_cnn")
    },
    "two_head-unit": replace(TWO_HEAD, scaling="unit", pooling="flatten", label_units=[], box_units=[]),
}
LONG = {
    "two_head-vgg16",
    "two_head-mobilenet_v2",
    "two_head-resnet18",
    "two_head-unit",
    "two_head_vgg19",
    "mobilenet-unit",
}
"""What other variants show, too."""
LONGER = partial(pytest.param, marks=pytest.mark.soak)
variants = pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, id=name, marks=[pytest.mark.soak] if name in LONG else [])
        for name, options in VARIANTS.items()
    ],
)
entries = pytest.mark.parametrize("options", [pytest.param(options, id=name) for name, options in ENTRIES.items()])


PRETRAINED = [
    pytest.param(name, marks=[] if name in ("mobilenet", "resnet18") else pytest.mark.soak) for name in ON_A_BASE
]


@pytest.fixture(scope="session", params=PRETRAINED)
def pretrained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """Options of an entry with a weights file for its base."""
    options = ENTRIES[request.param]
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.weights.h5"
    network = build(options, seed=1).get_layer("network")
    random = np.random.default_rng(1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):  # as after a training
            layer.moving_mean.assign(random.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.02, 0.2, layer.moving_variance.shape))
    network.save_weights(path)
    yield replace(options, weights=str(path))
    path.unlink()  # up to 60 MB


def test_every_entry_is_tested() -> None:
    kinds = {kind for each in get_args(get_args(Model)[0]) for kind in get_args(get_type_hints(each)["kind"])}
    assert {options.kind for options in ENTRIES.values()} == kinds
    bases = {options.backbone for options in VARIANTS.values() if isinstance(options, TwoHeadModel)}
    assert bases == set(BACKBONES) == set(get_args(get_type_hints(TwoHeadModel)["backbone"]))


@pytest.mark.parametrize("channels", [3, pytest.param(1, marks=pytest.mark.soak)])
@variants
def test_a_model_takes_raw_images_learns_and_answers_the_same_after_it_was_read_again(
    tmp_path: Path, options: Model, channels: int
) -> None:
    """Without pretrained weights every layer learns, and every batch statistic moves."""
    model = build(options, channels)
    assert (model.input_shape, model.inputs[0].dtype) == ((None, *SHAPE, channels), "uint8")
    images, _ = make_batch(options, channels)
    before = ask(model, images)
    assert {name: (head.shape, head.dtype) for name, head in before.items()} == {
        name: ((6, size), np.float32) for name, size in targets_of(options).items()
    }
    np.testing.assert_allclose(before["label"].sum(axis=1), 1, atol=1e-5)
    set_trainable(model, "all")
    assert train_a_step(model, options, channels) == set()
    after = ask(model, images)
    path = tmp_path / "model.keras"
    save_model(model, path)
    again = ask(load_model(path), images)
    path.unlink()  # up to 80 MB
    for name in targets_of(options):
        assert np.abs(after[name] - before[name]).max() > 1e-5
        np.testing.assert_array_equal(again[name], after[name])


@entries
def test_the_seed_alone_decides_on_fresh_weights(options: Model) -> None:
    one, two = build(options).get_weights(), build(options).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@entries
def test_a_head_cannot_be_trained_alone_on_nothing_that_was_learnt(options: Model) -> None:
    model = build(options)
    for what, unfreeze, words in (("head", None, "the head alone"), ("top", 1, "the top")):
        with pytest.raises(
            PodiumError, match=rf"trains {words}, but the model '{options.kind}' has no pretrained backbone"
        ):
            set_trainable(model, what, unfreeze)


def has_fixed_statistics(base: keras.Model) -> bool:
    images = np.random.default_rng(0).normal(size=(6, *base.input_shape[1:]))
    return np.array_equal(base(images, training=True), base(images, training=False))


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_the_statistics_of_a_pretrained_base_never_move_and_its_weights_only_if_told(
    pretrained: Model, trainable: str
) -> None:
    model = build(pretrained)
    base = model.get_layer("base")
    set_trainable(model, trainable)
    assert has_fixed_statistics(base)
    norms = [layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)]
    kept = [weight.path for layer in (norms if trainable == "all" else [base]) for weight in layer.weights]
    assert train_a_step(model, pretrained) == set(kept)


RESNET18_TOP = {"layer4_0_conv1", "layer4_0_conv2", "layer4_0_downsample_0", "layer4_1_conv1", "layer4_1_conv2"}
BLOCK_16 = {"block_16_expand", "block_16_depthwise", "block_16_project", "Conv_1"}


@pytest.mark.parametrize(
    ("pretrained", "unfreeze", "expected"),
    [
        LONGER("vgg16", "block5", {"block5_conv1", "block5_conv2", "block5_conv3"}),
        LONGER("vgg16", "block5_conv3", {"block5_conv3"}),
        LONGER("vgg16", 1, {"block5_conv3"}),
        LONGER("mobilenet", 3, {"conv_pw_12", "conv_dw_13", "conv_pw_13"}),
        ("mobilenet", "conv_pw_12", {"conv_pw_12", "conv_dw_13", "conv_pw_13"}),
        LONGER("mobilenet_v2", "block_16", BLOCK_16),
        LONGER("mobilenet_v2", 4, BLOCK_16),
        ("resnet18", "layer4", RESNET18_TOP),
        LONGER("resnet18", 5, RESNET18_TOP),
    ],
    indirect=["pretrained"],
)
def test_the_upper_end_of_a_base_moves_with_the_head_and_nothing_else_does(
    pretrained: Model, unfreeze: str | int, expected: set[str]
) -> None:
    model = build(pretrained)
    set_trainable(model, "all")
    set_trainable(model, "top", unfreeze)
    base = model.get_layer("base")
    assert has_fixed_statistics(base)
    kept = train_a_step(model, pretrained)
    assert {path.partition("/")[0] for path in {weight.path for weight in base.weights} - kept} == expected
    assert kept <= {weight.path for weight in base.weights}
    set_trainable(model, "head")
    assert not base.trainable_weights
    set_trainable(model, "all")
    assert len(base.trainable_weights) == sum(weight.name in ("kernel", "bias") for weight in base.weights)


@pytest.mark.parametrize("pretrained", ["mobilenet", LONGER("mobilenet_v2")], indirect=True)
def test_a_model_of_which_a_part_was_trained_is_read_again_as_it_was(pretrained: Model, tmp_path: Path) -> None:
    model, images = build(pretrained), make_batch(pretrained)[0]
    set_trainable(model, "top", 3)
    train_a_step(model, pretrained)
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(ask(again, images)["label"], ask(model, images)["label"])


@pytest.mark.parametrize("pretrained", ["vgg16"], indirect=True)
@pytest.mark.parametrize(
    ("unfreeze", "words"),
    [
        (14, r"unfreeze: 14, but the backbone has 13 layers with weights.* a smaller number .* or trainable: all"),
        ("blok5", r"unfreeze: blok5, .* Did you mean 'block5'\? There are: block1, block2, block3, block4, block5\."),
        ("block5_pool", r"unfreeze: block5_pool, .* no layer with weights.* Did you mean 'block5'\?"),
    ],
)
def test_an_upper_end_that_a_base_does_not_have_is_refused(pretrained: Model, unfreeze: str | int, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        set_trainable(build(pretrained), "top", unfreeze)


def test_the_whole_of_a_base_may_be_its_upper_end(pretrained: Model) -> None:
    base = (model := build(pretrained)).get_layer("base")
    set_trainable(model, "all")
    everything = [weight.path for weight in base.trainable_weights]
    set_trainable(model, "top", sum(weight.name == "kernel" for weight in base.weights))
    assert [weight.path for weight in base.trainable_weights] == everything


def test_the_weights_of_a_file_are_those_of_the_base(pretrained: Model) -> None:
    random = replace(pretrained, weights="random")
    fresh, saved = (build(random, seed=seed).get_layer("network").weights for seed in (0, 1))
    learnt = build(pretrained, seed=0).get_layer("base").weights
    for weight, other, expected in zip(learnt, fresh, saved, strict=True):
        if "kernel" in weight.name:
            np.testing.assert_array_equal(weight, expected)
            assert not np.array_equal(weight, other)


@pytest.mark.parametrize("name", ON_A_BASE)
def test_the_weights_of_another_network_are_refused(name: str, shared_data: Path) -> None:
    path = shared_data / "weights/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with pytest.raises(PodiumError, match=r"squeezenet.* do not fit .* without its top"):
        build(replace(ENTRIES[name], weights=str(path)))


def test_a_label_and_a_box_can_be_asked_of_any_entry() -> None:
    model = zoo.build(DENSE, (*SHAPE, 1), {"label": 3, "box": 4})
    heads = ask(model, make_batch(TWO_HEAD)[0])
    assert heads["box"].shape == (6, 4)
    assert ((heads["box"] > 0) & (heads["box"] < 1)).all()
