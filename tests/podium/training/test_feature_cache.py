import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from podium import files
from podium.config.schedules import Augmentation, Schedule
from podium.datasets.arrays import SplitWriter, open_split
from podium.errors import TransientError
from podium.files import exclusive_lock
from podium.models import zoo
from podium.models.files import save_model
from podium.models.inference import evaluation_dataset, predict_heads
from podium.models.zoo.backbones.pretrained import backbone_features, backbone_input
from podium.models.zoo.parts import dense, heads, image_input
from podium.training import checkpoint_callback, phases
from podium.training import feature_cache as room
from podium.training.batches import training_dataset
from podium.training.feature_cache import (
    BackboneInputs,
    cached_features,
    can_cache,
    feature_evaluation_dataset,
    feature_training_dataset,
    prune,
    split_at_backbone,
)
from podium.training.freezing import set_trainable
from podium.training.history import History
from podium.training.phases import train
from tests.makers import MOBILENET, SIDE, make_arrays, make_phase, make_schedule
from tests.podium.models.zoo.entries import ENTRIES, ON_A_BASE, TWO_HEAD, ask, build, make_batch

pytestmark = pytest.mark.slow

COUNT = 200
"""Images a split: seven blocks, the last not full."""
HEAD = make_phase(name="head", trainable="head")
AUGMENTED = Augmentation(rotate=5.0, shift=0.1, zoom=0.1)


def make_base(name: str, weights: str | None) -> keras.Model:
    images = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, strides=2, name="convolution")(images)
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    return keras.Model(images, x, name=name)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """The weights of a small base that has learnt something, batch statistics too."""
    keras.utils.set_random_seed(7)
    base, random = make_base("network", None), np.random.default_rng(7)
    base.set_weights([random.uniform(0.5, 1.5, weight.shape) * (weight + 0.1) for weight in base.get_weights()])
    base.save_weights(tmp_path / "base.weights.h5")
    return str(tmp_path / "base.weights.h5")


def make_network(weights: str, boxes: bool = False, channels: int = 1) -> keras.Model:
    """Build the same network every time: a base, pooling, dropout and a head."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    image = image_input((SIDE, SIDE, channels))
    x = backbone_features(backbone_input(image, 8, "signed"), "Small", make_base, weights)
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(image, heads(dense(x, [5]), {"label": 3} | ({"box": 4} if boxes else {})), name="small")
    set_trainable(network, "head")
    return network


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    return make_arrays(tmp_path / "dots", COUNT)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images the base looked at, block by block."""
    seen: list[int] = []
    make = room._graph

    def counted(front: keras.Model, shape: tuple[int, ...]) -> Callable[[Any], Any]:
        look = make(front, shape)

        def count(images: np.ndarray) -> Any:
            seen.append(len(images))
            return look(images)

        return count

    monkeypatch.setattr(room, "_graph", counted)
    return seen


def fit(learner: keras.Model, shown: Any, held: Any, schedule: Schedule) -> dict[str, list[float]]:
    learner.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss={"label": "sparse_categorical_crossentropy", "box": "mean_squared_error"}
        if schedule.box_weight
        else {"label": "sparse_categorical_crossentropy"},
        metrics={"label": ["accuracy"]},
    )
    fitted = learner.fit(shown, steps_per_epoch=13, epochs=4, validation_data=held, shuffle=False, verbose=0)
    curves: dict[str, list[float]] = fitted.history
    return curves


# the network in two parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "channels"),
    [
        *((ENTRIES[name], 1) for name in ON_A_BASE),
        (ENTRIES["resnet18"], 3),
        (replace(TWO_HEAD, pooling="flatten"), 1),
    ],
    ids=[*ON_A_BASE, "resnet18-colour", "two_head-flatten"],
)
def test_front_and_back_are_the_whole_network(tmp_path: Path, options: Any, channels: int) -> None:
    path = tmp_path / "base.weights.h5"
    build(options, channels).get_layer("network").save_weights(path)
    network = build(replace(options, weights=str(path)), channels)
    front, back = split_at_backbone(network)
    images, _ = make_batch(options, channels)
    seen = front(images, training=False)
    assert (len(seen.shape), seen.dtype) == (2, "float32")  # pooled or flattened: what the head learns from, no more
    for name, answer in ask(network, images).items():
        np.testing.assert_allclose(ask(back, seen)[name], answer, atol=1e-6)
    assert not {"base", "resizing"} & {layer.name for layer in back.layers}
    assert not any(isinstance(layer, layers.Dropout) for layer in front.layers)


