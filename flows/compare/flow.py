"""Compare: many candidates at once, trained side by side on Dask, restored here by DVC, and ranked."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any, cast

from distributed import KilledWorker
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture
from pydantic import Field

from flows.compare.cluster import count_workers, describe, find_cluster, local_cluster, processors, share_processors
from flows.compare.collecting import Measured, collecting, show_ranking
from flows.compare.plan import Plan, Trial, make_plan, require_code
from flows.compare.trial import Source, Trained, train
from flows.display import Progress, current_display
from flows.recovery import guard_flow
from flows.server import address_in_use, find_server
from flows.tasks import reason, run_stage
from podium.errors import PodiumError
from podium.evaluation.ranking import RANKED, Sheet
from podium.evaluation.ranking.page import percent
from podium.paths import LOCK, project_root
from podium.workspace.exchange import fetch_run_cache, require_remote, send_outputs
from podium.workspace.graph import load_stages
from podium.workspace.lock import keep_entries
from podium.workspace.repro import no_stage_outlives, reproduce


@flow(name="compare", task_runner=ThreadPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]
def compare(
    candidates: list[str] | None = None,
    grid: list[str] | None = None,
    seeds: Annotated[int, Field(ge=1, le=100)] = 1,
    workers: Annotated[int, Field(ge=1, le=1000)] | None = None,
    scheduler: str | None = None,
    remote: str | None = None,
) -> State[Any]:
    """Train many candidates side by side, and say which is really best. The test split has no say in it.

    Args:
        candidates: Names of candidates, or of datasets for all of theirs. By default those that the grid names, or all.
        grid: Keys of params.yaml with their values, as `dvc exp run -S` spells them:
            candidates.digits-cnn.model.dropout=0.2,0.4,0.6
        seeds: Trainings of each, with the schedule's seed and the numbers after it.
        workers: Trainings side by side on this machine; by default one a processor, as far as the memory goes.
        scheduler: The address of a Dask scheduler, to train on its workers: tcp://10.0.0.5:8786
        remote: The DVC remote by which machines give data and results to each other, where they share no cache.
    """
    root = project_root()
    try:
        guard_flow(root)
        plan = make_plan(root, candidates, grid, seeds)
        commit = require_code(root)
        if remote:
            require_remote(root, remote)
        with no_stage_outlives():  # where it is interrupted or cancelled, too
            _prepare(plan, remote)
            measured, failed = _train(plan, commit, workers, scheduler, remote)
            _restore(plan, {one.trial for one in measured}, remote)
        return _sum_up(plan, measured, failed)
    except PodiumError as error:
        return Failed(message=str(error))


def _prepare(plan: Plan, remote: str | None) -> None:
    """Bring the datasets up to date, here and once, and give them to the other machines."""
    stages = [one for one in load_stages(plan.root) if one.entry in plan.datasets]
    for stage in stages:
        named = run_stage.with_options(name=stage.kind, description=stage.description)
        state = named(plan.root, stage, return_state=True)
        if not state.is_completed():
            raise PodiumError(reason(state))
    if remote:
        with current_display().work(f"send data to {remote}"):
            send_outputs(plan.root, [one.name for one in stages if one.kind != "download"], remote)


def _train(
    plan: Plan, commit: str, workers: int | None, scheduler: str | None, remote: str | None
) -> tuple[list[Measured], dict[Trial, str]]:
    """Train everything, and take each as it is ready; give what was measured, and why the rest was not."""
    shares: Sequence[Sequence[int]] = ()
    if scheduler:
        if not find_server():
            raise PodiumError(
                "The workers of a scheduler report to Prefect's server, and none is configured. In another terminal "
                "`prefect server start --host 0.0.0.0`, then here and for every worker `export "
                "PREFECT_API_URL=http://THIS-MACHINE:4200/api`."
            )
        runner, count = find_cluster(scheduler)
    else:
        count = min(workers or count_workers(len(plan.trials)), len(plan.trials))
        runner, shares = local_cluster(count, address_in_use()), share_processors(count)
    source = Source(commit, keep_entries(plan.root / LOCK, plan.datasets), remote, shares, len(processors()))
    display = current_display()
    display.say(f"train {len(plan.trials)} candidates: {describe(count, shares)}")
    with runner:  # no flow of its own: Prefect takes half a megabyte of a flow's parameters, and no more
        return _collect(plan, source, runner)


def _collect(plan: Plan, source: Source, runner: DaskTaskRunner) -> tuple[list[Measured], dict[Trial, str]]:
    """Give every trial to a worker, and collect what comes back. One that fails leaves the others alone."""
    display, total = current_display(), len(plan.trials)
    measured: list[Measured] = []
    failed: dict[Trial, str] = {}

    def look() -> Progress:
        done = len(measured) + len(failed)
        return Progress(done / total, f"{done} of {total}")

    with ExitStack() as stack:
        stack.enter_context(display.work("train", look))
        futures: dict[PrefectFuture[Any], Trial] = {
            runner.submit(train, {"trial": trial, "source": source}): trial for trial in plan.trials
        }
        collector = stack.enter_context(collecting(plan, source.commit, source.remote))
        for future in as_completed([*futures]):
            trial = futures[future]
            future.wait()
            try:
                if not future.state.is_completed():
                    raise PodiumError(_explain(trial, future))
                trained = cast(Trained, future.result())
                one = collector.collect(trial, trained)
            except PodiumError as error:
                failed[trial] = str(error)
                display.say(f"{trial.title}: failed", style="red")
                continue
            measured.append(one)
            how = "from DVC's cache" if trained.restored else f"trained on {trained.where}"
            display.say(f"{trial.title}: {how}, validation accuracy {one.accuracy:.4f}", trained.seconds)
        if collector.away:
            display.say(f"MLflow does not have all of it: {collector.away} The same command again publishes the rest.")
    order = {trial: number for number, trial in enumerate(plan.trials)}
    return sorted(measured, key=lambda one: order[one.trial]), failed


def _explain(trial: Trial, future: PrefectFuture[Any]) -> str:
    """Say why a trial came to nothing: what it says itself, or else what Dask says of it."""
    if future.state.is_final():
        return reason(future.state)
    error: BaseException = cast("PrefectDaskFuture[Any]", future).wrapped_future.exception()
    said = f"{trial.title}: Dask gave it up: {str(error).splitlines()[0]}"
    if isinstance(error, KilledWorker):
        return f"{said} Most often the memory is too small: `--workers 1`, or a smaller batch_size in params.yaml."
    return f"{said}. The scheduler and its workers have to be started in clones of this project, by `python -m dask`."


def _restore(plan: Plan, done: set[Trial], remote: str | None) -> None:
    """Let `dvc repro` bring what the page itself asks for: it is in the cache."""
    mine = [name for trial in plan.trials if trial.is_on_page and trial in done for name in trial.stages]
    if mine:
        if remote:
            fetch_run_cache(plan.root, remote)
        with current_display().work("restore"):
            reproduce(plan.root, mine, get_run_logger().info)


def _sum_up(plan: Plan, measured: Sequence[Measured], failed: dict[Trial, str]) -> State[Any]:
    """Rank what was measured, show it, and say in the flow's own state what came of it."""
    display, said = current_display(), []
    for dataset in plan.datasets:
        mine = [one for one in measured if one.trial.variant.dataset == dataset]
        wrong = [text for trial, text in failed.items() if trial.variant.dataset == dataset]
        if not mine:
            continue
        sheet, page = show_ranking(plan, dataset, mine, wrong)
        text = describe_ranking(sheet)
        create_markdown_artifact(
            f"{text}\n\nThe page: `{page}`. {sheet.view}", key=f"{dataset}-ranking", description=f"{dataset}: ranking"
        )
        for line in (*_lines(sheet), *sheet.describe(), f"Look at {page}"):
            display.say(line)
        said.append(f"{dataset}: {sheet.describe()[0]}")
    get_run_logger().info("%s", " ".join(said))
    if failed:
        return Failed(message="\n".join([*said, *failed.values()]))
    return Completed(message=" ".join(said))


