"""`podium run`: says what is ahead, runs the pipeline in this process, and says where to look."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import naming_settings
from flows.ahead import describe_ahead
from flows.command import answer, quieten, showing, stopped_by_interrupt
from podium.config import load_params
from podium.git import find_commit
from podium.models.runtime import require_backend
from podium.paths import PARAMS, project_root

if TYPE_CHECKING:
    from prefect.client.schemas import State


def main(targets: list[str] | None = None) -> int:
    """Run the pipeline once; return the exit status.

    Args:
        targets: names of datasets and candidates; all of params.yaml by default.
    """
    return answer(lambda: _run(targets))


def _run(targets: list[str] | None) -> "State[Any]":
    root = project_root()
    params = load_params(root / PARAMS)  # a mistake on the page is said at once, before a server starts
    find_commit(root)
    require_backend()
    with showing(sys.stdout) as display:
        display.ahead = describe_ahead(root, params, targets or None)
        display.say(display.ahead)
        with display.work("Prefect"):
            with naming_settings():  # Prefect and MLflow: two seconds to import
                from flows.errors import naming_the_library
                from flows.pipeline import pipeline
                from flows.server import find_server, require_server
            from podium.tracking import tracking_uri

            quieten(display)
            with (
                naming_the_library(root),
                stopped_by_interrupt(display, is_temporary=find_server() is None),
            ):
                address = require_server()
                state = pipeline(targets or None, return_state=True)
        if state.is_completed():
            display.say()
            for line in describe_places(root, tracking_uri(root), address):
                display.say(line)
    return state


def describe_places(root: Path, tracking: str, address: str | None) -> list[str]:
    """Say where runs, models, the flow and the reports are, and what to type for them.

    Args:
        root: the project's root.
        tracking: MLflow's address.
        address: that of a Prefect server; None if a temporary one was used.
    """
    from podium.tracking import training_view, where_to_look  # MLflow: the flow has imported it by now

    folder = _commands()
    store = '"$MLFLOW_TRACKING_URI"' if "@" in tracking else shlex.quote(tracking)  # it may hold a password
    mlflow = f"{folder}mlflow ui --backend-store-uri {store}  then {training_view('http://127.0.0.1:5000')}"
    prefect = f"{folder}prefect server start  then http://127.0.0.1:4200"
    return [
        f"Runs and models: {where_to_look(tracking) if tracking.startswith('http') else mlflow}",
        f"The flow:        {address.removesuffix('/api') if address else prefect}",
        f"Reports:         {root / 'reports'}",
    ]


def _commands() -> str:
    """Give the folder of the environment's commands, unless a shell finds them without it."""
    if sys.prefix in (sys.base_prefix, os.environ.get("VIRTUAL_ENV"), os.environ.get("CONDA_PREFIX")):
        return ""
    folder = Path(sys.executable).parent
    return f"{folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder}/"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
