"""The connection to MLflow, and the addresses at which people look at it."""

import os
import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import mlflow
from mlflow import MlflowClient
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError

from podium.errors import PodiumError
from podium.files import atomic_write
from podium.loopback import spare_loopback
from podium.paths import home
from podium.tracking.failures import is_transient, shown_uri, translate
from podium.tracking.moving import relocate

__all__ = [
    "connect",
    "is_transient",
    "quote_filter",
    "shown_uri",
    "speaking_to",
    "sqlite_uri",
    "store_path",
    "tracking_uri",
    "training_view",
    "where_to_look",
]

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "40"}
"""MLflow's own would have a person wait: 7 repetitions of a request, four minutes, and 120 seconds for an answer."""

_ADDRESS = "MLFLOW_TRACKING_URI"

TRAINING_VIEW = "workflowType=machine_learning"
"""Without it MLflow's pages open for language models: no experiment's tag decides, only the address."""


def tracking_uri(root: Path) -> str:
    """Give MLflow's address: `MLFLOW_TRACKING_URI`, or a SQLite file in the project."""
    return os.environ.get(_ADDRESS) or sqlite_uri(home(root) / "mlflow.db")


def sqlite_uri(store: Path) -> str:
    """Give the address of a SQLite file, as SQLAlchemy reads it: a `?` in the path would begin its options.

    The driver is named in such an address, or else MLflow makes a folder `file:` here.
    """
    return f"sqlite:///{store}" if "?" not in str(store) else f"sqlite+pysqlite:///file:{quote(str(store))}?uri=true"


def store_path(uri: str) -> Path | None:
    """Give the file of a SQLite store; None if the address is no such store's.

    Example:
        >>> store_path("sqlite+pysqlite:////project/mlflow.db?timeout=5")
        PosixPath('/project/mlflow.db')
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        return None
    if url.get_backend_name() != "sqlite" or not url.database or ":memory:" in url.database:
        return None
    is_uri = url.database.startswith("file:") and url.query.get("uri") in ("true", "True", "1")
    return Path(url2pathname(urlsplit(url.database).path)) if is_uri else Path(url.database)


def connect(root: Path) -> MlflowClient:
    """Open MLflow; a store in the project that is not there yet is laid out, which takes seconds.

    The artifacts of a project that was moved are found at their new place from then on.

    Raises:
        TransientError: the store is locked.
        PodiumError: it is no database.
    """
    spare_loopback()
    for setting, value in _PATIENCE.items():
        os.environ.setdefault(setting, value)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # its own links open the wrong view
    uri = tracking_uri(root)
    store = store_path(uri)
    if store is None:
        _ask_database(uri)
    elif store.exists():
        _check_database(store)
        try:
            relocate(store, home(root))
        except sqlite3.Error as error:
            raise translate(error, uri) from error
    else:
        # Laid out beside and renamed: MLflow cannot go on with a store whose making was cut short.
        with atomic_write(store) as part:
            MlflowClient(sqlite_uri(part)).search_experiments(max_results=1)
    return MlflowClient(uri)


def quote_filter(value: str) -> str:
    """Put a value between quotes, for a filter of MLflow's. It knows no escapes, but two kinds of quotes.

    Raises:
        PodiumError: the value holds both.
    """
    if "'" not in value:
        return f"'{value}'"
    if '"' in value:
        raise PodiumError(f"MLflow cannot search for {value}: it holds both kinds of quotes. Give it a plainer name.")
    return f'"{value}"'


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


def _ask_database(uri: str) -> None:
    """Knock at a database server once: MLflow would try for 100 seconds.

    Raises:
        SQLAlchemyError: it does not answer; see `is_transient`.
    """
    if "://" not in uri or uri.startswith(("http:", "https:", "file:", "databricks", "uc:")):
        return
    engine = create_engine(uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


@contextmanager
def speaking_to(uri: str) -> Iterator[None]:
    """Have MLflow's functions without a client speak to another server for a while.

    What MLflow is told by a function it writes into the environment, too: where it was is in there.
    """
    before = os.environ.get(_ADDRESS)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # it forgets, and asks the environment again
        if before is not None:
            os.environ[_ADDRESS] = before


def _check_database(store: Path) -> None:
    """Raise PodiumError if a file is no SQLite database: MLflow would try for 100 seconds, and end in a traceback."""
    with store.open("rb") as file:
        head = file.read(16)
    if head not in (b"", b"SQLite format 3\0"):
        away = f"mv {shlex.quote(str(store))} {shlex.quote(f'{store}.broken')}"
        raise PodiumError(
            f"{store} is no SQLite database. Expected the file in which MLflow keeps its runs. "
            f"Move it away: `{away}`; then `podium run` publishes what is trained to a new one."
        )
