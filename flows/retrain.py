"""Retraining: only with a reason. Then the pipeline, the gate, and a report.

It works in an isolated clone of what is committed, so the folder in which a person edits stays as it is.
"""

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.errors import naming_the_library
from flows.limits import NO_LIMITS, StageLimits
from flows.pipeline import Ended, bring_up_to_date
from flows.reasons import KINDS, Circumstances, Kind, Reason, find_reasons
from flows.recovery import guard_flow
from flows.report import Retrained, find_last, judge, save_report, worst, write_report
from flows.workplace import Workplace, workplace
from podium.config import Params, load_params
from podium.errors import PodiumError
from podium.paths import PARAMS, project_root
from podium.tracking import Ledger
from podium.workspace.graph import load_stages, select

NO_REASON = "NoReason"
"""The name of the state of a run that had nothing to do."""
ALL_KINDS = [*KINDS]


@flow(name="retrain", task_runner=ThreadPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]
def retrain(
    targets: list[str] | None = None,
    force: bool = False,
    reasons: list[Kind] = ALL_KINDS,
    champion_days: int = 0,
    limits: StageLimits = NO_LIMITS,
) -> State[Any]:
    """Retrain if there is a reason to: bring everything up to date, let the gate decide, and report.

    It works in an isolated clone of what is committed, never in the folder where you edit. What it trained, plain
    `dvc repro` restores there; a new `dvc.lock` waits on a branch.

    Args:
        targets: Names of datasets and candidates, as params.yaml has them; none: all of them.
        force: Run the pipeline without a reason. What is up to date is not done again.
        reasons: What counts as a reason. source: the dataset's source has another archive; changed: params, code or
            data in git; age: a champion older than champion_days;
            served: requests that are not like what the champion was accepted on; labels: accepted ones that it lacks.
        champion_days: How many days old a champion may become; 0: any age.
        limits: How many minutes each stage may take; a stage that takes longer is ended.
    """
    logger = get_run_logger()
    try:
        guard_flow(project_root())
        with workplace(project_root(), logger.info, isolated=True) as place:
            params = load_params(place.root / PARAMS)
            found, faults = _find(place, params, targets, [] if force else [*reasons], champion_days)
            if force:
                found = [Reason("forced", "It was asked for.")]
            for line in (*(one.text for one in found), *faults):
                logger.info(line)
            if not found:
                return _end_without(faults)
            place.bring_data()
            anew = [f"download@{name}" for one in found for name in one.downloads]
            ended = bring_up_to_date(place.root, targets, limits, anew)
            told = _judge(place, params, targets, ended)
    except PodiumError as error:
        return Failed(message=str(error))
    return _report(place, found, faults, told)


def _find(
    place: Workplace, params: Params, targets: list[str] | None, kinds: list[Kind], champion_days: int
) -> tuple[list[Reason], list[str]]:
    datasets = _datasets(place.root, params, targets)
    circumstances = Circumstances(
        project=place.project,
        clone=place.root,
        params=params,
        datasets=tuple(datasets),
        targets=targets,
        champion_days=champion_days,
        retrained=find_last(place.project),
    )
    return find_reasons(kinds, circumstances)


def _datasets(root: Path, params: Params, targets: list[str] | None) -> list[str]:
    stages = select(load_stages(root), targets)
    return [name for name in params.datasets if any(stage.entry == name for stage in stages)]


def _end_without(faults: list[str]) -> State[Any]:
    """End a run that has nothing to do; where a reason could not be looked for, somebody has to know."""
    if faults:
        return Failed(message="\n".join(["Whether there is a reason to retrain is not known.", *faults]))
    return Completed(name=NO_REASON, message="No reason to retrain: nothing is new. `force` runs it all the same.")


def _judge(place: Workplace, params: Params, targets: list[str] | None, ended: Ended) -> list[Retrained]:
    """Say what came of each dataset."""
    failure = (ended.state.message or "It failed.") if ended.state.is_failed() else ""
    client = Ledger(place.root, params).client if ended.outcomes else None
    told = []
    for name in _datasets(place.root, params, targets):
        outcome, description = ended.outcomes.get(name), ""
        if outcome is not None and client is not None:
            with naming_the_library(place.project):
                description = client.get_model_version(name, outcome.version).description or ""
        told.append(judge(name, outcome, failure, description))
    if failure and not any(one.verdict == "failed" for one in told):  # a candidate failed, another one was judged
        told.append(Retrained("candidates", "failed", failure, "podium run"))
    return told


def _report(place: Workplace, found: list[Reason], faults: list[str], told: list[Retrained]) -> State[Any]:
    """Write the report, tell the world, and give the flow's state."""
    title = str(flow_run.name or "by hand")
    notes = [*place.notes, *faults]
    if place.branch:
        notes.append(f"The new dvc.lock waits on a branch. To have its results: `{place.branch.command}`.")
    else:
        notes.append("`dvc repro` in the project's folder restores what was trained, if that is not there yet.")
    text = write_report(title, found, told, notes)
    path = save_report(place.project, title, text)
    create_markdown_artifact(text, key="retrain", description=f"Why {title} retrained, and what came of it")
    for one in told:
        emit_event(
            event=f"podium.{one.verdict}",
            resource={"prefect.resource.id": f"podium.champion.{one.dataset}", "prefect.resource.name": one.dataset},
            payload={"dataset": one.dataset, "text": one.text, "command": one.command, "card": one.card},
        )
    message = " ".join([*(f"{one.dataset}: {one.verdict}. {one.text}" for one in told), f"Report: {path}"])
    return Failed(message=message) if worst(told) == "failed" else Completed(message=message)
