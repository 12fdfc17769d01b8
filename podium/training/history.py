"""One row per epoch, written as it happens: what the flow follows and `dvc plots` draws."""

import csv
import logging
import math
import sys
import time
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from podium.errors import PodiumError

logger = logging.getLogger(__name__)

_LABEL = {
    "loss": "loss",
    "accuracy": "accuracy",
    "validation_loss": "val_loss",
    "validation_accuracy": "val_accuracy",
}
_LABEL_AND_BOX = {
    "loss": "loss",
    "accuracy": "label_accuracy",
    "validation_loss": "val_loss",
    "validation_accuracy": "val_label_accuracy",
    "box_loss": "box_loss",
    "validation_box_loss": "val_box_loss",
}
"""The file's columns, and Keras's names for them. With boxes, `loss` is the weighted sum that the training lowers, and
`box_loss` the boxes' mean squared error alone, without its weight."""


class History(keras.callbacks.Callback):
    """Appends each epoch to a CSV file and shows how far the training is.

    The columns: `step`, which counts epochs over all phases from 1, `phase`, the figures, and `learning_rate` as it
    is after the epoch's last batch. No time stands in the file: the same training writes the same bytes.
    """

    def __init__(self, path: Path, epochs: int, *, boxes: bool = False) -> None:
        """Begin the file.

        Args:
            path: the CSV file; what stood there is replaced.
            epochs: of all phases together.
            boxes: whether the model learns boxes too.
        """
        super().__init__()
        self.phase = ""
        self._path = path
        self._epochs = epochs
        self._names = _LABEL_AND_BOX if boxes else _LABEL
        self._step = 0
        self._began = time.monotonic()
        self._bar: tqdm[Any] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(["step", "phase", *self._names, "learning_rate"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start a progress bar, where there is a terminal."""
        title = f"epoch {self._step + 1}/{self._epochs}"
        self._bar = tqdm(
            total=self.params["steps"], desc=title, leave=False, unit="batch", disable=not sys.stderr.isatty()
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch's row; stop where the loss is no number any more."""
        if self._bar is not None:
            self._bar.close()
        logs = logs or {}
        self._step += 1
        if not math.isfinite(logs["loss"]):
            raise PodiumError(
                f"The loss is {logs['loss']} after epoch {self._step} (phase {self.phase}): the training diverged. "
                "Try a lower learning_rate in params.yaml."
            )
        row = [float(logs[name]) for name in self._names.values()]
        rate = float(self.model.optimizer.learning_rate)
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow([self._step, self.phase, *row, rate])
        spent = time.monotonic() - self._began
        logger.info(
            "epoch %d/%d (%s): loss %.4f, accuracy %.4f, validation loss %.4f, validation accuracy %.4f, %.0f s left",
            *(self._step, self._epochs, self.phase, *row[:4]),
            spent / self._step * (self._epochs - self._step),
        )
