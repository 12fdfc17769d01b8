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


def wait_for_run(address: str, text: str, seconds: float) -> str:
    """Give the message of a scheduled run that has the text in it, once there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = [run for run in ask(address, "flow_runs/filter", {}) if run["auto_scheduled"]]
        assert not [run for run in runs if run["state_type"] in ("FAILED", "CRASHED")]
        messages = [run["state"]["message"] or "" for run in runs if run["state_type"] == "COMPLETED"]
        for message in messages:
            if text in message:
                return message
        time.sleep(1)
    raise AssertionError(f"no run said {text!r} within {seconds:.0f} s")


@pytest.mark.parametrize("entrypoint", ["flows/pipeline.py:pipeline", "flows/data_check.py:data_check"])
def test_a_flow_can_be_pickled_as_a_served_or_deployed_one_is(entrypoint: str) -> None:
    loaded = load_flow_from_entrypoint(str(REPOSITORY / entrypoint))
    assert cloudpickle_wrapped_call(loaded)


def test_a_served_schedule_fires_and_works_only_when_something_changed(quick: Workspace, prefect_server: str) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.flow()
    with quick.running("podium", "schedule", "--cron", "* * * * * */30"):  # every 30 seconds: a test has no time
        assert "champion already (version 1)" in wait_for_run(prefect_server, "digits-dense", 120)
        quick.edit(lambda page: page["schedules"]["quick"]["phases"][0].update(epochs=30))
        assert "digits-dense (version 1)" in wait_for_run(prefect_server, "is better than", 240)
    assert len(quick.runs("digits-dense")) == 2
    keys = {artifact["key"] for artifact in ask(prefect_server, "artifacts/filter", {})}
    of_result = {f"digits-dense-{what}" for what in ("figures", "published", "results", "confusion-matrix", "report")}
    assert of_result | {"digits-comparison", "digits-validation"} <= keys


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


@pytest.mark.parametrize("command", [pytest.param("run", marks=pytest.mark.soak), "schedule"])
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
