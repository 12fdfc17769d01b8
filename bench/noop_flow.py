"""The pipeline flow with nothing to do, against a running Prefect server.

One process imports the flow, then calls it several times: asking DVC about every stage, MLflow about every
candidate, the registry about the champion, and telling Prefect all of it. Imports are not counted; the first call
of a process, which opens the connections, is a row of its own. The page is `digits` as shipped, up to date.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server

from bench.measure import BenchError
from bench.options import Options
from bench.report import Row, seconds
from bench.workspace import Workspace, workspace

DURATION = "About three minutes"

CALLS = 5
"""In one process."""
TARGET = 3.0
"""Seconds."""
PATIENCE = 60
"""Seconds that the server has to start."""


def measure(options: Options) -> list[Row]:
    """Time the calls of several processes."""
    with workspace() as project:
        project.use("digits")
        times = project.root / "times.json"
        with prefect_server(project):
            project.run("python", "-m", "flows.pipeline")
            calls = []
            for _ in range(options.repeat(3)):
                project.run("python", "-m", "bench.noop_flow", str(times))
                calls.append(json.loads(times.read_text(encoding="utf-8")))
    return [
        _row("no-op flow, first call of a process", [first for first, *_ in calls]),
        _row("no-op flow, later calls", [one for _, *later in calls for one in later]),
    ]


def _row(what: str, times: list[float]) -> Row:
    slowest = max(times)
    return Row(what, seconds(times), target=f"under {TARGET:g} s", reached=slowest < TARGET)


@contextmanager
def prefect_server(project: Workspace) -> Iterator[None]:
    """Run a Prefect server of the workspace's own on a free port; it is stopped whatever happens."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with project.running(*command) as process:
        address = f"http://127.0.0.1:{port}/api"
        _wait_for(f"{address}/health", process)
        project.environment["PREFECT_API_URL"] = address
        try:
            yield
        finally:
            del project.environment["PREFECT_API_URL"]


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), direct.open(address, timeout=5):
            return
        time.sleep(0.2)
    raise BenchError(f"The Prefect server did not start within {PATIENCE} s.")


def call(times: Path) -> None:
    """Call the flow in this process and write down how long each call took. The small driver of `measure`."""
    from flows.pipeline import pipeline  # not counted

    spent = []
    for _ in range(CALLS):
        began = time.perf_counter()
        state = pipeline(return_state=True)
        spent.append(time.perf_counter() - began)
        if not state.is_completed():
            raise SystemExit(f"The flow ended as {state.name}: {state.message}")
    times.write_text(json.dumps(spent), encoding="utf-8")


if __name__ == "__main__":
    call(Path(sys.argv[1]))
