"""What Prefect, MLflow and DVC raise for reasons of their own, as the one message that a person reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from podium.errors import PodiumError, TransientError
from podium.tracking import tracking_uri

_PREFECT = {"prefect", "httpx", "httpcore", "websockets"}
_MLFLOW = {"mlflow", "requests", "urllib3", "sqlalchemy", "sqlite3"}


@contextmanager
def naming_the_library(root: Path) -> Iterator[None]:
    """Turn an exception of Prefect's, MLflow's or DVC's into an error that says which of them failed, and where.

    Whose exception it is shows in the module of its class. All others are mistakes in the code, and pass.

    Args:
        root: the project's root.

    Raises:
        TransientError: MLflow or Prefect failed; a server may answer a little later.
        PodiumError: DVC failed.
    """
    try:
        yield
    except PodiumError:
        raise
    except Exception as error:
        libraries = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
        text = _without_appendix(error)
        if libraries & _MLFLOW:
            raise TransientError(
                f"MLflow at {tracking_uri(root)} did not do its part: {text} What was trained is safe in models/ and "
                "reports/; `podium run` publishes it once MLflow answers."
            ) from error
        if libraries & _PREFECT:
            raise TransientError(
                f"Prefect did not do its part: {text} What ran is kept.",
                hint="`prefect config view` shows its server's address; if it answers again, type the same command.",
            ) from error
        if "dvc" in libraries:
            raise PodiumError(f"DVC did not do its part: {text}", hint="`dvc status` may say more.") from error
        raise


def _without_appendix(error: Exception) -> str:
    """Give the text of an exception without the statement and the links that SQLAlchemy puts below it."""
    text = str(error).partition("\n[SQL")[0].partition("\n(Background")[0].strip() or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
