"""By the clock: served without a worker, and deployed to a work pool."""

import json
import time
import urllib.request
from typing import Any

import pytest
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import cloudpickle_wrapped_call

from tests.flows.workspace import REPOSITORY, Workspace, keep_only

pytestmark = pytest.mark.slow


def ask(address: str, path: str, content: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - a loopback address of ours
        f"{address}/{path}", json.dumps(content).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        return json.load(answer)


def scheduled_runs(address: str) -> list[Any]:
    runs = ask(address, "flow_runs/filter", {"sort": "START_TIME_ASC"})
    ended = ("COMPLETED", "FAILED", "CRASHED")
    return [run for run in runs if run["auto_scheduled"] and run["state_type"] in ended]


def wait_for_runs(address: str, count: int, seconds: float) -> list[Any]:
    deadline = time.monotonic() + seconds
    while len(runs := scheduled_runs(address)) < count:
        assert time.monotonic() < deadline, f"only {len(runs)} of {count} runs ended within {seconds:.0f} s"
        time.sleep(1)
    return runs


@pytest.mark.parametrize("entrypoint", ["flows/pipeline.py:pipeline", "flows/data_check.py:data_check"])
def test_a_flow_can_be_pickled_as_a_served_or_deployed_one_is(entrypoint: str) -> None:
    loaded = load_flow_from_entrypoint(str(REPOSITORY / entrypoint))
    assert cloudpickle_wrapped_call(loaded)


def test_a_served_schedule_fires_and_works_only_when_something_changed(quick: Workspace, prefect_server: str) -> None:
    everything = (quick.root / "params.yaml").read_text()
    quick.edit(keep_only("digits-dense"))
    quick.flow()
    with quick.running("podium", "schedule", "--cron", "* * * * *"):
        idle = wait_for_runs(prefect_server, 1, 120)[0]
        (quick.root / "params.yaml").write_text(everything)
        quick.edit(lambda page: page["schedules"]["augmented"]["phases"][0].update(epochs=12))
        worked = next(
            run for run in wait_for_runs(prefect_server, 3, 240) if "beats" in (run["state"]["message"] or "")
        )
    assert "champion already (version 1)" in idle["state"]["message"]
    assert "digits-cnn beats the champion digits-dense (version 1)" in worked["state"]["message"]
    assert quick.champion().tags["podium.candidate"] == "digits-cnn"
    assert len(quick.runs("digits-dense")) == len(quick.runs("digits-cnn")) == 1
    keys = {artifact["key"] for artifact in ask(prefect_server, "artifacts/filter", {})}
    assert {"digits-cnn-figures", "digits-cnn-published", "digits-cnn-confusion-matrix", "digits-comparison"} <= keys
    assert "digits-validation" in keys
    (run,) = quick.runs("digits-dense")
    files = {file.path for file in quick.mlflow.list_artifacts(run.info.run_id, "validation")}
    assert files == {f"validation/{name}" for name in ("index.html", "summary.json", "findings.json")}


def test_prefect_deploy_and_a_worker_run_the_flows(quick: Workspace, prefect_server: str) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.run("prefect", "work-pool", "create", "podium", "--type", "process")
    quick.run("prefect", "deploy", "--all")
    deployed = ask(prefect_server, "deployments/filter", {})
    crons = {one["name"]: one["schedules"][0]["schedule"]["cron"] for one in deployed}
    assert crons.items() >= {"nightly": "0 3 * * *", "data-check": "0 2 * * *"}.items()
    with quick.running("prefect", "worker", "start", "--pool", "podium"):
        for name in ("pipeline/nightly", "data-check/data-check"):
            quick.run("prefect", "deployment", "run", name, "--watch", "--watch-timeout", "120")
    assert quick.champion().tags["podium.candidate"] == "digits-dense"
    assert "## ✅ digits: passed" in (quick.root / "reports/data-check/summary.md").read_text()


@pytest.mark.parametrize("command", ["run", "schedule"])
def test_a_server_that_does_not_answer_is_one_message(quick: Workspace, free_port: int, command: str) -> None:
    quick.environment["PREFECT_API_URL"] = f"http://127.0.0.1:{free_port}/api"
    output = quick.run("podium", command, status=1)
    assert f"No Prefect server answers at http://127.0.0.1:{free_port}/api" in output
    assert "Traceback" not in output


def test_a_schedule_without_a_server_says_what_to_type(quick: Workspace) -> None:
    del quick.environment["PREFECT_API_URL"]
    output = quick.run("podium", "schedule", status=1)
    assert "prefect server start" in output
    assert "Traceback" not in output
