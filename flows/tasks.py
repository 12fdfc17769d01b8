"""One stage of DVC's graph as a Prefect task: what the pipeline and the data check share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.client.schemas import State
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.artifacts import show_validation
from flows.display import Progress, current_display
from flows.epochs import EpochWatch
from flows.estimate import Durations
from podium.config import Params, load_params
from podium.errors import PodiumError, TransientError
from podium.paths import PARAMS, CandidatePaths
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
def run_stage(
    root: Path, stage: Stage, *, show: bool = True, anew: bool = False, seconds: float | None = None
) -> State[Any]:
    """Bring one stage up to date.

    Args:
        root: the root of the project or of an isolated clone of it.
        stage: the stage.
        show: make an artifact of what a validation found, if it had to look.
        anew: run it even if it is up to date.
        seconds: how long it may take.

    Returns:
        A state that says in a sentence what the stage did, or why it failed.
    """
    logger = get_run_logger()
    ended: State[Any]
    with telling_retries(stage.title):
        if not anew and is_current(root, stage.name):
            return Completed(message="nothing changed", name=CACHED)
        params = load_params(root / PARAMS)
        follower, look = _follow(root, params, stage)
        is_whole = not _goes_on(root, params, stage)
        with current_display().work(stage.title, look) as work:

            def hear(line: str) -> None:
                logger.info(line)
                work.hear(line)

            try:
                with follower:
                    ran = reproduce(root, stage.name, hear, anew=anew, seconds=seconds)
            except TransientError:
                raise
            except PodiumError as error:
                work.fail()
                ended = Failed(message=str(error))  # a state and no exception: Prefect shows a traceback for those
            else:
                otherwise = (stage.description or "done") if ran else "taken from DVC's cache"
                ended = Completed(message=work.summary or otherwise)
                work.end(otherwise)
                if ran and is_whole:
                    Durations(root, params).keep(stage.name, work.seconds)
    if show and stage.kind == "validate":
        show_validation(root, stage.entry)
    return ended


def _follow(
    root: Path, params: Params, stage: Stage
) -> tuple[AbstractContextManager[Any], Callable[[], Progress | None]]:
    """Give what sends a training's epochs to MLflow, and what says how far it is; neither for another stage."""
    if stage.kind != "train":
        return nullcontext(), lambda: None
    schedule, paths = params.schedule(params.candidate(stage.entry).schedule), _paths(params, stage)
    others = [paths.repeats / str(seed) / paths.history.name for seed in schedule.seeds[1:]]
    histories = [root / path for path in (paths.history, *others)]
    return Ledger(root, params).follow(stage.entry), EpochWatch(histories, schedule.epochs).look


def _goes_on(root: Path, params: Params, stage: Stage) -> bool:
    """Say whether a stage only ends what a killed run of it began."""
    return stage.kind == "train" and (root / _paths(params, stage).checkpoint).exists()


def _paths(params: Params, stage: Stage) -> CandidatePaths:
    return CandidatePaths(stage.entry, params.candidate(stage.entry).dataset)


@contextmanager
def telling_retries(title: str) -> Iterator[None]:
    """Show why a task will be tried again, at the first time."""
    try:
        yield
    except TransientError as error:
        run = TaskRunContext.get()
        if run is None or run.task_run.run_count == 1:
            current_display().say(f"{title}: {error} It is tried again.")
        raise


def is_tried_again() -> bool:
    """Say whether the task that runs here has a further try."""
    run = TaskRunContext.get()
    return run is not None and run.task_run.run_count <= run.task.retries


def reason(state: State[Any]) -> str:
    """Say why a task failed."""
    error = state.result(raise_on_failure=False)
    return str(error) if isinstance(error, PodiumError) else state.message or repr(error)
