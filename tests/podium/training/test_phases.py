import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from podium.config.schedules import Augmentation, Schedule
from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.models import zoo
from podium.models.files import save_model
from podium.models.inference import evaluation_dataset, make_targets, predict, predict_heads
from podium.training.phases import train
from tests.makers import CNN, DENSE, MOBILENET, REPOSITORY, SIDE, make_arrays, make_phase, make_schedule
from tests.podium.models.zoo.entries import RESNET18

pytestmark = pytest.mark.slow


@pytest.fixture
def processed(tmp_path: Path) -> Path:
    return make_arrays(tmp_path / "dots")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def train_afresh(model: Any, schedule: Schedule, processed: Path, history: Path) -> keras.Model:
    keras.utils.clear_session()  # layers are named as in a fresh interpreter
    checkpoint = history.with_suffix(".npz")
    checkpoint.unlink(missing_ok=True)
    return train(model, schedule, processed, history, checkpoint)


@pytest.mark.parametrize(
    ("model", "box_weight"),
    [(DENSE, None), pytest.param(CNN, None, marks=pytest.mark.soak), (CNN, 0.5)],
    ids=["dense", "cnn", "cnn-box"],
)
def test_the_same_training_gives_the_same_bytes_of_model_and_of_history(
    tmp_path: Path, model: Any, box_weight: float | None
) -> None:
    processed = make_arrays(tmp_path / "dots", boxes=box_weight is not None)
    augmented = Augmentation(rotate=5.0, shift=0.1, zoom=0.1)
    contents = []
    for seed, name in ((1, "one"), (1, "two"), (2, "other")):
        schedule = make_schedule(seed=seed, augmentation=augmented, box_weight=box_weight)
        save_model(train_afresh(model, schedule, processed, tmp_path / name), tmp_path / f"{name}.keras")
        contents.append(((tmp_path / name).read_bytes(), (tmp_path / f"{name}.keras").read_bytes()))
    assert contents[0] == contents[1]
    assert contents[0][0] != contents[2][0]
    assert contents[0][1] != contents[2][1]


def test_a_training_learns_with_the_largest_seed_that_a_page_may_have(processed: Path, history: Path) -> None:
    schedule = make_schedule(make_phase(epochs=20, learning_rate=0.02), seed=2**32 - 1)
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
    curves = ["loss", "accuracy", "validation_loss", "validation_accuracy"]
    assert [*table.columns] == ["step", "phase", *curves, "learning_rate"]
    assert table["step"].tolist() == [1, 2, 3, 4, 5]
    assert table["phase"].tolist() == ["warm", "warm", "fine", "fine", "fine"]
    rates = table["learning_rate"].tolist()
    assert rates[:2] == [0.5, 0.5]
    assert rates[2:] == pytest.approx([0.25 * 0.75, 0.25 * 0.25, 0], abs=1e-6)  # half a cosine wave, at its thirds


def test_the_rate_rises_over_the_warmup_and_falls_on_plateaus(processed: Path, history: Path) -> None:
    warm = make_phase(name="warm", epochs=5, learning_rate=0.3, decay="cosine", warmup=3)
    flat = make_phase(name="flat", epochs=4, learning_rate=0.2, decay="plateau", decay_factor=0.5, decay_every=1)
    train_afresh(DENSE, make_schedule(warm, replace(flat, optimizer="sgd")), processed, history)
    table = pd.read_csv(history)
    rates = table["learning_rate"].tolist()
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.15, 0], abs=1e-6)
    losses = table["validation_loss"][5:].tolist()
    expected = [0.2]  # of the epoch itself; what follows from an epoch's loss is for the next one
    for row, loss in enumerate(losses[:-1]):
        expected.append(expected[-1] * (1.0 if loss < min([*losses[:row], np.inf]) else 0.5))
    assert rates[5:] == pytest.approx(expected)


@pytest.mark.parametrize("by", ["validation_loss", "validation_accuracy"])
def test_a_phase_ends_with_its_best_weights_when_its_patience_is_used_up(
    processed: Path, history: Path, by: str
) -> None:
    wild = make_phase(name="wild", epochs=40, learning_rate=0.3, keep_best=by, patience=3)
    model = train_afresh(DENSE, make_schedule(wild), processed, history)
    figures = pd.read_csv(history)[by]
    best = figures.min() if by == "validation_loss" else figures.max()
    assert len(figures) == figures[figures == best].index[0] + 4 < 40
    validation = open_split(processed / "validation")
    probabilities = predict(model, validation)
    accuracy = (probabilities.argmax(axis=1) == validation.labels).mean()
    loss = -np.log(probabilities[np.arange(len(probabilities)), validation.labels]).mean()
    assert {"validation_loss": loss, "validation_accuracy": accuracy}[by] == pytest.approx(best, rel=1e-3)


