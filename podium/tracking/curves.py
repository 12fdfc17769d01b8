"""A candidate's history file as MLflow metrics, sent as it grows."""

import csv
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric

from podium.tracking.failures import FAILURES, LIBRARY_ERRORS

logger = logging.getLogger(__name__)

PREFIX = "curve/"
"""Metrics by epoch are named after the history's columns: `curve/validation_accuracy`."""

EPOCHS_AT_ONCE = 100
"""MLflow takes at most 1,000 metrics in a batch, and an epoch has fewer than ten."""


GRACE_SECONDS = 5.0
"""How long the end of a stage waits for MLflow."""


def read_history(path: Path) -> list[dict[str, str]]:
    """Give the complete rows of a history file; none where it is not there yet."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return list(csv.DictReader(line for line in lines if line.endswith("\n")))


def agrees(client: MlflowClient, run_id: str, rows: list[dict[str, str]]) -> bool:
    """Say whether a run's curve, as far as it goes, is that of a history."""
    losses = {int(row["step"]): float(row["loss"]) for row in rows}
    sent = client.get_metric_history(run_id, f"{PREFIX}loss")
    return all(losses.get(metric.step, metric.value) == metric.value for metric in sent)


def send_curve(
    client: MlflowClient, run_id: str, rows: list[dict[str, str]], stop: threading.Event | None = None
) -> None:
    """Send the epochs that a run does not have yet. Their step is counted over all phases.

    Args:
        client: where to.
        run_id: the run.
        rows: its history.
        stop: once it is set, nothing more is sent.
    """
    have = client.get_metric_history(run_id, f"{PREFIX}loss")
    last = max((metric.step for metric in have), default=0)
    now = int(time.time() * 1000)
    new = [row for row in rows if int(row["step"]) > last]
    for start in range(0, len(new), EPOCHS_AT_ONCE):  # MLflow keeps a batch as a whole, or nothing of it
        metrics = [
            Metric(f"{PREFIX}{column}", float(value), now, int(row["step"]))
            for row in new[start : start + EPOCHS_AT_ONCE]
            for column, value in row.items()
            if column not in ("step", "phase")
        ]
        if stop is None or not stop.is_set():
            client.log_batch(run_id, metrics=metrics)


class Follower:
    """Sends a growing history to MLflow from a thread of its own. What MLflow misses never stops or slows a training.

    All that waits for MLflow is in the thread; who leaves the block waits for it no longer than the grace.
    """

    def __init__(
        self,
        history: Path,
        epochs: int,
        begin: Callable[[], tuple[MlflowClient, str]],
        grace: float = GRACE_SECONDS,
    ) -> None:
        """Prepare.

        Args:
            history: the file to follow.
            epochs: how many rows it will have. A file that is complete at first sight is none that grows:
                it was restored, and is published with the rest.
            begin: opens the run, once a training is really seen; gives the client and the run's id.
            grace: the seconds that the end of the block waits for MLflow's answer.
        """
        self._history, self._epochs, self._begin, self._grace = history, epochs, begin, grace
        self._run: tuple[MlflowClient, str] | None = None
        self._sent = 0
        self._failed = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._before = self._stamp()

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._failed = kind is not None
        self._stop.set()
        self._thread.join(self._grace)
        if self._thread.is_alive():
            logger.warning("MLflow is slow to answer; nobody waits for it, what it lacks of the curve follows later")

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._history.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino

    def _follow(self) -> None:
        warned = False
        while not self._stop.wait(1.0):
            try:
                self._look()
            except FAILURES as error:
                if not warned:
                    logger.warning("MLflow cannot be reached; the training goes on, its curve follows later: %s", error)
                    warned = True
        if self._failed and self._run is not None:
            client, run_id = self._run
            try:
                client.set_terminated(run_id, "FAILED")
            except LIBRARY_ERRORS as error:
                logger.warning("MLflow was not told that run %s failed: %s", run_id, error)

    def _look(self) -> None:
        if self._stamp() in (None, self._before):
            return
        rows = read_history(self._history)
        if self._run is None:
            if len(rows) >= self._epochs:
                return
            self._run = self._begin()
        if len(rows) > self._sent:
            send_curve(*self._run, rows, self._stop)
            self._sent = len(rows)
