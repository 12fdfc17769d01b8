"""What Prefect, MLflow and DVC raise for reasons of their own, as the one message that a person reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.command import PREFECT, find_libraries
from podium.errors import PodiumError, TransientError
from podium.tracking import tracking_uri
from podium.tracking.failures import LIBRARIES, first_words, translate


@contextmanager
def naming_the_library(root: Path) -> Iterator[None]:
    """Turn an exception of Prefect's, MLflow's or DVC's into an error that says which of them failed, and where.

    Whose exception it is shows in the module of its class. All others are mistakes in the code, and pass.

    Args:
        root: the project's root.

    Raises:
        TransientError: MLflow or Prefect failed in a way that may pass by itself.
        PodiumError: MLflow refuses what was asked for, or DVC failed.
    """
    try:
        yield
    except PodiumError:
        raise
    except Exception as error:
        libraries = find_libraries(error)
        if libraries & LIBRARIES or isinstance(error, ConnectionError | TimeoutError):
            said = translate(error, tracking_uri(root))
            kept = "What was trained is safe in models/ and reports/; `podium run` publishes it then."
            raise said.with_hint(f"{said.hint} {kept}".strip()) from error
        text = first_words(error)
        if libraries & PREFECT:
            raise TransientError(
                f"Prefect did not do its part: {text} What ran is kept.",
                hint="`prefect config view` shows its server's address; if it answers again, type the same command.",
            ) from error
        if "dvc" in libraries:
            raise PodiumError(f"DVC did not do its part: {text}", hint="`dvc status` may say more.") from error
        raise
