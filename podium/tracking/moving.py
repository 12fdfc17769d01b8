"""A project that was moved: MLflow keeps absolute places of artifacts, and would go on writing to the old one."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import url2pathname

from podium.paths import home
from podium.tracking.lineage import workspace

logger = logging.getLogger(__name__)

ARTIFACTS = "mlflow-artifacts"
"""The folder of artifacts in a project; an experiment has a folder of its own there."""

_PLACES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""The tables of MLflow's store that hold such places, and their columns."""
_WAIT = 20.0
"""Seconds to wait for another process that writes."""


def artifact_location(root: Path, experiment: str) -> str:
    """Give the place of an experiment's artifacts in a project, as MLflow takes it."""
    return (home(root) / ARTIFACTS / experiment).as_uri()


def relocate(store: Path, root: Path) -> None:
    """Correct the places in a project's own store, all at once, if the project was moved or copied with its artifacts.

    Args:
        store: the SQLite file. One outside of the project is left as it is: others may use it.
        root: the project's root, absolute.

    Raises:
        sqlite3.Error: the store cannot be read or written.
    """
    if not (store.resolve().is_relative_to(root.resolve()) and (root / ARTIFACTS).is_dir()):
        return
    with closing(sqlite3.connect(store, timeout=_WAIT)) as connection:
        olds = list(dict.fromkeys(_find_old(connection, root)))
        if not olds:
            return
        with connection:
            for old in olds:
                _rewrite(connection, old, root)
    for old in olds:
        logger.warning("This project was moved from %s: MLflow now has its artifacts here, in %s", old, root)


def _find_old(connection: sqlite3.Connection, root: Path) -> Iterator[Path]:
    """Give the roots from which experiments were moved whose artifacts are here."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'experiments'").fetchone():
        return
    for name, place in connection.execute("SELECT name, artifact_location FROM experiments"):
        tail = artifact_location(Path("/"), name).removeprefix("file://")
        if place and place.startswith("file:///") and place.endswith(tail) and (root / ARTIFACTS / name).is_dir():
            old = place.removesuffix(tail)
            if old != root.as_uri():
                yield Path(url2pathname(old.removeprefix("file://")))


def _rewrite(connection: sqlite3.Connection, old: Path, root: Path) -> None:
    for before, after in ((old.as_uri(), root.as_uri()), (str(old), str(root))):
        for table, column in _PLACES.items():
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",  # noqa: S608
                (f"{after}/", len(before) + 2, len(before) + 1, f"{before}/"),
            )
    connection.execute(
        "UPDATE tags SET value = ? WHERE key = 'podium.workspace' AND value = ?",
        (workspace(root), workspace(old)),
    )