def test_a_network_that_was_cut_is_saved_as_if_it_never_were(weights: str, tmp_path: Path) -> None:
    for name in ("whole", "cut"):
        network = make_network(weights)
        if name == "cut":
            split_at_backbone(network)
        save_model(network, tmp_path / f"{name}.keras")
    assert (tmp_path / "whole.keras").read_bytes() == (tmp_path / "cut.keras").read_bytes()


@pytest.mark.parametrize("boxes", [pytest.param(False, marks=pytest.mark.soak), True])
def test_the_head_learns_from_features_what_it_learns_from_images(tmp_path: Path, weights: str, boxes: bool) -> None:
    processed = make_arrays(tmp_path / "boxed", COUNT, boxes=boxes)
    trained, validation = open_split(processed / "train"), open_split(processed / "validation")
    schedule = make_schedule(HEAD, box_weight=0.5 if boxes else None)
    plain, cached = make_network(weights, boxes), make_network(weights, boxes)
    before = cached.get_weights()
    curves = fit(plain, training_dataset(trained, schedule, 3), evaluation_dataset(validation), schedule)
    front, back = split_at_backbone(cached)
    shown = feature_training_dataset(
        cached_features(front, processed / "train", tmp_path / "cache"), BackboneInputs(trained), schedule, 3
    )
    held = feature_evaluation_dataset(
        cached_features(front, processed / "validation", tmp_path / "cache"), BackboneInputs(validation)
    )
    again = fit(back, shown, held, schedule)
    for name, values in curves.items():
        np.testing.assert_allclose(again[name], values, atol=1e-5)
    for one, other in zip(plain.get_weights(), cached.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert sum(not np.array_equal(*pair) for pair in zip(before, cached.get_weights(), strict=True)) >= 4
    test = open_split(processed / "test")
    for name, answer in predict_heads(plain, test).items():
        np.testing.assert_allclose(predict_heads(cached, test)[name], answer, atol=1e-5)


# batches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_batch", [0, 5, 17])
def test_features_come_in_the_order_of_their_images_with_their_answers(tmp_path: Path, first_batch: int) -> None:
    split = open_split(make_arrays(tmp_path / "boxed", COUNT, boxes=True) / "train")
    flat = np.asarray(split.images, np.float32).reshape(COUNT, -1)
    schedule = make_schedule(seed=4)
    expected = islice(training_dataset(split, schedule, first_batch).as_numpy_iterator(), 30)
    batches = feature_training_dataset(flat, BackboneInputs(split), schedule, first_batch)
    for (images, targets), (rows, known) in zip(expected, batches.as_numpy_iterator(), strict=False):
        np.testing.assert_array_equal(rows, images.reshape(len(images), -1))
        assert known.keys() == targets.keys()
        assert all(np.array_equal(known[name], targets[name]) for name in targets)


def test_features_of_a_split_come_once_in_order(tmp_path: Path) -> None:
    split = open_split(make_arrays(tmp_path / "boxed", 600, boxes=True) / "train")
    flat = np.asarray(split.images, np.float32).reshape(600, -1)
    shown, expected = feature_evaluation_dataset(flat, BackboneInputs(split)), evaluation_dataset(split)
    assert len(shown) == len(expected) == 10
    for (rows, known), (images, targets) in zip(shown.as_numpy_iterator(), expected.as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(rows, images.reshape(len(images), -1))
        assert all(np.array_equal(known[name], targets[name]) for name in targets)


def test_copies_are_the_images_of_the_first_rounds_and_take_turns(tmp_path: Path) -> None:
    """A round of copies gives what a round of `training_dataset` gives, augmented by the same draws; then again."""
    split = open_split(make_arrays(tmp_path / "boxed", COUNT, boxes=True) / "train")
    schedule = make_schedule(seed=4, augmentation=AUGMENTED)
    shown = BackboneInputs(split, schedule, 2)
    flat = shown.images(0, 2 * COUNT + 5).astype(np.float32).reshape(2 * COUNT, -1)
    a_round = -(-COUNT // schedule.batch_size)
    expected = [*islice(training_dataset(split, schedule, 0).as_numpy_iterator(), 2 * a_round)]
    batches = [*islice(feature_training_dataset(flat, shown, schedule, 0).as_numpy_iterator(), 4 * a_round)]
    for (images, targets), (rows, known) in zip(expected, batches, strict=False):
        np.testing.assert_array_equal(rows, images.reshape(len(images), -1))
        assert all(np.array_equal(known[name], targets[name]) for name in targets)
    every = [{row.tobytes() for rows, _ in batches[n * a_round : (n + 1) * a_round] for row in rows} for n in range(4)]
    assert every[0] == every[2] != every[1] == every[3]
    middle = feature_training_dataset(flat, shown, schedule, a_round + 2).as_numpy_iterator()
    np.testing.assert_array_equal(next(middle)[0], batches[a_round + 2][0])


def test_blocks_of_copies_may_begin_anywhere(tmp_path: Path) -> None:
    split = open_split(make_arrays(tmp_path / "dots", COUNT) / "train")
    shown = BackboneInputs(split, make_schedule(augmentation=AUGMENTED), 3)
    whole = shown.images(0, 3 * COUNT)
    assert len(whole) == len(shown) == 3 * COUNT
    assert not np.array_equal(whole[:COUNT], whole[COUNT : 2 * COUNT])
    blocks = [shown.images(begin, begin + 11) for begin in range(0, 3 * COUNT, 11)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_the_head_learns_from_copies_what_it_learns_from_augmented_images(
    processed: Path, tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many copies as epochs; the validation split is not augmented."""
    monkeypatch.setattr(zoo, "build", lambda *_: make_network(weights))
    schedule = make_schedule(replace(HEAD, epochs=3, augmented_copies=3), augmentation=AUGMENTED)
    found = {}
    for name, cache in (("images", None), ("copies", tmp_path / "cache")):
        train(MOBILENET, schedule, processed, tmp_path / f"{name}.csv", tmp_path / f"{name}.npz", cache)
        found[name] = pd.read_csv(tmp_path / f"{name}.csv").drop(columns="phase").to_numpy()
    np.testing.assert_allclose(found["copies"], found["images"], atol=1e-4)
    assert sorted(len(np.load(path)) for path in (tmp_path / "cache").glob("*.npy")) == [COUNT, 3 * COUNT]


def test_other_moves_and_another_number_of_copies_have_files_of_their_own(
    processed: Path, tmp_path: Path, weights: str
) -> None:
    split, (front, _) = open_split(processed / "train"), split_at_backbone(make_network(weights))
    kinds = [
        None,
        BackboneInputs(split, make_schedule(augmentation=AUGMENTED), 1),
        BackboneInputs(split, make_schedule(augmentation=AUGMENTED), 2),
        BackboneInputs(split, make_schedule(augmentation=AUGMENTED, seed=1), 1),
        BackboneInputs(split, make_schedule(augmentation=replace(AUGMENTED, zoom=0.2)), 1),
    ]
    for _ in range(2):
        files = {Path(cached_features(front, processed / "train", tmp_path / "c", kind).filename) for kind in kinds}
        assert len(files) == len(kinds) == len([*(tmp_path / "c").glob("*.npy")])


# the cache ---------------------------------------------------------------------------------------------------


def test_features_are_what_the_front_sees_and_a_second_time_nobody_looks(
    processed: Path, weights: str, tmp_path: Path, looks: list[int]
) -> None:
    front, _ = split_at_backbone(make_network(weights))
    found = cached_features(front, processed / "train", tmp_path / "cache")
    images = np.asarray(open_split(processed / "train").images)
    np.testing.assert_allclose(found, front.predict(images, verbose=0), atol=1e-6)
    assert (found.dtype, isinstance(found, np.memmap), found.flags.writeable) == (np.float32, True, False)
    assert sum(looks) == COUNT
    again, _ = split_at_backbone(make_network(weights))
    np.testing.assert_array_equal(cached_features(again, processed / "train", tmp_path / "cache"), found)
    assert sum(looks) == COUNT
    assert len([*(tmp_path / "cache").iterdir()]) == 1


@pytest.mark.parametrize("what", ["weight", "statistic", "image", "layer"])
def test_features_of_something_else_are_not_taken(
    processed: Path, weights: str, tmp_path: Path, looks: list[int], what: str
) -> None:
    network = make_network(weights)
    cached_features(split_at_backbone(network)[0], processed / "train", tmp_path / "cache")
    if what == "weight":
        kernel = network.get_layer("base").get_layer("convolution").kernel
        kernel.assign(np.nextafter(kernel.numpy(), np.float32(9)))
    elif what == "statistic":
        network.get_layer("base").get_layer("norm").moving_mean.assign_add(np.full(6, 1e-3, np.float32))
    elif what == "layer":
        network.get_layer("resizing").interpolation = "bicubic"
    else:
        with (processed / "train" / "images.npy").open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x07")
    front, _ = split_at_backbone(network)
    found = cached_features(front, processed / "train", tmp_path / "cache")
    assert sum(looks) == 2 * COUNT
    images = np.asarray(open_split(processed / "train").images)
    np.testing.assert_allclose(found, front.predict(images, verbose=0), atol=1e-6)


@pytest.mark.parametrize("end", ["whole", "cut", "zeros"])
@pytest.mark.parametrize("blocks", [0, 1, 4, 7])
def test_a_killed_run_is_gone_on_with_and_gives_the_same_bytes(
    processed: Path,
    weights: str,
    tmp_path: Path,
    looks: list[int],
    monkeypatch: pytest.MonkeyPatch,
    blocks: int,
    end: str,
) -> None:
    front, _ = split_at_backbone(make_network(weights))
    whole = cached_features(front, processed / "train", tmp_path / "whole")
    looks.clear()

    def stop(file: int) -> None:
        if len(looks) > blocks:
            raise KeyboardInterrupt
        os_fsync(file)

    os_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", stop)
    if blocks < 7:
        with pytest.raises(KeyboardInterrupt):
            cached_features(front, processed / "train", tmp_path / "cache")
    monkeypatch.setattr(os, "fsync", os_fsync)
    (tmp_path / "cache").mkdir(exist_ok=True)
    name = Path(whole.filename).name
    if blocks == 7:  # killed between the last block and the renaming
        (tmp_path / "cache" / f".{name}.part").write_bytes((tmp_path / "whole" / name).read_bytes())
    part = tmp_path / "cache" / f".{name}.part"
    if end != "whole":
        os.truncate(part, part.stat().st_size - 100)
    if end == "zeros":  # as a power cut may leave it
        os.truncate(part, part.stat().st_size + 100)
    looks.clear()
    cached_features(front, processed / "train", tmp_path / "cache")
    assert (tmp_path / "cache" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert [*(tmp_path / "cache").iterdir()] == [tmp_path / "cache" / name]
    assert len(looks) <= {0: 7, 1: 7, 4: 4, 7: 2}[blocks] + (end == "cut")


@pytest.mark.parametrize("leftover", ["truncated", "empty", "text", "folder", "halves", "fewer"])
def test_a_file_that_is_not_whole_is_made_anew(
    processed: Path, weights: str, tmp_path: Path, looks: list[int], leftover: str
) -> None:
    front, _ = split_at_backbone(make_network(weights))
    found = np.array(cached_features(front, processed / "train", tmp_path / "cache"))
    (path,) = (tmp_path / "cache").iterdir()
    content = path.read_bytes()
    match leftover:
        case "truncated":
            path.write_bytes(content[:-1])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no features")
        case "folder":
            path.unlink()
            path.mkdir()
            (path / "inside.txt").touch()
        case "halves":
            np.save(path, found.astype(np.float16))
        case "fewer":
            np.save(path, found[:-1])
    cached_features(front, processed / "train", tmp_path / "cache")
    assert path.read_bytes() == content
    assert sum(looks) == 2 * COUNT


def test_features_are_made_by_one_process_at_a_time(
    processed: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, _ = split_at_backbone(make_network(weights))
    path = Path(cached_features(front, processed / "train", tmp_path / "cache").filename)
    monkeypatch.setattr(files, "LOCK_GRACE_SECONDS", 0.1)
    with (
        exclusive_lock(path.with_name(f".{path.name}.part"), "it is held"),
        pytest.raises(TransientError, match=rf"{path} is being written by another process\. Wait until it ends"),
    ):
        cached_features(front, processed / "train", tmp_path / "cache")
    cached_features(front, processed / "train", tmp_path / "cache")


def test_memory_does_not_grow_with_the_split(weights: str, tmp_path: Path) -> None:
    front, _ = split_at_backbone(make_network(weights))
    peaks = []
    for count in (1_000, 20_000):
        folder = tmp_path / str(count)
        with SplitWriter(folder, (SIDE, SIDE, 1), ["same"] * count) as writer:
            for _ in range(count):
                writer.write(np.zeros((SIDE, SIDE, 1), np.uint8), 0)
        tracemalloc.start()
        cached_features(front, folder, tmp_path / "cache")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000  # its features alone are 480,000


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    for age, name in enumerate(["newest", "middle", "oldest"]):
        path = tmp_path / f"{name}.npy"
        path.write_bytes(b"x" * 100)
        os.utime(path, (2e9 - age, 2e9 - age))
    for name, time in ((".new.npy.part", None), (".old.npy.part", (1e9, 1e9)), (".old.npy.part.lock", (1e9, 1e9))):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, time)
    prune(tmp_path, 250)
    assert {path.name for path in tmp_path.iterdir()} == {"newest.npy", "middle.npy", ".new.npy.part"}
    prune(tmp_path, -1)
    assert {path.name for path in tmp_path.iterdir()} == {".new.npy.part"}


def test_the_cache_keeps_within_its_bound_and_what_is_used_stays(
    processed: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, _ = split_at_backbone(make_network(weights))
    cache = tmp_path / "cache"
    train, validation = (
        Path(cached_features(front, processed / name, cache).filename) for name in ("train", "validation")
    )
    os.utime(train, (1e9, 1e9))
    cached_features(front, processed / "train", cache)  # used again
    os.utime(validation, (1.5e9, 1.5e9))
    monkeypatch.setattr(room, "CACHE_LIMIT_BYTES", 2 * train.stat().st_size)
    cached_features(front, processed / "test", cache)
    assert train.exists()
    assert not validation.exists()
    assert len([*cache.iterdir()]) == 2


# when it pays ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "changes", "train", "answer"),
    [
        ({}, {}, COUNT, True),
        ({"trainable": "all"}, {}, COUNT, False),
        ({}, {"augmentation": AUGMENTED}, COUNT, False),
        ({"epochs": 4, "augmented_copies": 2}, {"augmentation": AUGMENTED}, COUNT, True),
        ({"epochs": 2, "augmented_copies": 3}, {"augmentation": AUGMENTED}, COUNT, False),  # fewer looks than copies
        ({"epochs": 1}, {}, COUNT, False),  # every image is looked at once either way
        ({"epochs": 2}, {"steps_per_epoch": 2}, COUNT, False),  # 64 and twice the validation split
        ({"epochs": 2}, {"steps_per_epoch": 6}, COUNT, True),  # 192 and twice the validation split
        ({"epochs": 10}, {"steps_per_epoch": 2}, COUNT, True),
        ({"epochs": 4}, {"batch_size": 10_000}, COUNT, True),
        ({"epochs": 10}, {}, 10**9, False),  # larger than the cache
    ],
)
def test_features_are_for_phases_that_look_at_images_again(
    weights: str, phase: dict[str, Any], changes: dict[str, Any], train: int, answer: bool
) -> None:
    schedule = make_schedule(**changes)
    assert can_cache(make_network(weights), replace(HEAD, **phase), schedule, train, 50) is answer


def test_a_network_without_a_base_has_no_features() -> None:
    assert not can_cache(build(ENTRIES["mobilenet"]), HEAD, make_schedule(), COUNT, 50)


# a whole training ----------------------------------------------------------------------------------------------


class KillError(Exception):
    """Ends a training as a kill does: nothing is tidied up."""


class Doomed(History):
    """Stops in the middle of the second epoch of the head's phase."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if len(self.rows) == 1 and batch == 1:
            raise KillError


def test_a_training_with_the_cache_is_the_training_without_it(
    processed: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: list[int]
) -> None:
    """Two phases of the head and one of all; the cache's is killed once, and again with the cache full."""
    monkeypatch.setattr(zoo, "build", lambda *_: make_network(weights))
    schedule = make_schedule(
        replace(HEAD, epochs=3), replace(HEAD, name="more"), make_phase(epochs=1, optimizer="sgd", learning_rate=1e-3)
    )
    monkeypatch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", 0)

    def learn(name: str, cache: Path | None) -> keras.Model:
        network = train(MOBILENET, schedule, processed, tmp_path / f"{name}.csv", tmp_path / f"{name}.npz", cache)
        save_model(network, tmp_path / f"{name}.keras")
        return network

    plain = learn("plain", None)
    assert not looks
    cached = learn("cached", tmp_path / "cache")
    assert sum(looks) == 2 * COUNT
    for name, one, other in zip(
        [w.path for w in plain.weights], plain.get_weights(), cached.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4, err_msg=name)
    curves = (
        np.loadtxt(tmp_path / f"{name}.csv", delimiter=",", skiprows=1, usecols=(2, 3, 4, 5, 6))
        for name in ("plain", "cached")
    )
    np.testing.assert_allclose(*curves, atol=1e-4)
    monkeypatch.setattr(phases, "History", Doomed)
    with pytest.raises(KillError):
        learn("again", tmp_path / "cache")
    monkeypatch.setattr(phases, "History", History)
    learn("again", tmp_path / "cache")
    assert sum(looks) == 2 * COUNT
    for suffix in ("csv", "keras"):
        assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"cached.{suffix}").read_bytes()
