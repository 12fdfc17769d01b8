"""One stage of DVC's graph as a Prefect task: what the pipeline and the data check share."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.client.schemas import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.artifacts import show_validation
from podium.config import load_params
from podium.errors import PodiumError, TransientError
from podium.paths import PARAMS
from podium.tracking import Ledger
from podium.workspace.graph import Stage, is_current
from podium.workspace.repro import reproduce

Futures = dict[str, PrefectFuture[Any]]

CACHED = "Cached"
"""The name of the state of a stage that had nothing to do."""


def is_transient(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Say whether a retry may help."""
    return isinstance(state.result(raise_on_failure=False), TransientError)


# A stage gives the same at every try; what may pass is another DVC command in the same workspace.
@task(task_run_name="{stage.name}", retries=5, retry_delay_seconds=5, retry_condition_fn=is_transient)
def run_stage(root: Path, stage: Stage, *, show: bool = True) -> State[Any]:
    """Bring one stage up to date.

    Args:
        root: the project's root.
        stage: the stage.
        show: make an artifact of what a validation found, if it had to look.
    """
    logger = get_run_logger()
    if is_current(root, stage.name):
        return Completed(message="nothing changed", name=CACHED)
    follows = stage.kind == "train"
    follower = Ledger(root, load_params(root / PARAMS)).follow(stage.entry) if follows else nullcontext()
    ended: State[Any] = Completed(message=stage.description or "done")
    try:
        with follower:
            reproduce(root, stage.name, logger.info)
    except TransientError:
        raise
    except PodiumError as error:
        ended = Failed(message=str(error))  # a state and no exception: Prefect shows a traceback for those
    if show and stage.kind == "validate":
        show_validation(root, stage.entry)
    return ended


def reason(state: State[Any]) -> str:
    """Say why a task failed."""
    error = state.result(raise_on_failure=False)
    return str(error) if isinstance(error, PodiumError) else state.message or repr(error)
