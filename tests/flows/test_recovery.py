"""A worker, Prefect's server and MLflow's are killed in the middle of a training; the next run goes on."""

import signal
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore, EventTrigger
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.settings.models.flows import FlowsSettings

from flows.recovery import NOTES, close_killed
from podium.paths import CLONES
from podium.workspace.checkpoints import KEPT
from tests.flows.prefect_api import ask
from tests.flows.test_pipeline import wait_until
from tests.flows.workspace import REPOSITORY, Workspace, keep_only, processes_in, stop
from tests.servers import find_free_port, wait_for

pytestmark = pytest.mark.slow

EPOCHS = 25
HISTORY = Path("models/digits-cnn/history.csv")


def train_long(workspace: Workspace, seed: int) -> None:
    """Have a training last some seconds. Each test has a seed of its own: DVC's cache is shared."""
    workspace.edit(keep_only("digits-cnn"))
    workspace.edit(lambda page: page["schedules"]["augmented"].update(seed=seed))
    workspace.edit(lambda page: page["schedules"]["augmented"]["phases"][0].update(epochs=EPOCHS))


def is_training(history: Path) -> bool:
    return history.is_file() and 3 < history.read_text().count("\n") < EPOCHS


def deploy(address: str, workspace: Workspace, pool: str) -> str:
    """Deploy the pipeline to a new work pool, as `prefect deploy` does; give the deployment's id."""
    ask(address, "work_pools/", {"name": pool, "type": "process"})
    flow = ask(address, "flows/", {"name": "pipeline"})
    content = {
        "name": pool,
        "flow_id": flow["id"],
        "entrypoint": "flows/pipeline.py:pipeline",
        "work_pool_name": pool,
        "pull_steps": [
            {"prefect.deployments.steps.set_working_directory": {"directory": str(workspace.root)}},
        ],
    }
    return str(ask(address, "deployments/", content)["id"])


def begin(address: str, deployment: str) -> str:
    return str(ask(address, f"deployments/{deployment}/create_flow_run", {"state": {"type": "SCHEDULED"}})["id"])


