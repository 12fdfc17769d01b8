"""The history for TensorBoard: `tensorboard --logdir models`."""

from pathlib import Path

import keras
import tensorflow as tf

from podium.files import remove
from podium.training.history import History


class Board(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes each row of a history as scalars: `loss`, `accuracy` and so on, by epoch, in `train` and `validation`."""

    def __init__(self, folder: Path, history: History) -> None:
        """Begin with the rows that are there.

        Args:
            folder: gets one log folder each for the two; what stood there is replaced.
            history: to be called before this one.
        """
        super().__init__()
        remove(folder)
        self._history = history
        self._writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}
        self._written = 0
        self._write()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch's row."""
        self._write()

    def _write(self) -> None:
        for row in self._history.rows[self._written :]:
            step, _, *metrics = row
            for name, value in zip(self._history.columns[2:], metrics, strict=True):
                split = "validation" if name.startswith("validation_") else "train"
                with self._writers[split].as_default(step):
                    tf.summary.scalar(name.removeprefix("validation_"), value)
        self._written = len(self._history.rows)
        for writer in self._writers.values():
            writer.flush()
