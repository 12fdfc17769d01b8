"""The pipeline in time: Prefect flows over DVC's graph. Nothing here knows how a stage works."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from podium.errors import PodiumError
from podium.garbage import collect_seldom
from podium.loopback import spare_loopback

# Nobody is told what runs here, unless the environment says otherwise. Both look once, at import.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

collect_seldom()
spare_loopback()  # Prefect makes its first clients before a flow begins


@contextmanager
def naming_settings() -> Iterator[None]:
    """Be put around the first import of Prefect, which reads its settings: say where they come from if one is wrong.

    Raises:
        PodiumError: Prefect refuses a setting, or cannot read a file of them.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise PodiumError(
            f"Prefect does not accept its settings: {_describe(error)} They come from environment variables "
            "(`env | grep PREFECT_`), from .env, prefect.toml and pyproject.toml in the project, and from "
            "profiles.toml in ~/.prefect or PREFECT_HOME. Correct the one that is named."
        ) from error


def _describe(error: Exception) -> str:
    """Say what is wrong with the settings: of a validation error, the setting and what was expected of it."""
    if not isinstance(error, ValidationError):
        return f"{error}."
    wrong = [one for one in error.errors() if one["type"] != "default_factory_not_called"]  # these follow from others
    return " ".join(f"{error.title}, {'.'.join(map(str, one['loc']))} = {one['input']}: {one['msg']}." for one in wrong)


if sys.argv[0] == "-m":  # `python -m flows.data_check` imports Prefect before any code of ours could say it
    try:
        with naming_settings():
            import prefect.main  # noqa: F401
    except PodiumError as error:
        sys.exit(str(error))
