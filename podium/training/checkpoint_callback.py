"""The callback that writes checkpoints while a model is fitted, and restores what a checkpoint has of it."""

import logging
import time
from typing import Any

import keras
from numpy.typing import NDArray

from podium.training.checkpoint import Checkpoint, State
from podium.training.divergence import require_finite
from podium.training.early_stopping import best_epoch, plateau_rate
from podium.training.history import History
from podium.training.phase_control import PhaseControl

logger = logging.getLogger(__name__)

CHECKPOINT_INTERVAL_SECONDS = 300.0
"""Within a long epoch a checkpoint is written this often."""


class CheckpointCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes a checkpoint after each epoch, and every five minutes within one.

    It stops a training that diverges, and one whose phase is over.
    """

    def __init__(
        self, checkpoint: Checkpoint, state: State, control: PhaseControl, history: History, network: keras.Model
    ) -> None:
        """Begin at a state.

        Args:
            checkpoint: where to write.
            state: what was read from it.
            control: where the training stands; this callback counts its batches.
            history: to be called before this one.
            network: what is kept, whole, even while only its head is fitted.
        """
        super().__init__()
        self._checkpoint, self._state, self._control = checkpoint, state, control
        self._history, self._network = history, network
        self._kept_batch = state.batch
        self._best: list[NDArray[Any]] | None = state.values.pop("best", None)
        self._written_at = time.monotonic()

    def restore(self, model: keras.Model) -> None:
        """Restore the state of a model's optimizer, which is built, where the training was killed within the phase."""
        if "optimizer" in self._state.values and self._control.resumes_phase:
            self._state.put("optimizer", model.optimizer.variables)

    def leave(self) -> None:
        """End a phase, with the weights of its best epoch if it asks for them."""
        if self._best is not None:
            self._network.set_weights(self._best)
            self._best = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Restore the metrics' sums of an epoch that was cut; Keras has just set them to zero."""
        if self._control.resumes_epoch:
            self._state.put("metrics", self.model.metrics_variables)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Check the loss, and write a checkpoint if the last is old."""
        self._control.batch += 1
        self._require_finite("loss", logs)
        if self._control.is_within_epoch and time.monotonic() - self._written_at >= CHECKPOINT_INTERVAL_SECONDS:
            self._write(metrics=self.model.metrics_variables)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Check the validation loss: the last batch may have thrown the weights off."""
        self._require_finite("validation loss", logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the best weights, lower the learning rate on a plateau, write a checkpoint, end a phase that is over."""
        control = self._control
        rows = self._history.of(control.phase.name)
        if best_epoch(control.phase, rows) == len(rows) - 1:
            self._best = self._network.get_weights()
        if control.phase.decay == "plateau":
            self.model.optimizer.learning_rate = plateau_rate(control.phase, rows)
        self._write()
        if control.is_late:
            logger.info("the time is up after epoch %d of %d", len(self._history.rows), control.schedule.epochs)
        self.model.stop_training = control.is_over

    def _write(self, **more: list[Any]) -> None:
        variables = {"model": self._network.variables, "optimizer": self.model.optimizer.variables, **more}
        values = {part: [one.numpy() for one in some] for part, some in variables.items()}
        if self._best is not None:
            values["best"] = self._best
        control = self._control
        self._checkpoint.write(State(control.batch, tuple(self._history.rows), control.seconds(), values))
        self._kept_batch, self._written_at = control.batch, time.monotonic()

    def _require_finite(self, name: str, logs: dict[str, float] | None) -> None:
        require_finite(name, (logs or {})["loss"], self._control, self._kept_batch, self._checkpoint.path)
