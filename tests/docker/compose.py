"""`docker/compose.yaml`, read as Docker reads it; and its services started without Docker.

Images of others are not at hand: PostgreSQL is Debian's, the S3 is moto's. All else runs as the file says: the same
command with the same environment, at ports that are free here, and is healthy when its own health check says so.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.flows.workspace import BIN, stop
from tests.makers import REPOSITORY
from tests.servers import find_free_port, find_postgres, start_postgres, start_s3

FOLDER = REPOSITORY / "docker"
COMPOSE = FOLDER / "compose.yaml"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")
"""`${NAME}`, `${NAME:-default}`, `${NAME:?message}`."""
PATIENCE_SECONDS = 240
ON_PATH = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
PORTS = {"s3": 7070, "mlflow": 5000, "prefect": 4200, "worker": 8080, "app": 7860}
"""Where a service listens in its container."""


def load_services(values: Mapping[str, str]) -> dict[str, Any]:
    """Give the services with their variables filled in.

    Raises:
        KeyError: a variable without a default is not set, or empty; it says what the file says then.
    """

    def fill(found: re.Match[str]) -> str:
        value = values.get(found["name"]) or (found["rest"] if found["how"] == "-" else "")
        if not value:
            raise KeyError(found["rest"] or found["name"])
        return value

    def walk(part: Any) -> Any:
        if isinstance(part, str):
            return VARIABLE.sub(fill, part)
        if isinstance(part, dict):
            return {key: walk(value) for key, value in part.items()}
        return [walk(one) for one in part] if isinstance(part, list) else part

    services: dict[str, Any] = walk(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))["services"]
    return services


class Stack:
    """The services, as far as they are started."""

    def __init__(self, project: Path, folder: Path, values: Mapping[str, str]) -> None:
        """Know where the checkout is that is mounted as the project, and a folder for what the services write."""
        self.services = load_services({**values, "PODIUM_PROJECT": str(project)})
        self.project, self.folder = project, folder
        self.running: dict[str, subprocess.Popen[str]] = {}
        self._closing = ExitStack()
        self.ports = {name: find_free_port() for name in PORTS}
        self._lent: set[str] = set()
        self._postgres = ""
        """What stands in an address of PostgreSQL's before the database: user, password, host, port."""

    def environment(self, name: str) -> dict[str, str]:
        """Give the environment of a service, with the places and ports that things have here."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_", "AWS_", "DVC_"))}
        own = {key: self.here(name, value) for key, value in self.services[name]["environment"].items() if value}
        return kept | {
            **ON_PATH,
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_WORKER_WEBSERVER_PORT": str(self.ports["worker"]),
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **own,
        }

    def here(self, name: str, text: str) -> str:
        """Give a text of a service as it has to be here: other ports, loopback alone, mounted files where they are."""
        text = re.sub(r"\w+:[^@/]+@postgres:5432", lambda _: self._postgres, text)
        for neighbour, port in self.ports.items():
            text = text.replace(f"://{neighbour}:{PORTS[neighbour]}", f"://localhost:{port}")
        if name in PORTS:
            text = re.sub(rf"(127\.0\.0\.1:|--port=){PORTS[name]}\b", rf"\g<1>{self.ports[name]}", text)
        for source, target in self._files(name).items():
            text = text.replace(str(Path(target).parent), str(self._place(source, target).parent))
        return text.replace("--host=0.0.0.0", "--host=127.0.0.1")

    def start(self, name: str) -> None:
        """Start a service in a process group of its own, once those that it depends on are as it asks."""
        if name in self.running or name in self._lent:
            return
        if name in ("postgres", "s3"):
            self._lent.add(name)
            (self._start_postgres if name == "postgres" else self._start_s3)()
            return
        for needed, asked in self.services[name].get("depends_on", {}).items():
            self.start(needed)
            self.wait(needed, asked["condition"])
        service = self.services[name]
        command = [self.here(name, word) for word in service["command"]]
        with (self.folder / f"{name}.log").open("w") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=self.project,
                env=self.environment(name),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def wait(self, name: str, condition: str = "service_healthy") -> None:
        """Wait until a service has ended well, or until its own health check says that it is well."""
        process = self.running.get(name)
        deadline = time.monotonic() + PATIENCE_SECONDS
        if condition == "service_completed_successfully":
            assert process is not None
            assert process.wait(PATIENCE_SECONDS) == 0, self.log(name)
            return
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        if name == "s3":
            return  # its check is of its own image; moto has answered already
        check = [self.here(name, word) for word in test[1:]]
        if name == "postgres":
            check = [find_postgres(check[0]) or check[0], *check[1:], f"--port={self._postgres.rpartition(':')[2]}"]
        while subprocess.run(check, env=os.environ | ON_PATH, capture_output=True, check=False).returncode:
            assert process is None or process.poll() is None, self.log(name)
            assert time.monotonic() < deadline, f"{name} is not healthy: {self.log(name)}"
            time.sleep(0.3)

    def run(self, name: str, *command: str) -> str:
        """Run a command as `docker compose exec` does in a service."""
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment(name),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def address(self, name: str) -> str:
        """Give the address of a service."""
        return f"http://localhost:{self.ports[name]}"

    def log(self, name: str) -> str:
        """Give the last that a service said."""
        path = self.folder / f"{name}.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def stop(self) -> None:
        """End what runs, the last first."""
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)  # all at once; each has its own time to end
        for process in reversed(self.running.values()):
            stop(process)
        self._closing.close()

    def _start_s3(self) -> None:
        start_s3(self._closing, self.ports["s3"])

    def _start_postgres(self) -> None:
        """Start PostgreSQL, and do what its image does with an empty volume."""
        given = self.services["postgres"]["environment"]
        self._postgres = start_postgres(self._closing, given["POSTGRES_USER"], given["POSTGRES_PASSWORD"])
        isready, psql = find_postgres("pg_isready"), find_postgres("psql")
        assert isready
        assert psql
        address = f"postgresql://{self._postgres}"
        while subprocess.run([isready, "-qd", f"{address}/postgres"], check=False).returncode:
            time.sleep(0.1)
        subprocess.run([psql, f"{address}/postgres", "-qc", f"CREATE DATABASE {given['POSTGRES_DB']}"], check=True)
        for source, target in self._files("postgres").items():
            if target.startswith("/docker-entrypoint-initdb.d/"):
                subprocess.run([psql, f"{address}/{given['POSTGRES_DB']}", "-qf", FOLDER / source], check=True)

    def _files(self, name: str) -> dict[str, str]:
        """Give the files of `docker/` that are mounted into a service, and where."""
        found = (volume.split(":") for volume in self.services[name].get("volumes", ()))
        return {source: target for source, target, *_ in found if source.startswith("./")}

    def _place(self, source: str, target: str) -> Path:
        """Put a mounted file under the folder, at the place that it has in a container."""
        place = self.folder / "mounted" / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(FOLDER / source, place)
        return place


@contextmanager
def running(project: Path, folder: Path, values: Mapping[str, str]) -> Iterator[Stack]:
    """Give a stack, nothing of it started; what was started ends with the block."""
    stack = Stack(project, folder, values)
    try:
        yield stack
    finally:
        stack.stop()
