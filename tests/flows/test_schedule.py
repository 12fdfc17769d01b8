"""By the clock: deployed and served; in a clone, with a reason, one after the other, and told to a webhook."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import cloudpickle_wrapped_call

from flows.notify import NAMES
from tests.flows.prefect_api import ask, wait_for
from tests.flows.workspace import REPOSITORY, Workspace, keep_only
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.slow

RUN = "prefect.flow-run"


def find_run(address: str, flow: str, state: str) -> Callable[[], dict[str, Any] | None]:
    """Give what finds a run that the clock began and that ended in a state of this name."""

    def find() -> dict[str, Any] | None:
        runs = ask(address, "flow_runs/filter", {"flows": {"name": {"any_": [flow]}}})
        by_clock = [run for run in runs if run["auto_scheduled"]]
        assert not [run["state"] for run in by_clock if run["state_type"] in ("FAILED", "CRASHED")]
        return next((run for run in by_clock if run["state"]["name"] == state), None)

    return find


def read_log(address: str, run: dict[str, Any]) -> str:
    found = ask(address, "logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
    return "\n".join(line["message"] for line in found)


def schedule(address: str, name: str, *in_seconds: int) -> None:
    """Have the clock run a deployment in so many seconds."""
    (found,) = ask(address, "deployments/filter", {"deployments": {"name": {"any_": [name]}}})
    moments = [datetime.now(UTC) + timedelta(seconds=seconds) for seconds in in_seconds]
    crons = [f"{one:%M %H %d %m * %S}" for one in moments]  # the sixth field is Prefect's: a test has no time
    ask(address, f"deployments/{found['id']}/schedules", [{"schedule": {"cron": cron}} for cron in crons])
    end = (moments[-1] + timedelta(seconds=1)).isoformat()
    ask(address, f"deployments/{found['id']}/schedule", {"end_time": end})  # now, and not within a minute


def sent(receiver: Receiver, event: str) -> Callable[[], dict[str, Any] | None]:
    return lambda: next((one for one in receiver.received if one["event"] == event), None)


@pytest.mark.parametrize(
    "entrypoint", ["flows/pipeline.py:pipeline", "flows/retrain.py:retrain", "flows/data_check.py:data_check"]
)
def test_a_flow_can_be_pickled_as_a_served_or_deployed_one_is(entrypoint: str) -> None:
    loaded = load_flow_from_entrypoint(str(REPOSITORY / entrypoint))
    assert cloudpickle_wrapped_call(loaded)


@pytest.mark.soak  # the same on PostgreSQL and S3, less the queue: `tests/docker/test_native_stack.py`
def test_deployed_a_retraining_fires_promotes_once_leaves_the_folder_alone_and_is_told(
    quick: Workspace, prefect_server: str
) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.commit("one candidate")
    quick.edit(lambda page: page["schedules"]["quick"]["phases"][0].update(epochs=5000))  # somebody is at work here
    status = quick.run("git", "status", "--porcelain")
    quick.environment["PREFECT_WORKER_QUERY_SECONDS"] = "1"
    with receiving() as receiver:
        for _ in range(2):  # to set it up again adds nothing
            quick.run("podium", "notify", "--url", receiver.address)
        assert sorted(one["name"] for one in ask(prefect_server, "automations/filter", {})) == sorted(NAMES)
        quick.run("prefect", "work-pool", "create", "podium", "--type", "process")
        quick.run("prefect", "deploy", "--all")
        deployed = {one["name"]: one["schedules"] for one in ask(prefect_server, "deployments/filter", {})}
        assert {name for name, schedules in deployed.items() if schedules} >= {"retrain", "data-check"}
        quick.run("prefect", "deployment", "run", "data-check/data-check", "-p", 'targets=["nobody"]')
        with quick.running("prefect", "worker", "start", "--pool", "podium"):
            schedule(prefect_server, "retrain", 8, 14)
            first = wait_for(find_run(prefect_server, "retrain", "Completed"), 180)
            second = wait_for(find_run(prefect_server, "retrain", "NoReason"), 60)
            failed, promoted = (wait_for(sent(receiver, f"{what}ed"), 20) for what in (f"{RUN}.Fail", "podium.promot"))
        assert "nobody" in failed["text"]
        assert promoted["command"] == "podium serve"
        assert "removed" in quick.run("podium", "notify", "--remove")
    assert first["state"]["message"].startswith("digits: promoted. digits-dense (version 1) is the first champion")
    assert "No reason to retrain" in second["state"]["message"]
    states = [state["name"] for state in ask(prefect_server, f"flow_run_states/?flow_run_id={second['id']}")]
    assert "AwaitingConcurrencySlot" in states
    log = read_log(prefect_server, first)
    assert "does not have params.yaml (changed, not committed)" in log
    assert "6 of 6 stages have work to do: about" in log
    (report,) = (quick.root / "reports/retrain").glob("*.md")
    assert "digits: promoted" in report.read_text()
    keys = {artifact["key"] for artifact in ask(prefect_server, "artifacts/filter", {})}
    assert keys >= {"ahead", "retrain", "digits-dense-figures", "digits-comparison", "digits-validation"}
    assert quick.run("git", "status", "--porcelain") == status
    assert not (quick.root / "models").exists()
    assert [path.name for path in (quick.root / ".dvc/tmp/podium-clones").iterdir()] == []
    quick.run("git", "checkout", "params.yaml")
    branch = quick.run("git", "branch", "--list", "podium/*", "--format=%(refname:short)").strip()
    quick.run("git", "merge", "-q", branch)
    quick.run("dvc", "checkout")
    assert "up to date" in quick.run("dvc", "status")
    assert quick.champion().tags["podium.candidate"] == "digits-dense"


def test_served_without_a_worker_a_flow_fires_in_a_clone_and_its_report_is_the_projects(
    quick: Workspace, prefect_server: str
) -> None:
    quick.edit(lambda page: page["datasets"].update(other=page["datasets"]["digits"]))  # not committed
    with quick.running("podium", "schedule", "data-check", "--cron", "* * * * * */3"):
        wait_for(find_run(prefect_server, "data-check", "Completed"), 120)
    summary = (quick.root / "reports/data-check/summary.md").read_text()
    assert "## ✅ digits: passed" in summary
    assert "other" not in summary
    assert not (quick.root / "data/raw").exists()


@pytest.mark.soak  # in `make test`: `test_machine.py`
@pytest.mark.parametrize("command", ["run", "schedule"])
def test_a_server_that_does_not_answer_is_one_message(quick: Workspace, free_port: int, command: str) -> None:
    quick.environment["PREFECT_API_URL"] = f"http://127.0.0.1:{free_port}/api"
    output = quick.run("podium", command, status=1)
    assert f"No Prefect server answers at http://127.0.0.1:{free_port}/api" in output
    assert "Traceback" not in output


def test_a_schedule_without_a_server_and_one_that_is_no_cron_say_what_to_type(quick: Workspace) -> None:
    output = quick.run("podium", "schedule", "--cron", "every night", status=1)
    assert "'every night' is no cron line" in output
    assert "Traceback" not in output
    del quick.environment["PREFECT_API_URL"]
    output = quick.run("podium", "schedule", status=1)
    assert "prefect server start" in output
    assert "Traceback" not in output
