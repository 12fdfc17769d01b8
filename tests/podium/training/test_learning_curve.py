import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from podium.config.schedules import Augmentation, Schedule
from podium.models.files import save_model
from podium.paths import CandidatePaths, DatasetPaths
from podium.training import learning_curve as room
from podium.training.heads import HeadTrainer
from podium.training.learning_curve import (
    SEEDS,
    SHARES,
    measure_head_curve,
    measure_learning_curve,
    nested_parts,
    why_not,
)
from podium.training.phases import train
from tests.makers import DENSE, make_arrays, make_phase, make_schedule
from tests.podium.training.test_feature_cache import make_base, make_network

pytestmark = pytest.mark.slow

COUNT = 120
ALONE = np.arange(COUNT)
HEAD = make_phase(name="head", trainable="head", epochs=12, learning_rate=0.05)
SCHEDULE = make_schedule(HEAD)
COPIES = make_schedule(replace(HEAD, augmented_copies=2), augmentation=Augmentation(rotate=5.0, shift=0.0, zoom=0.0))


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    return make_arrays(tmp_path / "dots", COUNT)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    keras.utils.set_random_seed(7)
    make_base("network", None).save_weights(tmp_path / "base.weights.h5")
    return str(tmp_path / "base.weights.h5")


# the parts -----------------------------------------------------------------------------------------------------


def test_each_part_has_the_one_before_in_it_and_every_class_in_its_share() -> None:
    labels = np.repeat([0, 1, 2], [1000, 100, 10])
    parts = nested_parts(labels, np.arange(len(labels)), SHARES, 0)
    assert [np.bincount(labels[part]).tolist() for part in parts] == [
        [100, 10, 1],
        [200, 20, 2],
        [500, 50, 5],
        [1000, 100, 10],
    ]
    for small, large in itertools.pairwise(parts):
        assert set(small.tolist()) < set(large.tolist())
        assert (np.diff(large) > 0).all()


def test_near_duplicates_come_together() -> None:
    groups = np.arange(1000) // 20
    for part in nested_parts(groups % 5, groups, SHARES, 0):
        assert (np.bincount(groups[part], minlength=50) % 20 == 0).all()


def test_another_seed_draws_other_parts_and_the_same_one_the_same() -> None:
    one, same, other = (nested_parts(np.arange(1000) % 3, np.arange(1000), [0.1], seed)[0] for seed in (0, 0, 1))
    assert one.tolist() == same.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("labels", "groups"),
    [([0, 1], [0, 1]), ([0, 1, 0, 1], [0, 0, 1, 1]), ([0, 0, 2], [5, 5, 5]), (np.arange(10_000), np.arange(10_000))],
)
def test_every_part_has_every_class(labels: Any, groups: Any) -> None:
    for part in nested_parts(np.array(labels), np.array(groups), SHARES, 0):
        assert set(np.array(labels)[part].tolist()) == set(np.array(labels).tolist())


