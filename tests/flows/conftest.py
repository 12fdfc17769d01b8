import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.workspace import Workspace, shorten


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The repository as shipped, after one run of the flow. Tests that use it leave it as it is."""
    workspace = Workspace(tmp_path_factory.mktemp("shipped") / "project")
    workspace.output = workspace.flow()  # type: ignore[attr-defined]
    return workspace


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC cache that the quick workspaces share, so that none trains what another has trained."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server."""
    host = Workspace(tmp_path_factory.mktemp("prefect") / "project")
    port = find_free_port()
    with host.running("prefect", "server", "start", "--port", str(port)) as server:
        address = f"http://127.0.0.1:{port}/api"
        wait_for(f"{address}/health", server)
        yield address


@pytest.fixture
def quick(tmp_path: Path, cache: Path, prefect_server: str) -> Workspace:
    """The repository with a page that trains in seconds, and a Prefect server. Nothing has run."""
    workspace = Workspace(tmp_path / "project", PREFECT_API_URL=prefect_server)
    workspace.run("dvc", "config", "--local", "cache.dir", str(cache))
    workspace.edit(shorten)
    workspace.commit("a quick page")
    return workspace


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture
def mlflow_server(quick: Workspace, free_port: int) -> Iterator[str]:
    """A real MLflow server; the quick workspace's commands know its address."""
    address = f"http://127.0.0.1:{free_port}"
    quick.environment |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    store = f"sqlite:///{quick.root.parent / 'server.db'}"
    artifacts = str(quick.root.parent / "server-artifacts")
    command = ["mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", artifacts]
    with quick.running(*command, "--workers", "1", "--port", str(free_port)) as server:
        wait_for(f"{address}/health", server)
        quick.environment["MLFLOW_TRACKING_URI"] = address
        yield address


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: "subprocess.Popen[str]", seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - a loopback address of ours
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer within {seconds:.0f} s")