def test_a_later_phase_begins_with_the_best_weights_of_the_one_before(processed: Path, history: Path) -> None:
    wild = make_phase(name="wild", epochs=6, learning_rate=5.0, keep_best="validation_loss")
    still = make_phase(name="still", epochs=1, learning_rate=1e-12, optimizer="sgd")
    train_afresh(replace(DENSE, dropout=0.0), make_schedule(wild, still), processed, history)
    *before, after = pd.read_csv(history)["validation_loss"].tolist()
    assert after == pytest.approx(min(before), rel=1e-5) != pytest.approx(before[-1], rel=1e-3)


def test_classes_of_equal_size_are_weighed_by_nothing_and_smooth_labels_cost_certainty(
    processed: Path, history: Path
) -> None:
    def curves(**changes: Any) -> tuple[pd.DataFrame, float]:
        schedule = make_schedule(make_phase(epochs=15, learning_rate=0.02), **changes)
        model = train_afresh(replace(DENSE, dropout=0.0), schedule, processed, history)
        figures = pd.read_csv(history).drop(columns="phase")
        return figures, float(predict(model, open_split(processed / "test")).max(axis=1).mean())

    (plain, sure), (weighed, _), (smooth, unsure) = (
        curves(),
        curves(class_weights="balanced"),
        curves(label_smoothing=0.4),
    )
    np.testing.assert_allclose(plain, weighed, rtol=1e-3, atol=1e-4)
    assert smooth["validation_accuracy"].iloc[-1] > 0.9
    assert sure > 0.95 > 0.8 > unsure
    assert smooth["validation_loss"].iloc[-1] > plain["validation_loss"].iloc[-1]


def test_layers_compute_in_bfloat16_and_the_model_that_comes_out_in_float32(processed: Path, history: Path) -> None:
    schedule = make_schedule(make_phase(epochs=15, learning_rate=0.02), precision="bfloat16")
    model = train_afresh(replace(CNN, dropout=0.0), schedule, processed, history)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    table = pd.read_csv(history)
    whole = train_afresh(replace(CNN, dropout=0.0), replace(schedule, precision=None), processed, history)
    exact = pd.read_csv(history)
    assert 0 < np.abs(table["loss"] - exact["loss"]).max() < 0.2
    test = open_split(processed / "test")
    for one in (model, whole):
        assert (predict(one, test).argmax(axis=1) == test.labels).mean() > 0.9


@pytest.mark.parametrize(
    "steps",
    [None, pytest.param(6)],
)
def test_a_later_phase_goes_on_with_other_draws(processed: Path, history: Path, steps: int | None) -> None:
    """An epoch of all images has three steps. SGD keeps nothing between phases, so two are as one."""
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


def test_a_head_phase_leaves_the_base_as_it_is(processed: Path, history: Path, tmp_path: Path) -> None:
    path = tmp_path / "base.weights.h5"
    saved = zoo.build(MOBILENET, (SIDE, SIDE, 1), {"label": 3}).get_layer("network")
    saved.save_weights(path)
    schedule = make_schedule(make_phase(trainable="head", epochs=1), steps_per_epoch=1)
    network = train_afresh(replace(MOBILENET, weights=str(path)), schedule, processed, history)
    base = network.get_layer("base").get_weights()
    assert all(np.array_equal(before, after) for before, after in zip(saved.get_weights(), base, strict=True))
    keras.utils.set_random_seed(schedule.seed)
    fresh = zoo.build(replace(MOBILENET, weights=str(path)), (SIDE, SIDE, 1), {"label": 3})
    biases = [model.get_layer("label").bias.numpy() for model in (fresh, network)]
    assert not np.array_equal(*biases)


def test_a_top_phase_moves_the_upper_end_of_the_base(processed: Path, history: Path, tmp_path: Path) -> None:
    path = tmp_path / "base.weights.h5"
    saved = zoo.build(RESNET18, (SIDE, SIDE, 1), {"label": 3}).get_layer("network")
    saved.save_weights(path)
    schedule = make_schedule(make_phase(trainable="top", unfreeze="layer4_1_conv2", epochs=1), steps_per_epoch=1)
    base = train_afresh(replace(RESNET18, weights=str(path)), schedule, processed, history).get_layer("base")
    both = zip(base.weights, saved.weights, strict=True)
    assert [after.path for after, before in both if not np.array_equal(after, before)] == ["layer4_1_conv2/kernel"]


def test_batch_statistics_of_random_weights_are_learnt(processed: Path, history: Path) -> None:
    network = train_afresh(RESNET18, make_schedule(make_phase(epochs=1), steps_per_epoch=1), processed, history)
    norms = [one for one in network.get_layer("network").layers if isinstance(one, keras.layers.BatchNormalization)]
    moved = norms[0].moving_variance.numpy()
    assert (moved != 1).all()


