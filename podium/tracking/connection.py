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
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # its own links open the wrong view
    return MlflowClient(uri)


def training_view(uri: str, experiment: str = "", run: str = "", artifact: str = "") -> str:
    """Give the address of one of MLflow's pages, in its view for training.

    Args:
        uri: the server's address, whose user and password are left out; empty for one that is relative to the server.
        experiment: the id of an experiment; without one, the list of them is meant.
        run: the id of one of its runs.
        artifact: the path of one of the run's artifacts.

    Example:
        >>> training_view("http://me:secret@127.0.0.1:5000/", "1", "3f")
        'http://127.0.0.1:5000/#/experiments/1/runs/3f?workflowType=machine_learning'
    """
    place = "/".join(
        ["experiments", *([experiment] if experiment else []), *(["runs", run] if run else [])]
        + (["artifacts", artifact] if artifact else [])
    )
    server = re.sub(r"://[^/@]*@", "://", uri).rstrip("/")
    return f"{server}/#/{place}?{TRAINING_VIEW}" if uri else f"#/{place}?{TRAINING_VIEW}"


def where_to_look(uri: str) -> str:
    """Give a server's address as people open it, and that of a database as MLflow's commands take it; no password."""
    return training_view(uri) if uri.startswith("http") else shown_uri(uri)


def shown_uri(text: str) -> str:
    """Give an address, or a text with addresses, without passwords, for people."""
    return re.sub(r"://[^/@\s]*@", "://…@", text)


def _check_database(store: Path) -> None:
    """Raise PodiumError if a file is no SQLite database: MLflow would try for 100 seconds, and end in a traceback."""
    with store.open("rb") as file:
        head = file.read(16)
    if head not in (b"", b"SQLite format 3\0"):
        raise PodiumError(
            f"{store} is no SQLite database. Expected the file in which MLflow keeps its runs. "
            f"Move it away: `mv {store} {store}.broken`; then `podium run` publishes what is trained to a new one."
        )
