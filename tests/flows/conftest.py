from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.flows.workspace import Workspace, shorten
from tests.servers import find_free_port, wait_for
from tests.sharing import made_once, shared_server


@pytest.fixture(scope="session")
def shipped_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The repository as shipped, after one run of the flow."""

    def run(folder: Path) -> str:
        return Workspace(folder / "project").flow()

    folder, output = made_once(tmp_path_factory, "shipped", run)
    workspace = Workspace.of(folder / "project")
    workspace.output = output  # type: ignore[attr-defined]
    return workspace


@pytest.fixture
def shipped(shipped_once: Workspace) -> Iterator[Workspace]:
    """The repository as shipped, after one run of the flow. Tests leave it as it is; one has it at a time."""
    with FileLock(shipped_once.root.parent / "in-use.lock"):
        yield shipped_once


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DVC cache that the quick workspaces share, so that none trains what another has trained."""
    return made_once(tmp_path_factory, "cache", lambda _: None)[0]


@pytest.fixture(scope="session")
def prefect_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a Prefect server to which nothing has happened; a server takes nine seconds to make one."""

    def make(folder: Path) -> None:
        Workspace(folder / "project", PREFECT_HOME=str(folder)).run("prefect", "server", "database", "upgrade", "--yes")

    return made_once(tmp_path_factory, "prefect-database", make)[0] / "prefect.db"


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Iterator[str]:
    """A real Prefect server, one for all processes of the run."""

    def start(folder: Path) -> tuple[str, int]:
        waiting = {"PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5"}  # 30 is Prefect's own
        host, port = Workspace(folder / "project", **waiting), find_free_port()
        host.use_prefect_database(prefect_database)
        server = host.start("prefect", "server", "start", "--port", str(port))
        address = f"http://127.0.0.1:{port}/api"
        wait_for(f"{address}/health", server)
        return address, server.pid

    with shared_server(tmp_path_factory, "prefect-server", start) as address:
        yield address


@pytest.fixture
def quick(tmp_path: Path, cache: Path, prefect_server: str) -> Workspace:
    """The repository with a page that trains in seconds, and a Prefect server. Nothing has run.

    Its folder has a name with all that addresses and shells stumble over.
    """
    home = str(tmp_path / "prefect")
    workspace = Workspace(tmp_path / "it's 100% #1?", PREFECT_API_URL=prefect_server, PREFECT_HOME=home)
    workspace.use_cache(cache)
    workspace.edit(shorten)
    workspace.commit("a quick page")
    return workspace


@pytest.fixture
def free_port() -> int:
    return find_free_port()
