"""The pipeline by the clock, for people without a worker: one process that stays."""

from flows.errors import naming_the_library
from flows.pipeline import pipeline
from flows.server import find_server
from podium.errors import PodiumError
from podium.paths import project_root


def serve_pipeline(cron: str) -> None:
    """Serve the pipeline until the process is stopped, running it when a cron line says so.

    Raises:
        PodiumError: no Prefect server is configured, or the cron line is none.
    """
    if not find_server():
        raise PodiumError(
            "A schedule lives in a Prefect server, and none is configured. In another terminal run "
            "`prefect server start`, then here `export PREFECT_API_URL=http://127.0.0.1:4200/api` and the same again."
        )
    try:
        with naming_the_library(project_root()):
            pipeline.serve(name="scheduled", cron=cron, limit=1, pause_on_shutdown=False)
    except ValueError as error:
        raise PodiumError(f"'{cron}' is no cron line ({error}). Expected five fields, such as '0 3 * * *'.") from error
