from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from podium.files import atomic_write

if TYPE_CHECKING:
    from tests.trained import Trained


@pytest.fixture(scope="session")
def store(pytestconfig: pytest.Config) -> Iterator[Path]:
    """An empty store of MLflow's, to be copied. It takes seconds to be laid out, so pytest's cache keeps it.

    As long as tests use it, SQLite does not wait for the disk: they outlive killed processes, not power cuts.
    """
    from mlflow import MlflowClient  # a second to import, and not every test here needs it
    from sqlalchemy import Engine, event

    def hurry(connection: object, _: object) -> None:
        if isinstance(connection, Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", hurry)
    empty = pytestconfig.cache.mkdir("mlflow") / f"{version('mlflow')}.db"
    with FileLock(empty.with_suffix(".lock")):  # several processes test side by side
        if not empty.exists():
            with atomic_write(empty) as part:
                MlflowClient(f"sqlite:///{part}").search_experiments(max_results=1)
    yield empty
    event.remove(Engine, "connect", hurry)


@pytest.fixture
def trained(tmp_path: Path, store: Path) -> "Trained":
    """A project in which every stage has run, it seems, and nothing is published yet."""
    from tests.trained import make_trained

    return make_trained(tmp_path / "project", store)
