"""The guard against divergence: a training whose loss is no finite number ends at once."""

import math
from pathlib import Path

from podium.errors import PodiumError
from podium.training.phase_control import PhaseControl, describe_progress


def require_finite(name: str, loss: float, control: PhaseControl, kept_batch: int, checkpoint: Path) -> None:
    """Require that a loss is a finite number.

    Args:
        name: of the loss, for people.
        loss: its value.
        control: where the training stands.
        kept_batch: how many batches the last checkpoint has; 0 if there is none.
        checkpoint: its file.

    Raises:
        PodiumError: the loss is NaN or infinite.
    """
    if math.isfinite(loss):
        return
    steps, epochs = control.steps, control.schedule.epochs
    epoch, rest = divmod(control.batch - 1, steps)
    where = f"batch {rest + 1} of {steps}, epoch {epoch + 1} of {epochs} (phase {control.phase.name})"
    kept = f" The state after {describe_progress(kept_batch, steps, epochs)} is kept in {checkpoint}."
    raise PodiumError(
        f"The {name} is {loss} after {where}: the training diverged. Try a lower learning_rate in params.yaml; "
        f"with other params it begins anew.{kept if kept_batch else ''}"
    )
