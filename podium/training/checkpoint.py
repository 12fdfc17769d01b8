"""The state of a training, on disk: after a kill, the same training goes on from it and ends in the same bytes.

Own code: with Keras's BackupAndRestore, early stopping and plateaus begin anew after a kill.
"""

import json
import logging
import os
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.files import atomic_write
from podium.training.history import Row

logger = logging.getLogger(__name__)

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


def read_seconds(path: Path) -> float:
    """Give how long the training took that a checkpoint is of, in seconds, with the time before a kill."""
    with np.load(path, allow_pickle=False) as file:
        return float(json.loads(str(file["about"]))["seconds"])
