"""What follows from a phase's epochs so far: which was best, whether it is over, how fast to learn on.

All of it is read off the history's rows and nothing else, so a training that was killed knows it again.
"""

from collections.abc import Sequence

from podium.config.schedules import Phase
from podium.training.history import Row, column


def best_epoch(phase: Phase, rows: Sequence[Row]) -> int | None:
    """Give the place of the best of a phase's rows, the first of equals; None if the phase does not ask or has none."""
    if phase.keep_best is None or not rows:
        return None
    values = [float(row[column(phase.keep_best)]) for row in rows]
    return values.index(max(values) if phase.keep_best == "validation_accuracy" else min(values))


def is_over(phase: Phase, rows: Sequence[Row]) -> bool:
    """Say whether a phase ends with these rows: all its epochs, or its patience, are used up."""
    best = best_epoch(phase, rows)
    waited = 0 if best is None else len(rows) - 1 - best
    return len(rows) >= phase.epochs or (phase.patience is not None and waited >= phase.patience)


def standing(phases: Sequence[Phase], rows: Sequence[Row], *, within: bool) -> int:
    """Give the place of the phase that a training stands in: that of the last row, over or not.

    Args:
        phases: the schedule's.
        rows: of all epochs that are over.
        within: whether batches of a further epoch were taken, too.
    """
    if not rows:
        return 0
    place = [phase.name for phase in phases].index(str(rows[-1][1]))
    mine = [row for row in rows if row[1] == phases[place].name]
    return place + 1 if within and is_over(phases[place], mine) else place


def plateau_rate(phase: Phase, rows: Sequence[Row]) -> float:
    """Give the learning rate after these rows of a phase that lowers it on plateaus.

    Whenever `decay_every` epochs in a row brought no lower validation loss than the lowest, it is multiplied by
    `decay_factor`, and the count begins anew.
    """
    rate, lowest, waited = phase.learning_rate, float("inf"), 0
    for row in rows:
        loss = float(row[column("validation_loss")])
        waited = 0 if loss < lowest else waited + 1
        lowest = min(loss, lowest)
        if waited == phase.decay_every:
            rate, waited = rate * (phase.decay_factor or 1), 0
    return rate
