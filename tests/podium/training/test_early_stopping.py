"""What follows from a phase's epochs so far."""

from collections.abc import Sequence
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from podium.training.early_stopping import best_epoch, is_over, plateau_rate, standing
from podium.training.history import Row
from tests.makers import make_phase


def rows_of(losses: Sequence[float], accuracies: Sequence[float] = (), phase: str = "fit") -> list[Row]:
    accuracies = accuracies or [0.5] * len(losses)
    return [[step, phase, 9.0, 0.9, *pair, 0.1] for step, pair in enumerate(zip(losses, accuracies, strict=True), 1)]


@pytest.mark.parametrize(
    ("by", "place"),
    [("validation_loss", 3), ("validation_accuracy", 1), (None, None)],
    ids=["loss", "accuracy", "none"],
)
def test_the_best_epoch_is_the_first_with_the_best_figure(by: str | None, place: int | None) -> None:
    rows = rows_of([3.0, 2.0, 2.5, 1.0, 1.0], [0.1, 0.7, 0.6, 0.7, 0.2])
    assert best_epoch(make_phase(keep_best=by, epochs=9), rows) == place
    assert best_epoch(make_phase(keep_best=by, epochs=9), []) is None


@pytest.mark.parametrize(
    ("losses", "over"),
    [([], False), ([3.0, 2.0, 2.5], False), ([3.0, 2.0, 2.5, 2.0], True), ([5.0, 4.0, 3.0, 2.0, 1.0, 0.5], True)],
    ids=["none", "one worse", "two no better", "all epochs"],
)
def test_a_phase_is_over_when_its_epochs_or_its_patience_are_used_up(losses: list[float], over: bool) -> None:
    assert is_over(make_phase(epochs=6, keep_best="validation_loss", patience=2), rows_of(losses)) is over


def test_without_patience_only_the_epochs_count() -> None:
    assert not is_over(make_phase(epochs=6, keep_best="validation_loss"), rows_of([1.0, 2.0, 3.0, 4.0, 5.0]))


@pytest.mark.parametrize("seed", range(20))
def test_the_rate_falls_on_plateaus_as_keras_lowers_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    losses, every = random.integers(0, 12, 40) / 8, int(random.integers(1, 5))
    phase = make_phase(epochs=50, learning_rate=0.5, decay="plateau", decay_factor=0.25, decay_every=every)
    keras_own = keras.callbacks.ReduceLROnPlateau(factor=0.25, patience=every, min_delta=0)
    keras_own.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=keras.Variable(0.5))))
    keras_own.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        keras_own.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(keras_own.model.optimizer.learning_rate))
    assert [plateau_rate(phase, rows_of(losses[:end])) for end in range(1, 41)] == pytest.approx(rates)
    assert rates[-1] < 0.5


@pytest.mark.parametrize(
    ("rows", "within", "place"),
    [
        ([], False, 0),
        ([], True, 0),
        (rows_of([1.0], phase="warm"), False, 0),
        (rows_of([1.0], phase="warm"), True, 0),
        (rows_of([1.0, 2.0], phase="warm"), False, 0),  # over, but its best weights are still to be taken
        (rows_of([1.0, 2.0], phase="warm"), True, 1),
        (rows_of([1.0, 2.0], phase="warm") + rows_of([1.0], phase="fine"), False, 1),
    ],
)
def test_a_training_stands_in_the_phase_of_its_last_epoch_or_in_the_one_that_has_begun(
    rows: list[Row], within: bool, place: int
) -> None:
    phases = [make_phase(name="warm"), make_phase(name="fine")]
    assert standing(phases, rows, within=within) == place
