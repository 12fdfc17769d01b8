"""The doors of a logged model: MLflow's pyfunc in a clean process, and its REST server."""

import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import requests

from podium.errors import PodiumError
from podium.loopback import spare_loopback
from podium.processes import guard_children
from podium.serving.export.target import Door
from podium.serving.probe import ask_in_clean_process
from podium.tracking.classifier import Answer

START_SECONDS: Final = 240.0
"""For a server to answer: TensorFlow and MLflow are imported there."""
REQUEST_SECONDS: Final = 120.0


class Pyfunc:
    """A logged model as MLflow loads it, in a process of its own where there is no podium."""

    def __init__(self, model: Path) -> None:
        """Take the folder of the logged model."""
        self._model = model

    def answer(self, files: list[bytes]) -> list[Answer]:
        """Answer about image files; the process starts anew each time."""
        with tempfile.TemporaryDirectory(prefix="podium-export-") as folder:
            paths = [Path(folder) / f"{row}.image" for row in range(len(files))]
            for path, data in zip(paths, files, strict=True):
                path.write_bytes(data)
            answers: list[Answer] = ask_in_clean_process(self._model, paths)["answers"]
            return answers


class _Rest:
    def __init__(self, address: str) -> None:
        self._address = address

    def answer(self, files: list[bytes]) -> list[Answer]:
        return [self._ask(data) for data in files]

    def _ask(self, data: bytes) -> Answer:
        content = {"inputs": {"image": [base64.b64encode(data).decode()]}}
        response = requests.post(f"{self._address}/invocations", json=content, timeout=REQUEST_SECONDS)
        if not response.ok:
            raise PodiumError(f"`mlflow models serve` answers {response.status_code}: {response.text[:300]}")
        (answer,) = response.json()["predictions"]
        return dict(answer)


@contextmanager
def open_rest(model: Path) -> Iterator[Door]:
    """Start `mlflow models serve` for a logged model on this machine alone, for as long as the block lasts.

    Raises:
        PodiumError: it does not start.
    """
    spare_loopback()
    guard_children()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    bin_folder = str(Path(sys.executable).parent)
    path = f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}  # the model's folder stays as it is
    with tempfile.TemporaryDirectory(prefix="podium-export-") as folder:
        said = Path(folder) / "said.txt"
        with said.open("wb") as output:
            server = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            _wait(f"http://127.0.0.1:{port}/ping", server, said)
            yield _Rest(f"http://127.0.0.1:{port}")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(address: str, server: "subprocess.Popen[Any]", said: Path) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(requests.RequestException):
            if requests.get(address, timeout=5).ok:
                return
        time.sleep(0.2)
    last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
    raise PodiumError(f"`mlflow models serve` did not start: {last[-1][:300]}")
