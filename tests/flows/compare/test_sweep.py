"""Sweeps for real: Dask's workers, DVC's cache and remote, MLflow; and a worker that is killed at work."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from socket import create_server

import boto3
import psutil
import pytest

from tests.flows.workspace import Workspace, keep_only, stop
from tests.servers import find_free_port, wait_for

pytestmark = pytest.mark.slow

DASK = (sys.executable, "-m", "dask")
GRID = "candidates.digits-cnn.model.dropout=0.1"
SWEEP = (sys.executable, "-m", "podium.cli", "sweep")


def stages_of(family: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """The trainings that a process has going on somewhere below it: the candidate, and the worker that it is under."""
    with suppress(psutil.NoSuchProcess):
        for worker in family.children():
            for child in worker.children(recursive=True):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    words = child.cmdline()
                    if words[1:4] == ["-m", "stages", "train"] and "-m dvc" not in " ".join(worker.cmdline()):
                        yield words[4], worker


@pytest.fixture
def another_cluster() -> Iterator[None]:
    """Dask's usual port is taken, as by a cluster that somebody else runs here."""
    with ExitStack() as stack:
        with suppress(OSError):  # it is
            stack.enter_context(create_server(("127.0.0.1", 8787)))
        yield


@pytest.mark.usefixtures("another_cluster")
def test_a_worker_that_dies_is_replaced_and_only_its_candidate_repeats(quick: Workspace) -> None:
    quick.edit(lambda page: page["candidates"]["digits-dense"]["model"].update(units=[13]))
    quick.edit(lambda page: page["candidates"]["digits-cnn"]["model"].update(filters=[7]))  # nobody trained these yet
    begun: list[tuple[str, int]] = []
    killed = ""
    process = quick.start(*SWEEP, "--workers", "2", "-S", GRID, "digits")
    try:
        while process.poll() is None:
            for candidate, worker in stages_of(psutil.Process(process.pid)):
                if (candidate, worker.pid) not in begun:
                    begun.append((candidate, worker.pid))
                if not killed and len({name for name, _ in begun}) == 2:
                    killed = candidate
                    for one in (worker, *worker.children(recursive=True)):  # as if its machine had lost power
                        one.kill()
            time.sleep(0.05)
    finally:
        stop(process)
    said = (quick.root.parent / f"{quick.root.name}-digits.log").read_text()
    assert process.returncode == 0, said
    assert sorted(name for name, _ in begun) == sorted(["digits-dense", "digits-cnn", killed])

    assert "shown to be worse" in said or "cannot be told apart" in said
    assert "distributed" not in said
    assert "Traceback" not in said
    (page,) = (quick.root / "reports/digits/sweep").glob("*.html")
    assert f"Look at {page.relative_to(quick.root)}" in said
    for candidate, name in {"digits-dense": "digits-dense", "digits-cnn": "digits-cnn, dropout 0.1, seed 0"}.items():
        (run,) = quick.runs(candidate)
        assert run.info.run_name == name
        assert [tag for tag in run.data.tags if tag.startswith("podium.sweep.")]
        assert run.data.tags["podium.workspace"].endswith(str(quick.root))
    assert not [*(quick.root / ".dvc/tmp/podium-clones").iterdir()]

    assert "Running stage" not in quick.run("dvc", "repro", "confusion_matrix@digits-dense")
    taken = quick.run("dvc", "exp", "run", "-S", GRID)  # the other one is not on the page, but in the cache
    assert taken.count("is cached - skipping run") == 3
    assert "Running stage" not in taken


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """An S3 server with the bucket `dvc`."""
    command = shutil.which("moto_server")
    if command is None:
        pytest.skip("there is no moto_server on PATH: `make test` installs it")
    port = find_free_port()
    with (folder / "s3.log").open("w") as log:
        server = subprocess.Popen([command, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log, text=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/moto-api/", server)
        client = boto3.client("s3", endpoint_url=address, aws_access_key_id="x", aws_secret_access_key="x")
        client.create_bucket(Bucket="dvc")
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.mark.soak
def test_another_machine_trains_and_the_remote_brings_it_here(quick: Workspace, tmp_path: Path) -> None:
    """Two clones with caches of their own stand for two machines; they have the remote and git in common."""
    quick.environment |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    quick.edit(keep_only("digits-dense"))
    quick.edit(lambda page: page["candidates"]["digits-dense"]["model"].update(units=[11]))
    with s3(tmp_path) as address:
        quick.run("dvc", "remote", "add", "s3", "s3://dvc/podium")
        quick.run("dvc", "remote", "modify", "--local", "s3", "endpointurl", address)
        quick.commit("a remote")
        there = Workspace.of(tmp_path / "there")
        there.environment = quick.environment
        quick.run("git", "clone", "-q", str(quick.root), str(there.root))
        there.run("dvc", "remote", "modify", "--local", "s3", "endpointurl", address)
        port = find_free_port()
        scheduler = f"tcp://127.0.0.1:{port}"
        with (
            there.running(
                sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
            ),
            there.running(sys.executable, "-m", "dask", "worker", scheduler, "--nthreads", "1", "--no-dashboard"),
        ):
            for _ in range(60):
                said = quick.run(*SWEEP, "--scheduler", scheduler, "--remote", "s3", status=None)
                if "No Dask scheduler" not in said and "has no workers" not in said:
                    break
        assert "digits-dense is alone" in said, said
        assert (there.root / ".dvc/cache/runs").is_dir()
        assert not (there.root / "models").exists()  # it worked in clones
        assert "Running stage" not in quick.run("dvc", "repro")
    before = quick.lock()["stages"]["train@digits-dense"]["outs"]
    quick.run("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train@digits-dense")
    assert quick.lock()["stages"]["train@digits-dense"]["outs"] == before  # fewer processors, the same bytes


def test_mistakes_are_said_before_a_server_starts(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "project", PREFECT_API_URL="http://127.0.0.1:9/api")

    def sweep(*words: str) -> str:
        return workspace.run(*SWEEP, *words, status=1)

    assert "DVC has no remote 'nowhere'" in sweep("--remote", "nowhere")
    (workspace.root / "podium" / "new.py").touch()
    with (workspace.root / "stages" / "train.py").open("a") as file:
        file.write("# edited\n")
    said = sweep()
    assert "stages/train.py (changed, not committed)" in said
    assert "podium/new.py (not in git)" in said
    assert not (workspace.root / "data" / "raw").exists()
