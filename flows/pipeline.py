"""The pipeline: every stage of `dvc.yaml` as a Prefect task, its results in MLflow, the best one champion.

    python -m flows.pipeline

It works without a Prefect server (Prefect starts one for the time of the run) and with one, by hand and on a
schedule. What did not change is not done again.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.futures import wait
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.ahead import describe_ahead
from flows.artifacts import describe_accuracy, rank, show_comparison, show_result
from flows.display import Row, current_display
from flows.errors import naming_the_library
from flows.estimate import Durations
from flows.limits import NO_LIMITS, StageLimits
from flows.recovery import guard_flow
from flows.tasks import CACHED, Futures, is_transient, is_tried_again, reason, run_stage, telling_retries
from flows.workplace import is_deployed, workplace
from podium.config import Params, load_params
from podium.errors import PodiumError, TransientError
from podium.paths import PARAMS, CandidatePaths, home, project_root
from podium.registry.outcome import Outcome
from podium.registry.promotion import promote
from podium.tracking import Ledger, Result, tracking_uri, where_to_look
from podium.workspace.graph import Stage, load_stages, select
from podium.workspace.repro import no_stage_outlives

KEPT = "Kept"
"""The name of the state of a publication that waits in the spool, as MLflow does not take it now."""


@task(name="sync")
def sync(root: Path) -> State[Any]:
    """Send what earlier runs could not, and close the runs that kills left."""
    ledger = Ledger(root, load_params(root / PARAMS))
    waited = bool(ledger.spool.snapshots())
    with current_display().work("sync"):
        said = ledger.sync()
    for line in said if waited else ():
        current_display().say(f"sync {line}")
    return Completed(message=" ".join(said) or "nothing waited")


@task(task_run_name="publish@{candidate}", retries=1, retry_delay_seconds=10, retry_condition_fn=is_transient)
def publish(root: Path, candidate: str) -> Result | State[Any]:
    """Make sure that MLflow has a candidate's result; where MLflow does not take it now, that it is kept."""
    params = load_params(root / PARAMS)
    title, ledger = f"publish {candidate}", Ledger(root, params)
    try:
        with current_display().work(title), telling_retries(title), naming_the_library(root):
            result = ledger.publish(candidate)
    except TransientError as error:
        kept = ledger.keep(candidate)  # at once: a kill may end the waiting
        if is_tried_again():
            raise
        return Completed(message=f"{error.what} {kept}", name=KEPT)
    if result.is_new:
        show_result(result, root / CandidatePaths(candidate, params.candidate(candidate).dataset).reports)
    return result


@task(task_run_name="promote@{dataset}", retries=3, retry_delay_seconds=10, retry_condition_fn=is_transient)
def promote_best(root: Path, dataset: str, results: list[Result]) -> State[Any]:
    """Let the best result of a dataset challenge its champion."""
    title = f"promote {dataset}"
    with current_display().work(title), telling_retries(title), naming_the_library(root):
        params = load_params(root / PARAMS)
        outcome = promote(Ledger(root, params).client, params, dataset, results, root)
    if outcome.promoted or any(result.is_new for result in results):
        show_comparison(dataset, results, outcome)
    return Completed(message=outcome.reason, data=outcome)


@dataclass(frozen=True)
class Ended:
    """What came of bringing datasets and candidates up to date.

    Attributes:
        state: for the flow.
        outcomes: of the challenges, by dataset.
    """

    state: State[Any]
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@flow(name="pipeline", task_runner=ThreadPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]
def pipeline(targets: list[str] | None = None, limits: StageLimits = NO_LIMITS) -> State[Any]:
    """Bring datasets and candidates up to date, publish what is new, and promote the best.

    Started by a deployment it works in an isolated clone of what is committed, never in the folder where you edit.

    Args:
        targets: Names of datasets and candidates, as params.yaml has them; none: all of them.
        limits: How many minutes each stage may take; a stage that takes longer is ended.
    """
    try:
        guard_flow(project_root())
        with workplace(project_root(), get_run_logger().info, isolated=is_deployed()) as place:
            place.bring_data()
            return bring_up_to_date(place.root, targets, limits).state
    except PodiumError as error:
        return Failed(message=str(error))


