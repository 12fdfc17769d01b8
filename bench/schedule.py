"""A scheduled retraining: how soon it starts after its time, and what it adds to the work of its tasks.

A Prefect server and a process worker run already. The clock begins `retrain/retrain` by a cron of its own, each time
after a commit that changed the epochs of a small model, so that there is a reason and training, evaluation, publication
and challenge are real. The last run finds no reason. The overhead is what is left of a run, from its due time to its
end, without the time in its tasks: the start of the process, imports, the isolated clone, the reasons, the data's
links, the report, and Prefect between two tasks.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

from bench.measure import BenchError
from bench.noop_flow import prefect_server
from bench.options import Options
from bench.report import Row, seconds
from bench.workspace import Workspace, workspace

DURATION = "About four minutes"

START, OVERHEAD = 5.0, 10.0
"""Targets, seconds."""
AHEAD = 12
"""Seconds from now to when a run is due."""
PATIENCE = 300
"""Seconds that a run may take."""

Run = dict[str, Any]


def measure(options: Options) -> list[Row]:
    """Time several runs with a reason, and one without."""
    with workspace() as project:
        project.use("digits")
        with prefect_server(project):
            project.run("prefect", "work-pool", "create", "podium", "--type", "process")
            project.run("prefect", "deploy", "--all")
            with worker(project):
                worked = [_retrain(project, epochs) for epochs in range(2, 2 + options.repeat(3))]
                idle = _run(project)
    return [
        _row("from due to begun", [_begun(run) for run, _ in worked], START),
        _row("a run with a reason, without its tasks", [_total(run) - busy for run, busy in worked], OVERHEAD),
        Row("its tasks", seconds([busy for _, busy in worked])),
        _row("a run without a reason, from due to end", [_total(idle)], OVERHEAD),
    ]


@contextmanager
def worker(project: Workspace) -> Iterator[None]:
    """Run a process worker; it is stopped whatever happens."""
    with project.running("prefect", "worker", "start", "--pool", "podium"):
        time.sleep(AHEAD)  # it is warm then
        yield


def _retrain(project: Workspace, epochs: int) -> tuple[Run, float]:
    """Change the page, commit it, and wait for the clock; give the run, and the seconds in its tasks."""
    with project.page() as page:
        page["candidates"] = {"digits-dense": page["candidates"]["digits-dense"]}
        page["schedules"]["quick"]["phases"][0]["epochs"] = epochs
    author = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    project.run("git", *author, "commit", "--quiet", "--all", "--message", f"{epochs} epochs")
    run = _run(project)
    tasks = _ask(project, "task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    return run, sum(float(task["total_run_time"]) for task in tasks)


def _run(project: Workspace) -> Run:
    """Have the clock run the retraining, and wait for its end."""
    (found,) = _ask(project, "deployments/filter", {"deployments": {"name": {"any_": ["retrain"]}}})
    due = datetime.now(UTC) + timedelta(seconds=AHEAD)
    cron = {"schedule": {"cron": f"{due:%M %H %d %m * %S}"}}
    _ask(project, f"deployments/{found['id']}/schedules", [cron])
    end = (due + timedelta(seconds=1)).isoformat()
    _ask(project, f"deployments/{found['id']}/schedule", {"end_time": end})
    deadline = time.monotonic() + PATIENCE
    after = (due - timedelta(seconds=2)).isoformat()
    wanted = {"flow_runs": {"expected_start_time": {"after_": after, "before_": end}}}
    while time.monotonic() < deadline:
        for run in _ask(project, "flow_runs/filter", wanted):
            if run["state_type"] == "COMPLETED":
                return dict(run)
            if run["state_type"] in ("FAILED", "CRASHED", "CANCELLED"):
                raise BenchError(f"The run ended as {run['state']['name']}: {run['state']['message']}")
        time.sleep(1)
    raise BenchError(f"No run ended within {PATIENCE} s.")


def _begun(run: Run) -> float:
    return (_moment(run["start_time"]) - _moment(run["expected_start_time"])).total_seconds()


def _total(run: Run) -> float:
    return (_moment(run["end_time"]) - _moment(run["expected_start_time"])).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _row(what: str, values: list[float], target: float) -> Row:
    return Row(what, seconds(values), target=f"under {target:g} s", reached=max(values) < target)


def _ask(project: Workspace, path: str, content: Any) -> Any:
    address = f"{project.environment['PREFECT_API_URL']}/{path}"
    request = urllib.request.Request(  # noqa: S310 - a loopback address of ours
        address, json.dumps(content).encode(), {"content-type": "application/json"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + AHEAD / 2
    while True:
        try:
            with direct.open(request, timeout=60) as answer:
                return json.load(answer)
        except HTTPError as error:  # 503: its SQLite is busy
            if error.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
