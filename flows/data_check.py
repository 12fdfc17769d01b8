"""The data check: whether the data of every dataset is good, and what changed since another revision.

    python -m flows.data_check [NAME...] [--base REVISION] [--summary FILE]

It downloads and validates, and trains nothing: for pull requests (.github/workflows/data-validation.yml) and by the
clock (prefect.yaml). What it has to say is Markdown; a page beside it shows the images that changed.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.futures import wait
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.command import INTERRUPTED, quieten, showing, stopped_by_interrupt
from flows.errors import naming_the_library
from flows.recovery import guard_flow
from flows.server import find_server, require_server
from flows.tasks import Futures, reason, run_stage
from flows.workplace import is_deployed, workplace
from podium.config import Params, load_params
from podium.config.recipes import describe_recipes
from podium.datasets.additions import read_dataset
from podium.datasets.validation.changes import look_again, write_changes
from podium.datasets.validation.drift import compare
from podium.datasets.validation.manifest import COMPARED, load_manifest
from podium.datasets.validation.quarantine import load_review
from podium.datasets.validation.summary import describe_changes, describe_validation, read_summary
from podium.errors import PodiumError
from podium.files import remove
from podium.pages.markdown import block, code
from podium.paths import PARAMS, REVIEW, DatasetPaths, home, project_root
from podium.workspace.graph import Stage, load_stages
from podium.workspace.repro import no_stage_outlives
from podium.workspace.revisions import find_revision, read_at, restore

CHECKED = ("download", "validate")
FOLDER = Path("reports/data-check")  # the summary, and a page of the changes for each dataset
SUMMARY = FOLDER / "summary.md"


@dataclass(frozen=True)
class Plan:
    """What is to be checked, and against what."""

    root: Path  # where the stages run: the project, or an isolated clone of it
    project: Path  # where the reports go
    params: Params
    names: list[str]
    stages: list[Stage]
    base: str  # the sha of a commit


def make_plan(root: Path, targets: list[str] | None, base: str | None) -> Plan:
    """Resolve what a person asked for; see `data_check`.

    Args:
        root: where the stages run.
        targets: names of datasets.
        base: a git revision.

    Raises:
        PodiumError: there is no such dataset or revision, or the page cannot be read.
    """
    params = load_params(root / PARAMS)
    names = list(dict.fromkeys(targets or params.datasets))
    for name in names:
        params.dataset(name)
    stages = [stage for stage in load_stages(root) if stage.kind in CHECKED and stage.entry in names]
    return Plan(root, home(root), params, names, stages, find_revision(root, base or "HEAD"))


@flow(name="data-check", task_runner=ThreadPoolTaskRunner(max_workers=1))  # type: ignore[arg-type]
def data_check(targets: list[str] | None = None, base: str | None = None) -> State[Any]:
    """Download and validate datasets, and say what changed since another revision. Fails if one of them is not good.

    Started by a deployment it works in an isolated clone of what is committed, never in the folder where you edit.

    Args:
        targets: Names of datasets; none: all of params.yaml.
        base: A git revision to compare with; none: the commit that is checked out.
    """
    try:
        guard_flow(project_root())
        remove(project_root() / FOLDER)
        with workplace(project_root(), get_run_logger().info, isolated=is_deployed()) as place:
            plan = make_plan(place.root, targets, base)
            place.bring_data()
            return check(plan)
    except PodiumError as error:
        return Failed(message=str(error))


def check(plan: Plan) -> State[Any]:
    """Run the stages, write the reports, and say whether the data is good."""
    (plan.project / FOLDER).mkdir(parents=True)
    with no_stage_outlives():  # where it is interrupted or cancelled, too
        ran = submit(plan)
        wait(list(ran.values()))
    texts, bad = _check_recipes(plan.root)
    for name in plan.names:
        text, good = describe(plan, name, {kind: ran[f"{kind}@{name}"].state for kind in CHECKED})
        create_markdown_artifact(text, key=f"{name}-validation", description=f"{name}: the data check")
        texts.append(text)
        bad += [] if good else [name]
    (plan.project / SUMMARY).write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    if bad:
        return Failed(message=f"The data check failed for {', '.join(bad)}. See {SUMMARY}.")
    return Completed(message=f"The data is good: {', '.join(plan.names)}.")


def submit(plan: Plan) -> Futures:
    """Submit the stages, each after the one that it needs; a dataset that fails leaves the others alone."""
    for name in plan.names:
        if plan.params.dataset(name).validation.accepted:
            restore(plan.root, DatasetPaths(name).accepted)
        restore(plan.root, DatasetPaths(name).additions)
    ran: Futures = {}
    for stage in plan.stages:
        named = run_stage.with_options(name=stage.kind, description=stage.description)
        needs = [ran[need] for need in stage.needs if need in ran]
        ran[stage.name] = named.submit(plan.root, stage, show=False, return_state=False, wait_for=needs)
    return ran


def describe(plan: Plan, name: str, states: dict[str, State[Any]]) -> tuple[str, bool]:
    """Say in Markdown what came of a dataset, and whether it is good.

    Args:
        plan: what was checked.
        name: the dataset's.
        states: the state that each stage of it ended in.
    """
    paths = DatasetPaths(name)
    good = states["validate"].is_completed()
    summary = read_summary(plan.root / paths.validation) if states["validate"].is_final() else {}
    if not good and summary.get("verdict") != "failed":  # it broke before it could judge
        broken = next((state for state in states.values() if state.is_failed()), states["validate"])
        return f"## ❌ {name}: not checked\n\n{block(reason(broken))}", False
    found = describe_validation(name, plan.root / paths.validation)
    changed = _describe_changes(plan, name, good=good)
    where = f"All that was found: {code(paths.validation / 'index.html')}. A workflow keeps the pages as an artifact."
    return f"{found}\n\n### Since {plan.base[:10]}\n\n{changed}\n\n{where}", good


def _describe_changes(plan: Plan, name: str, *, good: bool) -> str:
    """Say what changed since the base, and write the page of it."""
    root, paths, dataset = plan.root, DatasetPaths(name), plan.params.dataset(name)
    try:
        before = _load_base(plan, paths.manifest)
        if before is None:
            return f"The base has no manifest of {name} that could be had: nothing to compare with."
        if good:
            after = load_manifest(root / paths.manifest, COMPARED)
        else:
            after = look_again(read_dataset(name, dataset.format, root), dataset, load_review(root / REVIEW, name))
        drift = compare(before, after)
        text, html = describe_changes(drift, dataset.classes), FOLDER / f"{name}.html"
        if drift.nothing:
            return text
        images = read_dataset(name, dataset.format, root)
        write_changes(f"{name} since {plan.base[:10]}", drift, after, dataset, images, plan.project / html)
    except PodiumError as error:
        return f"What changed cannot be said:\n\n{block(str(error))}"
    return f"{text}\n\nThe images that changed: {code(html)}."


def _load_base(plan: Plan, path: Path) -> pd.DataFrame | None:
    found = read_at(plan.root, path, plan.base) or b""
    with TemporaryDirectory() as folder, suppress(PodiumError, ValueError):  # another podium's columns; no Parquet
        file = Path(folder) / path.name
        file.write_bytes(found)
        return load_manifest(file, COMPARED)
    return None


def _check_recipes(root: Path) -> tuple[list[str], list[str]]:
    """Give a text for each recipe that cannot be read, and its name."""
    bad = [recipe for recipe in describe_recipes(root) if recipe.fault]
    texts = [f"## ❌ {code(f'recipes/{one.name}.yaml')} cannot be read\n\n{block(one.fault)}" for one in bad]
    return texts, [f"recipes/{one.name}.yaml" for one in bad]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check once; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flows.data_check", description="Check the data; train nothing.")
    parser.add_argument("targets", nargs="*", metavar="NAME", help="datasets; all of params.yaml by default")
    parser.add_argument("--base", metavar="REVISION", help="say what changed since this commit (default: HEAD)")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append the summary to this file, too")
    parsed = parser.parse_args(arguments)
    try:
        summary = (
            make_plan(project_root(), parsed.targets, parsed.base).project / SUMMARY
        )  # mistakes first: a server takes seconds
        with showing(sys.stderr) as display, display.work("Prefect"), naming_the_library(project_root()):
            quieten(display)
            with stopped_by_interrupt(display, is_temporary=find_server() is None):
                require_server()
                state = data_check(parsed.targets or None, parsed.base, return_state=True)
        text = summary.read_text(encoding="utf-8") if summary.is_file() else ""
    except PodiumError as error:
        state, text = Failed(message=str(error)), ""
    except KeyboardInterrupt:
        return INTERRUPTED
    print(text, end="")  # noqa: T201 - a command answers on the terminal
    print(state.message, file=sys.stderr)  # noqa: T201
    try:
        if parsed.summary:
            with parsed.summary.open("a", encoding="utf-8") as file:
                file.write(text or f"## ❌ The data was not checked\n\n{block(state.message or '')}\n")
    except OSError as error:
        print(f"The summary cannot be written to {parsed.summary}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0 if state.is_completed() else 1


if __name__ == "__main__":
    sys.exit(main())
