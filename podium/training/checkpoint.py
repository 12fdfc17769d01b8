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

from podium.errors import PodiumError
from podium.paths import written_whole
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
    values: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    """By part, every variable in Keras's order: `model` has the weights, batch statistics and the states of what draws
    (dropout), `optimizer` its slots and its count of steps, `metrics` the sums over the epoch's batches so far."""

    def put(self, part: str, variables: list[Any]) -> None:
        """Give variables the values that they had, which are not kept any longer."""
        for variable, value in zip(variables, self.values.pop(part), strict=True):
            variable.assign(value)


class Checkpoint:
    """A training's state in one .npz file, replaced as a whole."""

    def __init__(self, path: Path, key: dict[str, str]) -> None:
        """Know the place, and the `fingerprint` of the training."""
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
        return State(about["batch"], tuple(about["rows"]), values)

    def write(self, batch: int, rows: list[Row], variables: dict[str, list[Any]]) -> None:
        """Replace the state: the batches taken, the history, and the variables by part."""
        parts = {part: len(some) for part, some in variables.items()}
        about = json.dumps({"key": self._key, "batch": batch, "rows": rows, "parts": parts})
        values = {f"{part}{n}": one.numpy() for part, some in variables.items() for n, one in enumerate(some)}
        with written_whole(self.path) as part_file, part_file.open("wb") as file:
            np.savez(file, about=np.array(about), **values)
            file.flush()
            os.fsync(file.fileno())  # not even a power cut can lose it


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes the checkpoint after each epoch, and every five minutes within; stops a training that diverges."""

    def __init__(
        self, checkpoint: Checkpoint, state: State, history: History, network: keras.Model, steps: int, epochs: int
    ) -> None:
        """Begin at a state.

        Args:
            checkpoint: where to write.
            state: where the training stands; within an epoch, its sums are taken up.
            history: to be called before this one.
            network: what is kept, whole, even while only its head is fitted.
            steps: batches an epoch.
            epochs: of all phases together.
        """
        super().__init__()
        self._checkpoint, self._state, self._history, self._network = checkpoint, state, history, network
        self._batch = self._kept = state.batch
        self._steps, self._epochs = steps, epochs
        self._clock = time.monotonic()

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
        """Keep the epoch."""
        self._write()

    def _write(self, **more: list[Any]) -> None:
        variables = {"model": self._network.variables, "optimizer": self.model.optimizer.variables}
        self._checkpoint.write(self._batch, self._history.rows, variables | more)
        self._kept, self._clock = self._batch, time.monotonic()

    def _require_finite(self, name: str, logs: dict[str, float] | None) -> None:
        loss = (logs or {})["loss"]
        if math.isfinite(loss):
            return
        epoch, rest = divmod(self._batch - 1, self._steps)
        where = f"batch {rest + 1} of {self._steps}, epoch {epoch + 1} of {self._epochs} (phase {self._history.phase})"
        kept = f" The state after {place(self._kept, self._steps, self._epochs)} is kept in {self._checkpoint.path}."
        raise PodiumError(
            f"The {name} is {loss} after {where}: the training diverged. Try a lower learning_rate in params.yaml; "
            f"with other params it begins anew.{kept if self._kept else ''}"
        )


def place(batch: int, steps: int, epochs: int) -> str:
    """Say how far a training is: `epoch 7 of 20`, or `batch 300 of 1200 of epoch 8 of 20`."""
    epoch, rest = divmod(batch, steps)
    return f"batch {rest} of {steps} of epoch {epoch + 1} of {epochs}" if rest else f"epoch {epoch} of {epochs}"
