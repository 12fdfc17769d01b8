"""How far a training is, from the history file that grows by a row an epoch."""

import time
from collections.abc import Sequence
from pathlib import Path

from flows.display import Progress
from podium.tracking.curves import read_history

LOOK_INTERVAL_SECONDS = 0.5
"""Between two looks at the files."""


class EpochWatch:
    """Looks at the history files of a candidate, one for each of its seeds, while it trains."""

    def __init__(self, histories: Sequence[Path], epochs: int) -> None:
        """Remember the files that an earlier training left.

        Args:
            histories: the files, in the order of the trainings.
            epochs: how many rows each will have, at most.
        """
        self._histories, self._epochs = histories, epochs
        self._before = {path: _stamp(path) for path in histories}
        self._first: tuple[int, float] | None = None
        self._looked, self._seen = 0.0, Progress(0.0, "")

    def look(self) -> Progress | None:
        """Say how far the training is; None before its first epoch is over."""
        now = time.monotonic()
        if now - self._looked >= LOOK_INTERVAL_SECONDS:
            self._looked = now
            self._seen = self._read(now) or self._seen
        return self._seen if self._seen.text else None

    def _read(self, now: float) -> Progress | None:
        begun = [path for path in self._histories if _stamp(path) not in (None, self._before[path])]
        rows = read_history(begun[-1]) if begun else []
        if not rows:
            return None
        done, total = (len(begun) - 1) * self._epochs + len(rows), len(self._histories) * self._epochs
        self._first = self._first or (done, now)
        first, then = self._first
        seeds = f"seed {len(begun)} of {len(self._histories)}, " if len(self._histories) > 1 else ""
        left = f"{(now - then) / (done - first) * (total - done):.0f} s left, " if done > first else ""
        return Progress(
            done / total,
            f"{seeds}epoch {len(rows)}/{self._epochs}, {left}loss {float(rows[-1]['loss']):.4f}, "
            f"validation accuracy {float(rows[-1]['validation_accuracy']):.4f}",
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino
