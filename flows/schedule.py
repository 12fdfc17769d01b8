"""A flow by the clock, for people without a worker: one process that stays."""

from typing import Any

from prefect import Flow

from flows.data_check import data_check
from flows.errors import naming_the_library
from flows.pipeline import pipeline
from flows.retrain import retrain
from flows.server import find_server
from podium.errors import PodiumError
from podium.paths import project_root
from podium.workspace.missed import find_missed

FLOWS: dict[str, Flow[..., Any]] = {"retrain": retrain, "pipeline": pipeline, "data-check": data_check}
"""What can be served, by its name."""


def serve(name: str, cron: str) -> None:
    """Serve a flow until the process is stopped, running it when a cron line says so.

    Args:
        name: the flow's, a key of `FLOWS`.
        cron: when.

    Raises:
        PodiumError: no Prefect server is configured, or the cron line is none, or the project is in no commit, from
            which the runs make their isolated clones.
    """
    if not find_server():
        raise PodiumError(
            "A schedule lives in a Prefect server, and none is configured. In another terminal run "
            "`prefect server start`, then here `export PREFECT_API_URL=http://127.0.0.1:4200/api` and the same again."
        )
    root = project_root()
    if missed := find_missed(root).text:
        print(f"Scheduled runs work on what is committed. {missed}", flush=True)  # noqa: T201 - a command answers
    try:
        with naming_the_library(root):
            FLOWS[name].serve(name="scheduled", cron=cron, limit=1, pause_on_shutdown=False)
    except ValueError as error:
        raise PodiumError(f"'{cron}' is no cron line ({error}). Expected five fields, such as '0 3 * * *'.") from error