# a head --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "changes", "box_weight"),
    [("sgd", {}, None), ("adam", {"label_smoothing": 0.2}, 0.3), ("sgd", {"class_weights": "balanced"}, None)],
)
def test_a_step_is_that_of_keras(
    weights: str, box_weight: float | None, changes: dict[str, Any], optimizer: Any
) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(16, 6)).astype(np.float32)
    targets = {"label": np.arange(16) % 3, "box": random.uniform(size=(16, 4)).astype(np.float32)}
    schedule = make_schedule(
        replace(HEAD, epochs=2, optimizer=optimizer), batch_size=16, box_weight=box_weight, **changes
    )
    back = make_back(box_weight is not None)
    if box_weight is None:
        del targets["box"]
    trainer = HeadTrainer(back, features, targets, 16, schedule, 100)
    trainer.train(np.arange(16), seed=5)

    keras.utils.set_random_seed(5)
    other = keras.models.clone_model(back)
    smooth = (schedule.label_smoothing or 0) / 3
    rows = np.eye(3) * (1 - 3 * smooth) + smooth
    weight = 1 / np.bincount(targets["label"]) * 16 / 3 if schedule.class_weights else np.ones(3)
    answers = targets | {"label": (rows * weight[:, None])[targets["label"]].astype(np.float32)}
    losses = {"label": "categorical_crossentropy", "box": "mean_squared_error"}
    other.compile(
        optimizer=keras.optimizers.SGD(0.05) if optimizer == "sgd" else keras.optimizers.Adam(0.05),
        loss={name: losses[name] for name in targets},
        loss_weights=None if box_weight is None else {"label": 1 - box_weight, "box": box_weight},
    )
    other.fit(features, answers, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(trainer._back.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def make_back(boxes: bool = False, dropout: float = 0.0) -> keras.Model:
    seen = keras.Input((6,))
    x = keras.layers.Dropout(dropout)(seen)
    label = keras.layers.Dense(3, activation="softmax", name="label")(x)
    box = {"box": keras.layers.Dense(4, activation="sigmoid", name="box")(seen)} if boxes else {}
    return keras.Model(seen, {"label": label} | box)


def test_every_training_begins_anew_and_with_its_seed() -> None:
    random = np.random.default_rng(0)
    features, labels = random.normal(size=(40, 6)).astype(np.float32), np.arange(40) % 3
    schedule = make_schedule(replace(HEAD, epochs=3, decay="cosine"), replace(HEAD, name="more", epochs=2))
    trainer = HeadTrainer(make_back(dropout=0.5), features, {"label": labels}, 40, schedule, 100)
    seen = []
    for seed in (0, 1, 0):
        trainer.train(np.arange(40), seed)
        seen.append(np.concatenate([one.ravel() for one in trainer._back.get_weights()]))
    np.testing.assert_array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[1])


def test_few_images_get_as_many_steps_as_many_and_long_trainings_are_cut() -> None:
    features, labels = np.zeros((40, 6), np.float32), np.arange(40) % 3
    for most, steps in ((1000, 36), (13, 12), (1, 12)):
        trainer = HeadTrainer(make_back(), features, {"label": labels}, 40, SCHEDULE, most)
        for rows in (np.arange(3), np.arange(40)):
            trainer.train(rows, 0)
            assert trainer._optimizers[0].iterations.numpy() == steps


def test_copies_take_turns_and_only_the_part_is_shown() -> None:
    trainer = HeadTrainer(make_back(), np.zeros((80, 6), np.float32), {"label": np.arange(80) % 3}, 40, SCHEDULE, 1000)
    rows = np.array([1, 5, 7, 30])
    batches = trainer._batches(rows, 0)
    first = next(batches)
    assert len(first) == SCHEDULE.batch_size
    assert [sorted(first[begin : begin + 4].tolist()) for begin in (0, 4, 8)] == [
        rows.tolist(),
        (rows + 40).tolist(),
        rows.tolist(),
    ]


# a curve -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [pytest.param(SCHEDULE, marks=pytest.mark.soak), COPIES], ids=["plain", "copies"])
def test_a_head_learns_from_parts_and_a_cache_changes_nothing(
    processed: Path, weights: str, tmp_path: Path, schedule: Schedule
) -> None:
    network = make_network(weights)
    before = [weight.copy() for weight in network.get_weights()]
    curves = [measure_head_curve(network, schedule, processed, ALONE, tmp_path / "cache") for _ in range(2)]
    assert curves[0].reason == ""
    assert curves[0].images.tolist() == [12, 24, 60, 120] * SEEDS
    assert curves[0].seeds.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert curves[0].hits.shape == (12, COUNT)
    np.testing.assert_array_equal(curves[0].hits, curves[1].hits)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    accuracy = curves[0].hits.mean(axis=1).reshape(SEEDS, 4).mean(axis=0)
    assert accuracy[-1] > max(0.5, accuracy[0] - 0.02)


@pytest.mark.parametrize(
    ("phases", "changes", "words"),
    [
        ([make_phase()], {}, "More than a head"),
        ([HEAD, make_phase(name="fine")], {}, "More than a head"),
        ([replace(HEAD, epochs=1)], {}, "does not learn from cached features"),
        ([HEAD], {"augmentation": COPIES.augmentation}, "does not learn from cached features"),
        (
            [replace(HEAD, augmented_copies=2), replace(HEAD, name="more", augmented_copies=3)],
            {"augmentation": COPIES.augmentation},
            "different augmented_copies",
        ),
        ([HEAD], {"batch_size": 10**12}, "would take minutes"),
    ],
)
def test_what_takes_long_is_not_done_unasked(weights: str, phases: Any, changes: Any, words: str) -> None:
    reason = why_not(make_network(weights), make_schedule(*phases, **changes), COUNT, COUNT)
    assert words in reason
    assert reason.endswith(
        "Name the candidate in the dataset's evaluation.learning_curve to have it trained on parts of the images."
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_another_model_is_trained_on_parts_only_where_params_ask(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SHARES", (0.5, 1.0))
    paths, processed = CandidatePaths("dense", "dots"), DatasetPaths("dots").processed
    make_arrays(processed, COUNT)
    schedule = make_schedule(make_phase(epochs=1), repeats=2)
    for seed, file in ((0, paths.model), (1, paths.repeats / "1" / "model.keras")):
        file.parent.mkdir(parents=True, exist_ok=True)
        one = replace(schedule, seed=seed, repeats=None)
        network = train(DENSE, one, processed, project / "history.csv", project / "checkpoint.npz")
        save_model(network, file)
    curve = measure_learning_curve(network, paths, DENSE, schedule, ALONE)
    assert len(curve.images) == 0
    assert curve.reason.startswith("More than a head on a frozen backbone is trained.")
    curve = measure_learning_curve(network, paths, DENSE, schedule, ALONE, asked=True)
    assert curve.images.tolist() == [60, 120] * 2
    assert curve.seeds.tolist() == [0, 0, 1, 1]
    assert not paths.model.with_name("learning_curve").exists()
    assert sorted(path.name for path in paths.model.parent.iterdir()) == ["model.keras", "repeats"]
