"""Where a training stands in its schedule: its phase, the batches and epochs ahead, whether its time is up."""

import time

from podium.config.schedules import Phase, Schedule
from podium.training.checkpoint import State
from podium.training.early_stopping import is_over, standing
from podium.training.history import History


class PhaseControl:
    """Counts the batches of a training, and knows from them and from the history when a phase is over."""

    def __init__(self, schedule: Schedule, steps: int, history: History, state: State) -> None:
        """Begin at a state.

        Args:
            schedule: what is trained by.
            steps: batches an epoch.
            history: has a row for every epoch that is over.
            state: from the checkpoint; the beginning if there was none.
        """
        self.schedule, self.steps, self.phase = schedule, steps, schedule.phases[0]
        self.batch = state.batch
        """How many batches were taken, over all phases."""
        self._history, self._restored = history, state
        self._standing = standing(schedule.phases, state.rows, within=bool(state.batch % steps))
        self._began = time.monotonic()

    def enter(self, phase: Phase) -> bool:
        """Begin or resume a phase; False if it was over before the training was killed."""
        self.phase = phase
        self._history.phase = phase.name
        return self.schedule.phases.index(phase) >= self._standing

    @property
    def resumes_phase(self) -> bool:
        """Whether this is the phase in which the training was killed."""
        return self.phase is self.schedule.phases[self._standing]

    @property
    def resumes_epoch(self) -> bool:
        """Whether the training was killed within an epoch, and no batch was taken since."""
        return self.batch == self._restored.batch and self.is_within_epoch

    @property
    def is_within_epoch(self) -> bool:
        """Whether some batches of the current epoch were taken, but not all."""
        return bool(self.batch % self.steps)

    @property
    def ahead(self) -> tuple[int, int]:
        """How many batches the next epochs have, and how many such epochs there are: the rest of a cut epoch first."""
        if done := self.batch % self.steps:
            return self.steps - done, 1
        return self.steps, self.phase.epochs - len(self._history.of(self.phase.name))

    @property
    def is_over(self) -> bool:
        """Whether the phase ends here: its epochs, its patience or the schedule's time is used up."""
        return is_over(self.phase, self._history.of(self.phase.name)) or self.is_late

    @property
    def is_late(self) -> bool:
        """Whether the schedule's time is up. One epoch is always made."""
        minutes = self.schedule.minutes
        return minutes is not None and bool(self._history.rows) and self.seconds() >= 60 * minutes

    def seconds(self) -> float:
        """Give how long the training has taken, in seconds, with the time before a kill."""
        return self._restored.seconds + time.monotonic() - self._began


def describe_progress(batch: int, steps: int, epochs: int) -> str:
    """Describe how far a training is: `epoch 7 of 20`, or `batch 300 of 1200 of epoch 8 of 20`."""
    epoch, rest = divmod(batch, steps)
    return f"batch {rest} of {steps} of epoch {epoch + 1} of {epochs}" if rest else f"epoch {epoch} of {epochs}"
