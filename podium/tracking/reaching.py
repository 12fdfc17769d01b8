"""MLflow, reached by a command: whatever keeps it from answering is said once, here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from podium.errors import PodiumError
from podium.tracking.connection import connect, store_path, tracking_uri
from podium.tracking.failures import translate


@contextmanager
def reaching(root: Path, name: str) -> Iterator[MlflowClient]:
    """Give a client for as long as the block lasts. A store in the project that is not there yet is not laid out.

    Args:
        root: the project's root.
        name: what somebody asks for.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: it has nothing yet.
    """
    uri = tracking_uri(root)
    store = store_path(uri)
    if store and not store.exists():
        raise PodiumError(f"There is no '{name}': MLflow has nothing yet. `podium run` publishes what is trained.")
    try:
        yield connect(root)
    except (MlflowException, SQLAlchemyError) as error:
        raise translate(error, uri) from error