def state(address: str, run: str) -> str:
    (found,) = ask(address, "flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    return str(found["state"]["name"])


def kill_a_worker(workspace: Workspace, address: str, pool: str) -> str:
    """Kill a worker in the middle of a training, make sure that nothing runs on, and give its deployment's id."""
    train_long(workspace, 101)
    workspace.commit("a long training")  # a worker's runs work in clones
    deployment = deploy(address, workspace, pool)
    run = begin(address, deployment)
    with workspace.running("prefect", "worker", "start", "--pool", pool, "--type", "process") as worker:
        wait_until(lambda: any(map(is_training, workspace.root.glob(f"{CLONES}/*/clone/{HISTORY}"))), 180)
        worker.kill()  # it alone: its run is in another session
        worker.wait()
        wait_until(lambda: not processes_in(workspace.root), 60)
    assert state(address, run) == "Crashed"
    return deployment


def test_with_a_worker_that_is_killed_its_run_ends_and_keeps_what_it_reached(
    quick: Workspace, prefect_server: str
) -> None:
    kill_a_worker(quick, prefect_server, "kills")
    assert not list((quick.root / CLONES).iterdir())
    assert (quick.root / KEPT / "models/digits-cnn/checkpoint.npz").is_file()


@pytest.mark.soak
def test_the_next_run_of_a_killed_worker_s_deployment_goes_on(quick: Workspace, prefect_server: str) -> None:
    run = begin(prefect_server, kill_a_worker(quick, prefect_server, "kills-again"))
    with quick.running("prefect", "worker", "start", "--pool", "kills-again", "--type", "process"):
        wait_until(lambda: state(prefect_server, run) == "Completed", 180)
    assert "resumes after epoch" in (quick.root.parent / f"{quick.root.name}-process.log").read_text()
    (of_mlflow,) = quick.runs("digits-cnn")
    assert of_mlflow.info.status == "FINISHED"
    assert not (quick.root / KEPT / "models/digits-cnn/checkpoint.npz").exists()


def test_the_servers_of_prefect_and_mlflow_are_killed_in_the_middle_of_a_training(
    quick: Workspace, prefect_database: Path
) -> None:
    quick.use_prefect_database(prefect_database)
    train_long(quick, 102)
    prefect, mlflow = (f"http://127.0.0.1:{find_free_port()}" for _ in range(2))
    serve_prefect = ("prefect", "server", "start", "--port", prefect.rpartition(":")[2])
    store = ("--backend-store-uri", f"sqlite:///{quick.root.parent / 'server.db'}")
    artifacts = ("--artifacts-destination", str(quick.root.parent / "server-artifacts"))
    serve_mlflow = ("mlflow", "server", *store, *artifacts, "--workers", "1", "--port", mlflow.rpartition(":")[2])
    del quick.environment["PREFECT_API_URL"]
    quick.environment |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with quick.running(*serve_prefect) as one, quick.running(*serve_mlflow) as other:
        wait_for(f"{prefect}/api/health", one)
        wait_for(f"{mlflow}/health", other)
        quick.environment |= {"PREFECT_API_URL": f"{prefect}/api", "MLFLOW_TRACKING_URI": mlflow}
        with quick.running(sys.executable, "-m", "flows.pipeline") as flow:
            wait_until(lambda: is_training(quick.root / HISTORY), 180)
            for server in (one, other):
                stop(server, signal.SIGKILL)
            with quick.running(*serve_prefect) as again:
                wait_for(f"{prefect}/api/health", again)
                assert flow.wait(300) == 0  # Prefect's client waited for its server
                (run,) = ask(f"{prefect}/api", "flow_runs/filter", {})
    assert run["state"]["name"] == "Completed"
    with quick.running(*serve_mlflow) as other:
        wait_for(f"{mlflow}/health", other)
        assert "digits-cnn" in quick.run("podium", "sync")
        assert [run.info.status for run in quick.runs("digits-cnn")] == ["FINISHED"]
    assert "up to date" in quick.run("dvc", "status")
    assert not processes_in(quick.root)


def test_only_runs_of_this_server_whose_process_is_gone_are_closed(tmp_path: Path, prefect_server: str) -> None:
    flow = ask(prefect_server, "flows/", {"name": "left"})["id"]
    content = {"flow_id": flow, "state": {"type": "RUNNING", "name": "Running"}}
    killed, at_work, elsewhere = (str(ask(prefect_server, "flow_runs/", content)["id"]) for _ in range(3))
    unknown, notes = "00000000-0000-4000-8000-000000000000", tmp_path / NOTES
    notes.mkdir(parents=True)
    for run in (killed, at_work, elsewhere, unknown):
        (notes / run).write_text(prefect_server if run != elsewhere else "http://127.0.0.1:9/api")
    with (
        temporary_settings({PREFECT_API_URL: prefect_server}),
        FileLock(notes / f"{at_work}.lock"),
        get_client(sync_client=True) as client,
    ):
        close_killed(tmp_path, client)
    assert [state(prefect_server, run) for run in (killed, at_work, elsewhere)] == ["Crashed", "Running", "Running"]
    assert {path.name for path in notes.iterdir() if path.suffix != ".lock"} == {at_work, elsewhere}


@pytest.mark.soak
def test_a_deployment_whose_project_was_moved_says_where_it_looked(quick: Workspace, prefect_server: str) -> None:
    run = begin(prefect_server, deploy(prefect_server, quick, "moved"))
    moved = quick.root.with_name("moved")
    quick.root.rename(moved)
    quick.root = moved
    with quick.running("prefect", "worker", "start", "--pool", "moved", "--type", "process"):
        wait_until(lambda: state(prefect_server, run) in ("Crashed", "Failed"), 120)
    log = (moved.parent / "moved-process.log").read_text()
    assert 'No such file or directory: "' in log
    assert "1?" in log


def test_prefect_takes_the_automation_of_the_docs() -> None:
    text = (REPOSITORY / "docs/recovery.md").read_text(encoding="utf-8")
    automation = AutomationCore.model_validate(yaml.safe_load(text.split("```yaml\n")[1].split("```")[0]))
    assert isinstance(automation.trigger, EventTrigger)
    assert automation.trigger.within.total_seconds() > 3 * FlowsSettings().heartbeat_frequency
