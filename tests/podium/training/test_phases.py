from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from podium import zoo
from podium.arrays import open_split
from podium.config.tables import Augmentation, Schedule
from podium.errors import PodiumError
from podium.models import predict, save_model
from podium.training.history import COLUMNS
from podium.training.phases import train
from tests.makers import CNN, DENSE, MOBILENET, SIDE, make_arrays, make_phase, make_schedule

pytestmark = pytest.mark.slow


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    return make_arrays(tmp_path / "dots")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def train_afresh(model: Any, schedule: Schedule, processed: Path, history: Path) -> keras.Model:
    keras.utils.clear_session()  # layers are named as in a fresh interpreter
    return train(model, schedule, processed, history)


@pytest.mark.parametrize("model", [DENSE, CNN], ids=["dense", "cnn"])
def test_the_same_training_gives_the_same_bytes_of_model_and_of_history(
    tmp_path: Path, processed: Path, model: Any
) -> None:
    moved = Augmentation(rotate=5.0, shift=0.1, zoom=0.1)
    contents = []
    for seed, name in ((1, "one"), (1, "two"), (2, "other")):
        schedule = make_schedule(seed=seed, augmentation=moved)
        save_model(train_afresh(model, schedule, processed, tmp_path / name), tmp_path / f"{name}.keras")
        contents.append(((tmp_path / name).read_bytes(), (tmp_path / f"{name}.keras").read_bytes()))
    assert contents[0] == contents[1]
    assert contents[0][0] != contents[2][0]
    assert contents[0][1] != contents[2][1]


def test_a_training_learns(processed: Path, history: Path) -> None:
    schedule = make_schedule(make_phase(epochs=20, learning_rate=0.02))
    network = train_afresh(replace(DENSE, dropout=0.0), schedule, processed, history)
    test = open_split(processed / "test")
    assert (predict(network, test).argmax(axis=1) == test.labels).mean() > 0.9
    table = pd.read_csv(history)
    assert table["validation_accuracy"].iloc[-1] > 0.9
    assert table["loss"].iloc[-1] < table["loss"].iloc[0] / 2


def test_phases_are_marked_in_the_history_and_steps_count_on(processed: Path, history: Path) -> None:
    head = make_phase(name="warm", epochs=2, learning_rate=0.5, optimizer="sgd")
    rest = make_phase(name="fine", epochs=3, learning_rate=0.25, decay="cosine", optimizer="adamw")
    train_afresh(DENSE, make_schedule(head, rest), processed, history)
    table = pd.read_csv(history)
    assert [*table.columns] == COLUMNS
    assert table["step"].tolist() == [1, 2, 3, 4, 5]
    assert table["phase"].tolist() == ["warm", "warm", "fine", "fine", "fine"]
    rates = table["learning_rate"].tolist()
    assert rates[:2] == [0.5, 0.5]
    assert rates[2:] == pytest.approx([0.25 * 0.75, 0.25 * 0.25, 0], abs=1e-6)  # half a cosine wave, at its thirds


@pytest.mark.parametrize(
    "steps",
    [None, pytest.param(6)],
)
def test_a_later_phase_goes_on_with_other_draws(processed: Path, history: Path, steps: int | None) -> None:
    """An epoch of all pictures has three steps. SGD keeps nothing between phases, so two are as one."""
    one, two = (
        train_afresh(
            replace(DENSE, dropout=0.0),
            make_schedule(
                *(make_phase(name=name, epochs=epochs, optimizer="sgd") for name in names),
                augmentation=Augmentation(rotate=5.0, shift=0.1, zoom=0.1),
                steps_per_epoch=steps,
            ),
            *(processed, history),
        ).get_weights()
        for names, epochs in ((["fit"], 2), (["warm", "fine"], 1))
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(("asked", "made"), [(2, 2), (7, 7), (None, 3)])
def test_an_epoch_has_the_steps_that_the_schedule_asks_for(
    processed: Path, history: Path, asked: int | None, made: int
) -> None:
    schedule = make_schedule(make_phase(epochs=3), steps_per_epoch=asked)
    assert train_afresh(DENSE, schedule, processed, history).optimizer.iterations.numpy() == 3 * made


def test_a_head_cannot_be_trained_alone_where_there_is_no_base(processed: Path, history: Path) -> None:
    schedule = make_schedule(make_phase(name="warm", trainable="head"))
    with pytest.raises(PodiumError, match=r"trains the head alone, but the model 'dense' has no pretr"):
        train_afresh(DENSE, schedule, processed, history)


def test_a_head_phase_leaves_the_base_as_it_is(processed: Path, history: Path) -> None:
    schedule = make_schedule(make_phase(trainable="head", epochs=1), steps_per_epoch=1)
    network = train_afresh(MOBILENET, schedule, processed, history)
    keras.utils.set_random_seed(schedule.seed)
    fresh = zoo.build(MOBILENET, (SIDE, SIDE, 1), {"label": 3})
    weights = [model.get_layer("base").get_weights() for model in (fresh, network)]
    kept = [np.array_equal(before, after) for before, after in zip(*weights, strict=True)]
    assert all(kept)
    biases = [model.get_layer("label").bias.numpy() for model in (fresh, network)]
    assert not np.array_equal(*biases)


def test_a_training_that_diverges_is_stopped_with_advice(processed: Path, history: Path) -> None:
    phase = make_phase(name="wild", learning_rate=1e30, optimizer="sgd", epochs=5)
    with pytest.raises(PodiumError, match=r"phase wild\): the training diverged. Try a lower learning_rate"):
        train_afresh(CNN, make_schedule(phase), processed, history)


def test_a_seed_that_the_page_takes_is_a_seed(processed: Path, history: Path) -> None:
    train_afresh(DENSE, make_schedule(seed=2**32 - 1), processed, history)