def describe_ranking(sheet: Sheet) -> str:
    """Write a ranking as a table in Markdown."""
    lines = [
        f"**{sheet.describe()[0]}**",
        "",
        f"| | candidate | {RANKED[sheet.metric]} | best with |",
        "| --- " * 4 + "|",
    ]
    for place, one in enumerate(sheet.ranking.standings, start=1):
        lines.append(f"| {place} | {one.name} | {sheet.shown(one.estimate).value:.4f} | {percent(one.chance)} |")
    return "\n".join(lines)


def _lines(sheet: Sheet) -> list[str]:
    """Write a ranking as lines for a terminal."""
    width = max(len(one.name) for one in sheet.ranking.standings)
    lines = ["", f"{'':>3}  {'candidate':<{width}}  {RANKED[sheet.metric]:>24}  {'best with':>9}"]
    for place, one in enumerate(sheet.ranking.standings, start=1):
        shown = sheet.shown(one.estimate)
        within = "" if shown.low is None or shown.high is None else f" ({shown.low:.3f}–{shown.high:.3f})"
        value = f"{shown.value:.4f}{within}"
        open_ = "" if one.is_open else "  shown to be worse"
        lines.append(f"{place:>3}  {one.name:<{width}}  {value:>24}  {percent(one.chance):>9}{open_}")
    return [*lines, ""]
