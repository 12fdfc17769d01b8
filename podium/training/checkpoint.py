"""The state of a training, on disk: after a kill, the same training goes on from it and ends in the same bytes."""

import json
import logging
import math
import os
import struct
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from podium.config.schedules import Phase, Schedule
from podium.errors import PodiumError
from podium.files import atomic_write
from podium.training.early_stopping import best_epoch, is_over, plateau_rate, standing
from podium.training.history import History, Row

logger = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds after which a long epoch is kept in its middle, too."""

_UNREADABLE = (OSError, ValueError, TypeError, LookupError, EOFError, RuntimeError, struct.error, zipfile.BadZipFile)


@dataclass(frozen=True)
class State:
    """What a training is, between two batches."""

    batch: int = 0
    """How many were taken, over all phases."""
    rows: tuple[Row, ...] = ()
    """The history so far."""
    seconds: float = 0.0
    """How long it took so far."""
    values: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    """By part, every variable in Keras's order: `model` has the weights, batch statistics and the states of what draws
    (dropout), `optimizer` its slots and its count of steps, `metrics` the sums over the epoch's batches so far, `best`
    the weights of the phase's best epoch."""

    def put(self, part: str, variables: list[Any]) -> None:
        """Give variables the values that they had, which are not kept any longer."""
        for variable, value in zip(variables, self.values.pop(part), strict=True):
            variable.assign(value)


