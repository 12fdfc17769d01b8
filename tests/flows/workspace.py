"""A checkout of this repository in a folder of its own, to run real commands in."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run

from podium.tracking.connection import sqlite_uri

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

STARTED: list["subprocess.Popen[str]"] = []
"""What was started; kept, as another process of the test run may be the one that ends a shared server."""


class Workspace:
    """A copy of the tracked files, committed, with its own DVC cache, MLflow store and Prefect home."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            check=True,
        ).stdout.decode()
        for name in filter(None, names.split("\0")):
            if (REPOSITORY / name).is_file() and not name.startswith(("tests/", "docs/", "dvc.lock")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / name, root / name)
        self._know(root, environment)
        self.run("git", "init", "-q")
        self.commit("as shipped")

    @classmethod
    def of(cls, root: Path) -> "Workspace":
        """Give the workspace that another process made."""
        workspace = cls.__new__(cls)
        workspace._know(root, {})
        return workspace

    def _know(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "MLFLOW_"))}
        self.environment = kept | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PREFECT_HOME": str(root.parent / f"{root.name}-prefect"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **environment,
        }

    def use_cache(self, cache: Path) -> None:
        """Have DVC keep what it makes in a folder that others share, as `dvc config --local cache.dir` does."""
        (self.root / ".dvc/config.local").write_text(f"[cache]\n    dir = {cache}\n")

    def use_prefect_database(self, database: Path) -> None:
        """Have the Prefect server that is started here begin with a copy of a database."""
        home = Path(self.environment["PREFECT_HOME"])
        home.mkdir(exist_ok=True)
        shutil.copy(database, home)

    def commit(self, message: str) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid", "commit", "-qm", message)

    def run(self, *command: str, status: int | None = 0) -> str:
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert status is None or done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def flow(self, *targets: str, status: int = 0) -> str:
        return self.run(sys.executable, "-m", "flows.pipeline", *targets, status=status)

    @contextmanager
    def running(self, *command: str) -> Iterator["subprocess.Popen[str]"]:
        """Keep a command running in a process group of its own; end the whole group afterwards."""
        process = self.start(*command)
        try:
            yield process
        finally:
            stop(process)

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command in a process group of its own; what it says goes to a file beside the workspace."""
        with (self.root.parent / f"{self.root.name}-{Path(command[-1]).name}.log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        STARTED.append(process)
        return process

    def edit(self, change: Any) -> None:
        """Change params.yaml: `change` takes the page as a dictionary."""
        path = self.root / "params.yaml"
        page = yaml.safe_load(path.read_text())
        change(page)
        path.write_text(yaml.safe_dump(page, sort_keys=False))

    def lock(self) -> Any:
        """Read dvc.lock: the digest of every file that went into a stage or came out of it."""
        return yaml.safe_load((self.root / "dvc.lock").read_text())

    def metrics(self, candidate: str) -> bytes:
        return (self.root / "reports" / "digits" / candidate / "metrics.json").read_bytes()

    def accuracy(self, candidate: str, split: str) -> float:
        return float(json.loads(self.metrics(candidate))[split]["accuracy"])

    @property
    def mlflow(self) -> MlflowClient:
        return MlflowClient(self.environment.get("MLFLOW_TRACKING_URI", sqlite_uri(self.root / "mlflow.db")))

    def runs(self, candidate: str) -> list[Run]:
        experiment = self.mlflow.get_experiment_by_name("digits")
        assert experiment is not None
        return list(self.mlflow.search_runs([experiment.experiment_id], f"tags.`podium.candidate` = '{candidate}'"))

    def champion(self) -> Any:
        return self.mlflow.get_model_version_by_alias("digits", "champion")


def processes_in(folder: Path) -> list[psutil.Process]:
    """Give all processes that work in a folder or below it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
    return found


def stop(process: "subprocess.Popen[str]", how: int = signal.SIGTERM) -> None:
    if process.poll() is None:
        os.killpg(process.pid, how)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def shorten(page: dict[str, Any]) -> None:
    """Make the shipped page quick: small models, two epochs."""
    for schedule in page["schedules"].values():
        schedule["phases"][0]["epochs"] = 2
    page["candidates"]["digits-dense"]["model"]["units"] = [16]
    page["candidates"]["digits-cnn"]["model"]["filters"] = [8]


def keep_only(candidate: str) -> Any:
    def change(page: dict[str, Any]) -> None:
        page["candidates"] = {candidate: page["candidates"][candidate]}

    return change
