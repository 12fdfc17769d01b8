"""The connection to MLflow, and the addresses at which people look at it."""

import os
import re
from pathlib import Path

from mlflow import MlflowClient

from podium.errors import PodiumError
from podium.files import atomic_write

TRAINING_VIEW = "workflowType=machine_learning"
"""Without it MLflow's pages open for language models: no experiment's tag decides, only the address."""


def tracking_uri(root: Path) -> str:
    """Give MLflow's address: `MLFLOW_TRACKING_URI`, or a SQLite file in the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"


def connect(root: Path) -> MlflowClient:
    """Open MLflow; a store in the project that is not there yet is laid out, which takes seconds.

    Raises:
        PodiumError: the store is no database.
    """
    uri = tracking_uri(root)
    store = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:") and store.exists():
        _check_database(store)
    elif uri.startswith("sqlite:"):
        # Laid out beside and renamed: MLflow cannot go on with a store whose making was cut short.
        with atomic_write(store) as part:
            MlflowClient(f"sqlite:///{part}").search_experiments(max_results=1)
    return MlflowClient(uri)


def shown_uri(uri: str) -> str:
    """Give MLflow's address without a password, for people."""
    return re.sub(r"://[^/@]*@", "://…@", uri)


def _check_database(store: Path) -> None:
    """Raise PodiumError if a file is no SQLite database: MLflow would try for 100 seconds, and end in a traceback."""
    with store.open("rb") as file:
        head = file.read(16)
    if head not in (b"", b"SQLite format 3\0"):
        raise PodiumError(
            f"{store} is no SQLite database. Expected the file in which MLflow keeps its runs. "
            f"Move it away: `mv {store} {store}.broken`; then `podium run` publishes what is trained to a new one."
        )