def bring_up_to_date(root: Path, targets: list[str] | None, limits: StageLimits, anew: Sequence[str] = ()) -> Ended:
    """Run what is out of date, publish what is new, and promote the best.

    Args:
        root: the root of the project or of an isolated clone of it.
        targets: names of datasets and candidates; None: all of params.yaml.
        limits: how long each stage may take.
        anew: names of the stages that run even if they are up to date.

    Raises:
        PodiumError: the page or one of DVC's files cannot be read, or a target has no stage.
    """
    params = load_params(root / PARAMS)
    stages = select(load_stages(root), targets)
    say_ahead(root, params, targets)
    with no_stage_outlives():  # where it is interrupted or cancelled, too
        ran, published = submit(root, stages, params, limits, anew)
        promoted = {}
        for dataset in params.datasets:
            mine = [future for name, future in published.items() if params.candidates[name].dataset == dataset]
            wait(mine)
            good = [future.result() for future in mine if future.state.is_completed() and future.state.name != KEPT]
            if good and not any(future.state.name == KEPT for future in mine):
                promoted[dataset] = promote_best.submit(root, dataset, good)
        state = sum_up(root, params, ran, published, promoted)
        outcomes: dict[str, Any] = {k: v.result() for k, v in promoted.items() if v.state.is_completed()}
        return Ended(state, outcomes)


def say_ahead(root: Path, params: Params, targets: list[str] | None) -> None:
    """Say in Prefect's log, and beside the run in its pages, how long it will take; on a terminal it was said."""
    ahead = current_display().ahead or describe_ahead(root, params, targets)
    get_run_logger().info(ahead)
    create_markdown_artifact(ahead, key="ahead", description="What this run has to do, and how long that takes")


def submit(
    root: Path, stages: list[Stage], params: Params, limits: StageLimits, anew: Sequence[str]
) -> tuple[Futures, Futures]:
    """Submit every stage as a task that waits for the stages it needs, and every candidate's publication.

    Returns:
        The stages' futures by the stages' names, and the publications' by the candidates' names.
    """
    ran: Futures = {}
    published: Futures = {}
    left = Counter(stage.entry for stage in stages)
    for stage in stages:
        named = run_stage.with_options(name=stage.kind, description=stage.description)
        needs = [ran[need] for need in stage.needs]
        ran[stage.name] = named.submit(
            root,
            stage,
            anew=stage.name in anew,
            seconds=limits.seconds(stage.kind),
            return_state=False,
            wait_for=needs,
        )
        left[stage.entry] -= 1
        if stage.entry in params.candidates and not left[stage.entry]:
            if not published:
                sync.submit(root)
            ends = [future for name, future in ran.items() if name.endswith(f"@{stage.entry}")]
            published[stage.entry] = publish.submit(root, stage.entry, return_state=False, wait_for=ends)
    return ran, published


def sum_up(root: Path, params: Params, ran: Futures, published: Futures, promoted: Futures) -> State[Any]:
    """Wait for everything, show the results, and say in the flow's own state what came of it."""
    everything = (
        ran | {f"publish@{k}": v for k, v in published.items()} | {f"promote@{k}": v for k, v in promoted.items()}
    )
    wait(list(everything.values()))
    kept = {name: future.state for name, future in published.items() if future.state.name == KEPT}
    results = [one.result() for name, one in published.items() if one.state.is_completed() and name not in kept]
    reasons = [state.message or "" for state in kept.values()]
    for dataset in dict.fromkeys(params.candidate(name).dataset for name in kept):
        reasons.append(f"{dataset}: the promotion waits until MLflow has all results; then `podium run` decides.")
    reasons += [future.state.message or "" for future in promoted.values() if future.state.is_completed()]
    stages = describe_stages([future.state for future in ran.values()])
    current_display().result(_rows(root, params, results), [*reasons, stages])
    get_run_logger().info(
        "%s. %s\nRuns and models: %s\nReports: %s",
        stages,
        " ".join(reasons),
        where_to_look(tracking_uri(root)),
        home(root) / "reports",
    )
    failed = [reason(future.state) for future in everything.values() if future.state.is_failed()]
    if failed:
        return Failed(message="\n".join(failed))
    return Completed(message=" ".join(reasons) or "There was nothing to promote.")


def describe_stages(states: list[State[Any]]) -> str:
    """Say how many stages had work to do, or failed, in words without a full stop."""
    failed = sum(state.is_failed() for state in states)
    if failed:
        left = sum(not state.is_final() for state in states)
        return f"{failed} of {len(states)} stages failed" + f", {left} that need them did not run" * bool(left)
    return f"{sum(state.name != CACHED for state in states)} of {len(states)} stages had work to do"


def _rows(root: Path, params: Params, results: list[Result]) -> list[Row]:
    """Give each result's line of the table, by dataset, the best first."""
    durations, datasets = Durations(root, params), [*params.datasets]
    return [
        Row(
            dataset=params.candidate(one.candidate).dataset,
            candidate=one.candidate,
            validation=describe_accuracy(one, "validation"),
            test=describe_accuracy(one, "test"),
            seconds=durations.of(f"train@{one.candidate}"),
        )
        for one in sorted(rank(results), key=lambda one: datasets.index(params.candidate(one.candidate).dataset))
    ]


if __name__ == "__main__":
    from flows.run import main

    sys.exit(main(sys.argv[1:]))