class Checkpoint:
    """A training's state in one .npz file, replaced as a whole."""

    def __init__(self, path: Path, key: dict[str, str]) -> None:
        """Know the place, and the `training_key` of the training."""
        self.path = path
        self._key = key

    def read(self) -> State:
        """Give the state that a killed training left; the beginning if there is none, or none of this training."""
        try:
            with zipfile.ZipFile(self.path) as whole:
                if whole.testzip() is not None:
                    raise ValueError("a checksum does not hold")
            with np.load(self.path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                values = {part: [file[f"{part}{n}"] for n in range(count)] for part, count in about["parts"].items()}
        except FileNotFoundError:
            return State()
        except _UNREADABLE as error:
            logger.info("%s cannot be read (%s): the training begins anew", self.path, error)
            return State()
        if changed := [name for name, value in self._key.items() if about["key"].get(name) != value]:
            logger.info("the training begins anew: %s changed since %s was written", " and ".join(changed), self.path)
            return State()
        return State(about["batch"], tuple(about["rows"]), about["seconds"], values)

    def write(self, state: State) -> None:
        """Replace the state."""
        parts = {part: len(some) for part, some in state.values.items()}
        known = {"key": self._key, "batch": state.batch, "rows": state.rows, "seconds": state.seconds, "parts": parts}
        about = json.dumps(known)
        values: dict[str, Any] = {
            f"{part}{n}": one for part, some in state.values.items() for n, one in enumerate(some)
        }
        with atomic_write(self.path) as part_file, part_file.open("wb") as file:
            np.savez(file, about=np.array(about), **values)
            file.flush()
            os.fsync(file.fileno())  # not even a power cut can lose it


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes the checkpoint after each epoch, and every five minutes within; takes the phase on or ends it.

    It stops a training that diverges, and one whose time is up.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        state: State,
        history: History,
        network: keras.Model,
        steps: int,
        schedule: Schedule,
    ) -> None:
        """Begin at a state.

        Args:
            checkpoint: where to write.
            state: where the training stands; within an epoch, its sums are taken up.
            history: to be called before this one.
            network: what is kept, whole, even while only its head is fitted.
            steps: batches an epoch.
            schedule: what is trained by.
        """
        super().__init__()
        self._checkpoint, self._state, self._history, self._network = checkpoint, state, history, network
        self._batch = self._kept = state.batch
        self._steps, self._schedule = steps, schedule
        self._standing = standing(schedule.phases, state.rows, within=bool(state.batch % steps))
        self._best: list[NDArray[Any]] | None = state.values.pop("best", None)
        self._phase = schedule.phases[0]
        self._began = self._clock = time.monotonic()

    def enter(self, phase: Phase) -> bool:
        """Begin a phase, or go on with it; say whether it was not over long ago."""
        self._phase = phase
        self._history.phase = phase.name
        return self._schedule.phases.index(phase) >= self._standing

    def restore(self, model: keras.Model) -> bool:
        """Give a compiled model the optimizer's state, where a kill came within the phase.

        Returns:
            Whether the kill came within an epoch. Then let the model see something: that makes the metrics, whose sums
            are to come back.
        """
        if "optimizer" in self._state.values and self._phase is self._schedule.phases[self._standing]:
            model.optimizer.build(model.trainable_variables)
            self._state.put("optimizer", model.optimizer.variables)
        return self._batch == self._state.batch and bool(self._batch % self._steps)

    def leave(self) -> None:
        """End a phase, with the weights of its best epoch if it asks for them."""
        if self._best is not None:
            self._network.set_weights(self._best)
            self._best = None

    @property
    def batch(self) -> int:
        """How many batches were taken, over all phases."""
        return self._batch

    @property
    def ahead(self) -> tuple[int, int]:
        """How many batches the next epochs have, and how many such epochs there are: what a kill cut comes first."""
        if cut := self._batch % self._steps:
            return self._steps - cut, 1
        return self._steps, self._phase.epochs - len(self._history.of(self._phase.name))

    @property
    def is_over(self) -> bool:
        """Whether the phase ends here."""
        return is_over(self._phase, self._history.of(self._phase.name)) or self._is_late

    @property
    def _is_late(self) -> bool:
        """Whether the schedule's time is up. One epoch is always made."""
        minutes = self._schedule.minutes
        return minutes is not None and bool(self._history.rows) and self._seconds() >= 60 * minutes

    def _seconds(self) -> float:
        return self._state.seconds + time.monotonic() - self._began

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Take up the sums of an epoch that a kill cut; Keras has just set them to zero."""
        if self._batch == self._state.batch and self._batch % self._steps:
            self._state.put("metrics", self.model.metrics_variables)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the loss, and at the clock."""
        self._batch += 1
        self._require_finite("loss", logs)
        if self._batch % self._steps and time.monotonic() - self._clock >= EVERY:
            self._write(metrics=self.model.metrics_variables)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Look at the validation loss: the last batch may have thrown the weights off."""
        self._require_finite("validation loss", logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Learn from the epoch's row, and keep the epoch."""
        rows = self._history.of(self._phase.name)
        if best_epoch(self._phase, rows) == len(rows) - 1:
            self._best = self._network.get_weights()
        if self._phase.decay == "plateau":
            self.model.optimizer.learning_rate = plateau_rate(self._phase, rows)
        self._write()
        if self._is_late:
            logger.info("the time is up after epoch %d of %d", len(self._history.rows), self._schedule.epochs)
        self.model.stop_training = self.is_over

    def _write(self, **more: list[Any]) -> None:
        variables = {"model": self._network.variables, "optimizer": self.model.optimizer.variables, **more}
        values = {part: [one.numpy() for one in some] for part, some in variables.items()}
        if self._best is not None:
            values["best"] = self._best
        self._checkpoint.write(State(self._batch, tuple(self._history.rows), self._seconds(), values))
        self._kept, self._clock = self._batch, time.monotonic()

    def _require_finite(self, name: str, logs: dict[str, float] | None) -> None:
        loss = (logs or {})["loss"]
        if math.isfinite(loss):
            return
        epoch, rest = divmod(self._batch - 1, self._steps)
        epochs = self._schedule.epochs
        where = f"batch {rest + 1} of {self._steps}, epoch {epoch + 1} of {epochs} (phase {self._phase.name})"
        kept = f" The state after {place(self._kept, self._steps, epochs)} is kept in {self._checkpoint.path}."
        raise PodiumError(
            f"The {name} is {loss} after {where}: the training diverged. Try a lower learning_rate in params.yaml; "
            f"with other params it begins anew.{kept if self._kept else ''}"
        )


def place(batch: int, steps: int, epochs: int) -> str:
    """Say how far a training is: `epoch 7 of 20`, or `batch 300 of 1200 of epoch 8 of 20`."""
    epoch, rest = divmod(batch, steps)
    return f"batch {rest} of {steps} of epoch {epoch + 1} of {epochs}" if rest else f"epoch {epoch} of {epochs}"