def test_a_training_that_diverges_is_stopped_with_advice(processed: Path, history: Path) -> None:
    phase = make_phase(name="wild", learning_rate=1e30, optimizer="sgd", epochs=5)
    with pytest.raises(PodiumError, match=r"phase wild\): the training diverged. Try a lower learning_rate"):
        train_afresh(CNN, make_schedule(phase), processed, history)


def test_momentum_reaches_the_optimizer(processed: Path, history: Path) -> None:
    def train_by(**options: float) -> float:
        phase = make_phase(epochs=3, learning_rate=0.01, optimizer="sgd", **options)
        train_afresh(DENSE, make_schedule(phase), processed, history)
        return float(pd.read_csv(history)["loss"].iloc[-1])

    plain, again, faster = train_by(), train_by(), train_by(momentum=0.9)
    assert plain == again != faster
    assert faster < plain


def test_the_learning_rate_falls_by_steps(processed: Path, history: Path) -> None:
    """Each row has the rate after the epoch's last batch: with which the next begins."""
    phase = make_phase(epochs=7, learning_rate=0.5, optimizer="sgd", decay="step", decay_factor=0.1, decay_every=3)
    train_afresh(DENSE, make_schedule(phase, make_phase(name="fine", learning_rate=0.25)), processed, history)
    rates = pd.read_csv(history)["learning_rate"].tolist()
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005, 0.25, 0.25])


def test_boxes_are_learnt_beside_labels_and_the_loss_is_weighed(tmp_path: Path, history: Path) -> None:
    processed = make_arrays(tmp_path / "boxed", boxes=True)
    moved = Augmentation(rotate=0.0, shift=0.05, zoom=0.05)
    schedule = make_schedule(make_phase(epochs=40, learning_rate=0.02), augmentation=moved, box_weight=0.25)
    network = train_afresh(replace(DENSE, dropout=0.0), schedule, processed, history)
    test = open_split(processed / "test")
    heads = predict_heads(network, test)
    assert (heads["label"].argmax(axis=1) == test.labels).mean() > 0.9
    assert np.abs(heads["box"] - test.boxes).mean() < 0.5  # of four pixels
    table = pd.read_csv(history)
    assert table["box_loss"].iloc[-1] < table["box_loss"].iloc[0] / 2
    labels, shares = make_targets(test.labels, test.boxes, test).values()
    cross_entropy = -np.log(heads["label"][np.arange(len(labels)), labels]).mean()
    squares = ((network.predict(np.asarray(test.images), verbose=0)["box"] - shares) ** 2).mean()
    figures = network.evaluate(evaluation_dataset(test), return_dict=True, verbose=0)
    assert figures["loss"] == pytest.approx(0.75 * cross_entropy + 0.25 * squares, rel=1e-4)
    assert figures["box_loss"] == pytest.approx(squares, rel=1e-4)


@pytest.mark.parametrize(
    ("boxes", "box_weight", "words"),
    [
        (True, None, r"target is label_and_box, but .* Set the schedule's box_weight in params\.yaml"),
        (False, 0.2, r"box_weight: 0\.2, but the dataset's target is the label alone.* to null"),
    ],
)
def test_a_box_without_a_weight_or_a_weight_without_a_box_is_refused(
    tmp_path: Path, history: Path, boxes: bool, box_weight: float | None, words: str
) -> None:
    processed = make_arrays(tmp_path / "dots", boxes=boxes)
    with pytest.raises(PodiumError, match=words):
        train_afresh(DENSE, make_schedule(box_weight=box_weight), processed, history)
    assert not history.exists()


TWO_DEVICES = """
import sys
from pathlib import Path

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from podium.models.runtime import prepare

prepare()
from podium.training import phases
from tests.makers import CNN, make_phase, make_schedule

phases._devices = lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
place = Path(sys.argv[1])
first = make_phase(epochs=6, learning_rate=0.02, keep_best="validation_loss")
schedule = make_schedule(first, make_phase(name="fine", epochs=1), label_smoothing=0.1)
phases.train(CNN, schedule, place / "dots", place / "history.csv", place / "checkpoint.npz")
"""


@pytest.mark.soak
def test_two_devices_learn_from_one_batch(processed: Path, history: Path) -> None:
    """Two halves of the processor stand for two GPUs."""
    command = [sys.executable, "-c", TWO_DEVICES, str(history.parent)]
    for rows in (7, 7):  # the second time from the checkpoint
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
        assert done.returncode == 0, done.stderr
        table = pd.read_csv(history)
        assert len(table) == rows
        assert table["accuracy"].iloc[-1] > 0.9
