"""The flow on changing pages, with real servers and on bad days."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.flows.terminal import see
from tests.flows.workspace import Workspace, keep_only, stop

pytestmark = pytest.mark.slow


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds:.0f} s"
        time.sleep(0.2)


EPOCHS = 40


def test_a_training_that_was_killed_is_gone_on_with_replaces_the_champion_and_a_rollback_brings_that_back(
    quick: Workspace,
) -> None:
    assert "digits-dense (version 1) is the first champion" in quick.flow("digits-dense")
    (first,) = quick.runs("digits-dense")
    assert quick.champion().run_id == first.info.run_id

    quick.edit(lambda page: page["schedules"]["augmented"]["phases"][0].update(epochs=EPOCHS))
    history = quick.root / "models/digits-cnn/history.csv"
    with quick.running(sys.executable, "-m", "flows.pipeline", "digits-cnn") as process:
        wait_until(lambda: history.is_file() and history.read_text().count("\n") > 3 and _has_curve(quick), 120)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # it alone: nobody tells DVC and the stage
        process.wait()
        wait_until(lambda: not any(_is_alive(child) for child in family), 10)
    assert len(history.read_text().splitlines()) < EPOCHS + 1
    assert [run.info.status for run in quick.runs("digits-cnn")] == ["RUNNING"]

    output = quick.flow()
    assert "was killed; it is closed." in output
    assert "resumes after epoch" in output
    (run,) = quick.runs("digits-cnn")
    assert run.info.status == "FINISHED"
    assert "up to date" in quick.run("dvc", "status")
    curve = quick.mlflow.get_metric_history(run.info.run_id, "curve/accuracy")
    assert [point.step for point in curve] == list(range(1, EPOCHS + 1))

    assert str(quick.champion().version) == "2", output
    assert quick.champion().run_id == run.info.run_id
    assert str(quick.mlflow.get_model_version_by_alias("digits", "previous").version) == "1"
    card = {item.path for item in quick.mlflow.list_artifacts(quick.champion().run_id, "decisions/0002")}
    assert {f"decisions/0002/{name}" for name in ("decision.json", "pairs.parquet", "card.md", "index.html")} <= card
    assert "digits/1 is champion again" in quick.run("podium", "rollback", "digits", "--why", "a test")
    assert str(quick.champion().version) == "1"
    lines = quick.run("podium", "history", "digits").splitlines()
    assert [line.split()[4] for line in lines if line[:4].strip().isdigit()] == ["decide", "decide", "rollback"]


@pytest.mark.soak  # in `make test` the stages train several seeds, and `test_figures.py` says what is published
def test_several_seeds_are_published_with_their_spread(quick: Workspace) -> None:
    quick.edit(lambda page: page["schedules"]["quick"].update(repeats=2))
    quick.flow("digits-dense")
    (run,) = quick.runs("digits-dense")
    assert run.data.metrics["repeats/seeds"] == 2
    assert run.data.metrics["repeats/test_accuracy_mean"] != run.data.metrics["test/accuracy"]


@pytest.mark.soak
def test_a_restored_result_makes_no_second_run(quick: Workspace) -> None:
    quick.edit(keep_only("digits-dense"))
    before = (quick.root / "params.yaml").read_text()
    quick.flow()
    quick.edit(lambda page: page["schedules"]["quick"]["phases"][0].update(epochs=3))
    quick.flow()
    assert len(quick.runs("digits-dense")) == 2
    (quick.root / "params.yaml").write_text(before)
    quick.flow()
    assert len(quick.runs("digits-dense")) == 2


@pytest.mark.soak
def test_results_of_plain_dvc_repro_are_published_later(quick: Workspace) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.run("dvc", "repro")
    output = quick.flow()
    assert "0 of 6 stages had work to do" in output
    (run,) = quick.runs("digits-dense")
    assert len(quick.mlflow.get_metric_history(run.info.run_id, "curve/loss")) == 2


@pytest.mark.soak
def test_new_splits_make_the_old_champion_show_itself_again(quick: Workspace) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.flow()
    quick.edit(lambda page: page["datasets"]["digits"]["split"].update(seed=1))
    quick.flow()
    first, second = quick.mlflow.search_model_versions("name = 'digits'", order_by=["version_number ASC"])
    assert "decision 2" in second.description
    assert first.tags["podium.splits"] != second.tags["podium.splits"]


@pytest.mark.soak  # SIGINT is tested in a terminal, below; SIGTERM where a worker is killed
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_no_training_outlives_its_flow(quick: Workspace, how: signal.Signals) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.edit(lambda page: page["schedules"]["quick"]["phases"][0].update(epochs=5000))
    history = quick.root / "models/digits-dense/history.csv"
    with quick.running(sys.executable, "-m", "flows.pipeline") as process:
        wait_until(lambda: history.is_file() and history.read_text().count("\n") > 2, 120)
        training = [
            child for child in psutil.Process(process.pid).children(recursive=True) if "train" in child.cmdline()
        ]
        assert training
        process.send_signal(how)
        status = process.wait(timeout=60)
        assert status == 130 if how == signal.SIGINT else status != 0
    wait_until(lambda: not any(_is_alive(child) for child in training), 5)


def test_in_a_terminal_a_line_moves_and_an_interrupt_ends_everything_within_seconds(
    quick: Workspace, prefect_database: Path
) -> None:
    del quick.environment["PREFECT_API_URL"]  # Prefect's temporary server gets the same interrupt
    quick.environment["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "1"  # it gets more
    quick.use_prefect_database(prefect_database)
    quick.edit(lambda page: page["schedules"]["quick"]["phases"][0].update(epochs=5000))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flows.pipeline"]
    process = subprocess.Popen(
        command,
        cwd=quick.root,
        env=quick.environment | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    raw, began, interrupted = b"", time.monotonic(), 0.0
    try:
        while chunk := _read(ours):
            raw += chunk
            assert time.monotonic() - began < 240
            if not interrupted and re.search(rb"epoch [3-9]/5000, \d+ s left", raw):
                family = psutil.Process(process.pid).children(recursive=True)
                os.killpg(process.pid, signal.SIGINT)  # as the terminal does it
                interrupted = time.monotonic()
        status = process.wait(timeout=60)
    finally:
        stop(process)  # type: ignore[arg-type]
        os.close(ours)
    assert (status, time.monotonic() - interrupted < 30) == (130, True)
    assert family
    wait_until(lambda: not any(_is_alive(child) for child in family), 10)
    lines = [line for line in see(raw.decode()) if line]
    assert re.fullmatch(r"9 of 9 stages have work to do: about .* on this machine\.", lines[0])
    assert [line.partition(":")[0] for line in lines[1:-1]] == [
        "download digits",
        "validate digits",
        "preprocess digits",
    ]
    assert lines[-1].endswith("Stopped. What is done is kept; the same command goes on from there.")
    assert max(map(len, lines)) <= 100


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has it open any more
        return b""


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _has_curve(workspace: Workspace) -> bool:
    if not (workspace.root / "mlflow.db").exists():
        return False
    experiment = workspace.mlflow.get_experiment_by_name("digits")
    runs = workspace.runs("digits-cnn") if experiment else []
    return bool(runs) and "curve/loss" in runs[0].data.metrics


def test_a_bad_dataset_stops_before_training_and_a_bad_candidate_leaves_the_others_alone(
    quick: Workspace,
) -> None:
    def spoil(page: dict[str, Any]) -> None:
        page["datasets"]["more"] = deepcopy(page["datasets"]["digits"])
        page["datasets"]["more"]["validation"]["critical"]["minimum_per_class"] = 175
        page["candidates"]["more-dense"] = page["candidates"]["digits-dense"] | {"dataset": "more"}
        page["schedules"]["augmented"]["phases"][0]["trainable"] = "head"

    quick.edit(spoil)
    output = quick.flow(status=1)
    assert output.count("every class has at least 175 images") == 1
    assert "eight (count 174)" in output
    assert not (quick.root / "data/manifests/more.parquet").exists()
    assert output.count("has no pretrained backbone") == 1
    assert "train digits-cnn: failed" in output
    assert "2 of 15 stages failed, 6 that need them did not run" in output
    assert "Traceback" not in output
    assert quick.champion().tags["podium.candidate"] == "digits-dense"


@pytest.mark.soak  # a server that goes away in the middle: `test_recovery.py`
def test_an_outage_of_mlflow_costs_no_training(quick: Workspace, free_port: int) -> None:
    quick.edit(keep_only("digits-dense"))
    quick.environment |= {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    output = quick.flow()
    assert f"MLflow at http://127.0.0.1:{free_port} did not do its part" in output
    assert "digits-dense is kept in .dvc/tmp/podium-spool (1 result" in output
    assert "digits: the promotion waits until MLflow has all results" in output
    assert quick.accuracy("digits-dense", "test") > 0.3
    assert "1 result" in quick.run("podium", "sync", status=1)
    del quick.environment["MLFLOW_TRACKING_URI"]
    output = quick.run("podium", "sync")
    assert output.count("sent, run") == 1
    assert "MLflow has everything." in output
    (run,) = quick.runs("digits-dense")
    assert len(quick.mlflow.get_metric_history(run.info.run_id, "curve/loss")) == 2
    output = quick.flow()
    assert "0 of 6 stages had work to do" in output
    assert "digits-dense (version 1) is the first champion" in output
    assert len(quick.runs("digits-dense")) == 1
