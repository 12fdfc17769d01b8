"""One row per epoch, written as it happens: what the flow follows and `dvc plots` draws."""

import csv
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from podium.files import atomic_write
from podium.progress import LOG_INTERVAL_SECONDS, PROGRESS

logger = logging.getLogger(__name__)

Row = list[int | str | float]
"""An epoch's metrics, in the order of the columns."""

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


_FIRST = ("step", "phase")


def column(name: str) -> int:
    """Say where in a row a figure of the label stands."""
    return len(_FIRST) + [*_LABEL].index(name)


class History(keras.callbacks.Callback):
    """Adds each epoch to a CSV file and shows how far the training is.

    The columns: `step`, which counts epochs over all phases from 1, `phase`, the metrics, and `learning_rate` as it
    is after the epoch's last batch. No time stands in the file: the same training writes the same bytes.
    """

    def __init__(self, path: Path, epochs: int, *, boxes: bool = False, rows: Sequence[Row] = ()) -> None:
        """Begin the file.

        Args:
            path: the CSV file; what stood there is replaced.
            epochs: of all phases together.
            boxes: whether the model learns boxes too.
            rows: those of the epochs that are over already, where a killed training is resumed.
        """
        super().__init__()
        self.phase = ""
        self.rows = [*rows]
        self._path = path
        self._epochs = epochs
        self._names = _LABEL_AND_BOX if boxes else _LABEL
        self.columns = [*_FIRST, *self._names, "learning_rate"]
        self._bar: tqdm[Any] | None = None
        self._began = self._told = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._news = ""
        self._write()

    def of(self, phase: str) -> list[Row]:
        """Give the rows of a phase."""
        return [row for row in self.rows if row[1] == phase]

    def _write(self) -> None:
        """Write all rows: the file is whole at any moment, and comes back if someone removes it."""
        with atomic_write(self._path) as part, part.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(self.columns)
            table.writerows(self.rows)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Show a bar over all epochs, where there is a terminal."""
        self._began = time.monotonic()
        self._bar = tqdm(
            total=self._epochs,
            initial=len(self.rows),
            bar_format="{desc} |{bar:24}|{postfix}",
            leave=False,
            disable=not sys.stderr.isatty(),
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Name the epoch beside the bar."""
        if self._bar is not None:
            done = len(self.rows)
            left = f", {self._seconds_left(done):.0f} s left" if self._first else ""
            self._bar.set_description_str(f"epoch {done + 1}/{self._epochs}{left}")

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar by a batch's share of an epoch."""
        if self._bar is not None:
            self._bar.update(1 / self.params["steps"])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch's row; show it beside the bar, or now and then as a line."""
        metrics = [float((logs or {})[name]) for name in self._names.values()]
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        step = len(self.rows) + 1
        self.rows.append([step, self.phase, *metrics, rate])
        self._write()
        shown = "loss {:.4f}, accuracy {:.4f}, validation loss {:.4f}, validation accuracy {:.4f}".format(*metrics[:4])
        left = self._seconds_left(step)
        self._first = self._first or (step, time.monotonic())
        self._news = f"epoch {step}/{self._epochs} ({self.phase}): {shown}, {left:.0f} s left"
        if self._bar is not None and not self._bar.disable:
            self._bar.set_postfix_str(f"loss {metrics[0]:.4f}, validation accuracy {metrics[3]:.4f}")
        elif time.monotonic() - self._told >= LOG_INTERVAL_SECONDS:
            self._tell()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Take the bar away, and leave the last epoch's line."""
        if self._bar is not None:
            self._bar.close()
        if self._news:
            self._tell()

    def _tell(self) -> None:
        logger.info("%s%s", PROGRESS, self._news)
        self._news, self._told = "", time.monotonic()

    def _seconds_left(self, step: int) -> float:
        """Reckon with the epochs after this process's first, which takes longer than they do."""
        now = time.monotonic()
        first, then = self._first or (step - 1, self._began)
        return (now - then) / max(step - first, 1) * (self._epochs - step)
