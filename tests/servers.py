"""Real servers for tests: MLflow on SQLite, and on PostgreSQL with artifacts in an S3; and a proxy that breaks.

    def test_something(mlflow_sqlite: str) -> None: ...

A server is started once for all processes of a test run, by a process that watches over it and ends it as soon as the
test run is gone, however it ended. Tests have it one at a time, and empty.
"""

import http.client
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil
import pytest
from filelock import FileLock

from tests.makers import REPOSITORY
from tests.sharing import shared_folder, shared_server

BIN = Path(sys.executable).parent

How = Literal["refuse", "cut", "cut after"]
"""How a request fails: answered with 503; its connection closed unread; done by the server, and never answered."""


@pytest.fixture(scope="session")
def mlflow_sqlite_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server on SQLite; its artifacts are on this disk."""
    with _server(tmp_path_factory, "sqlite") as address:
        yield address


@pytest.fixture(scope="session")
def mlflow_postgres_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server on PostgreSQL; its artifacts are in an S3-compatible store."""
    if missing := find_missing():
        pytest.skip(f"for an MLflow server on PostgreSQL and S3 these are not installed: {', '.join(missing)}")
    with _server(tmp_path_factory, "postgres") as address:
        yield address


@pytest.fixture
def mlflow_sqlite(mlflow_sqlite_shared: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, empty and for one test alone."""
    with _alone(tmp_path_factory, mlflow_sqlite_shared):
        yield mlflow_sqlite_shared


@pytest.fixture
def mlflow_postgres(mlflow_postgres_shared: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, empty and for one test alone."""
    with _alone(tmp_path_factory, mlflow_postgres_shared):
        yield mlflow_postgres_shared


def clear(address: str) -> None:
    """Have a server look empty: experiments are renamed and deleted, registered models deleted."""
    from mlflow import MlflowClient

    client = MlflowClient(address)
    for experiment in client.search_experiments():
        if experiment.name != "Default":
            client.rename_experiment(experiment.experiment_id, secrets.token_hex(8))
            client.delete_experiment(experiment.experiment_id)
    for model in client.search_registered_models():
        client.delete_registered_model(model.name)


class FaultyProxy:
    """Stands before a server, counts the requests to it, and breaks those that it is told to break.

    Example:
        with FaultyProxy(mlflow_sqlite) as proxy:
            client = MlflowClient(proxy.address)
            proxy.fail_at(3, "cut")

    The client repeats what fails unless `MLFLOW_HTTP_REQUEST_MAX_RETRIES` is 0.
    """

    def __init__(self, server_url: str) -> None:
        """Know the server; it is reached at `address` within a `with` block."""
        self.delay = 0.0
        """Seconds to wait before each answer."""
        self.asked: list[str] = []
        """Method and path of each request since `fail_at` or `reset`."""
        self._failing, self._how, self._onwards = 0, "refuse", False
        self._server = urlsplit(server_url)
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "FaultyProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def count(self) -> int:
        """How many requests came since `fail_at` or `reset`."""
        return len(self.asked)

    def fail_at(self, number: int, how: How = "refuse", *, onwards: bool = False) -> None:
        """Let the nth request from now on fail, from 1; 0 for none.

        Args:
            number: which.
            how: how it fails.
            onwards: whether all after it fail, too, until `reset`: the server is dead.
        """
        with self._counting:
            self.asked = []
            self._failing, self._how, self._onwards = number, how, onwards

    def reset(self) -> None:
        """Let everything pass, and count from 0."""
        self.fail_at(0)

    def _judge(self, request: str) -> str:
        """Count a request; say how it fails, or nothing."""
        with self._counting:
            self.asked.append(request)
            number = len(self.asked)
            fails = self._failing and (number >= self._failing if self._onwards else number == self._failing)
            return self._how if fails else ""

    def _forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(self._server.hostname or "", self._server.port, timeout=120)
        try:
            kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "connection", "transfer-encoding")}
            connection.request(method, path, body, kept | {"Content-Length": str(len(body))})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def _make_handler(proxy: FaultyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            how = proxy._judge(f"{self.command} {self.path}")
            body = self._read_body()
            proxy._closing.wait(proxy.delay)
            if how == "refuse":
                self.send_error(503)
                return
            if how == "cut":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, headers, content = proxy._forward(self.command, self.path, dict(self.headers.items()), body)
            if how:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(OSError):  # the client may have gone
                self.wfile.write(content)

        def _read_body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
        setattr(Handler, f"do_{method}", Handler._pass_on)
    return Handler


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: "subprocess.Popen[Any]", seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - a loopback address of ours
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer within {seconds:.0f} s")


@contextmanager
def _server(factory: pytest.TempPathFactory, kind: str) -> Iterator[str]:
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()

    def start(folder: Path) -> tuple[str, int]:
        said = folder / "address"
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.servers", kind, str(folder), str(run)],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 300
        while not said.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.terminate()
                raise AssertionError(f"no MLflow server on {kind}:\n{(folder / 'log').read_text()[-3000:]}")
            time.sleep(0.1)
        _STARTED.append(process)
        return said.read_text(), process.pid

    with shared_server(factory, f"mlflow-{kind}", start) as address:
        yield address
    for process in _STARTED:
        process.poll()  # it was waited for by another name


_STARTED: list["subprocess.Popen[Any]"] = []
"""Kept, as another process of the test run may be the one that ends a shared server."""


@contextmanager
def _alone(factory: pytest.TempPathFactory, address: str) -> Iterator[None]:
    with FileLock(shared_folder(factory) / f"{urlsplit(address).port}.in-use"):
        clear(address)
        yield


def find_missing() -> list[str]:
    programs = {"PostgreSQL (initdb)": find_postgres("initdb"), "moto_server": shutil.which("moto_server")}
    packages = {name: importlib.util.find_spec(name) for name in ("psycopg2", "boto3")}
    return [name for name, found in {**programs, **packages}.items() if not found]


def find_postgres(program: str) -> str | None:
    """Find one of PostgreSQL's programs, which Debian keeps away from PATH."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
    return str(kept[-1]) if kept else shutil.which(program)


# What follows runs in the process that watches over a server.


def watch_over(kind: str, folder: Path, run: int) -> None:
    """Start a server, write its address to the folder, and end it when the test run has gone or SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as stack:
        address = {"sqlite": _start_on_sqlite, "postgres": _start_on_postgres}[kind](folder, stack)
        (folder / "part").write_text(address)
        (folder / "part").rename(folder / "address")
        while psutil.pid_exists(run):
            time.sleep(0.5)


def _start_on_sqlite(folder: Path, stack: ExitStack) -> str:
    return _start_mlflow(stack, f"sqlite:///{folder / 'server.db'}", str(folder / "artifacts"), {})


def _start_on_postgres(folder: Path, stack: ExitStack) -> str:
    store = f"postgresql+psycopg2://{start_postgres(stack, 'tests', secrets.token_hex(16))}/postgres"
    s3 = f"http://127.0.0.1:{find_free_port()}"
    start_s3(stack, int(s3.rpartition(":")[2]))
    request = urllib.request.Request(f"{s3}/mlflow", method="PUT")  # noqa: S310
    with urllib.request.urlopen(request):  # noqa: S310
        pass
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    return _start_mlflow(stack, store, "s3://mlflow/artifacts", {"MLFLOW_S3_ENDPOINT_URL": s3, **keys})


def _start_mlflow(stack: ExitStack, store: str, artifacts: str, environment: dict[str, str]) -> str:
    port = find_free_port()
    command = [str(BIN / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    settings = {
        "MLFLOW_BACKEND_STORE_URI": store,  # in the environment: it holds a password
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }
    server = _start(stack, [*command, "--artifacts-destination", artifacts], settings | environment)
    address = f"http://127.0.0.1:{port}"
    wait_for(f"{address}/health", server, 240)
    return address


def start_s3(stack: ExitStack, port: int) -> None:
    """Start an S3-compatible store that takes any key."""
    moto = shutil.which("moto_server")
    assert moto
    server = _start(stack, [moto, "-H", "127.0.0.1", "-p", str(port)], {})
    wait_for(f"http://127.0.0.1:{port}", server, 240)


def start_postgres(stack: ExitStack, name: str, password: str) -> str:
    """Start PostgreSQL, empty, for a superuser of that name; give what stands in an address before the database.

    It refuses to run as root, and sees no folder of root's.
    """
    user = "postgres" if os.geteuid() == 0 else None
    folder, port = Path(tempfile.mkdtemp(prefix="podium-postgres-")), find_free_port()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    (folder / "password").write_text(password)
    if user:
        for path in (folder, folder / "password"):
            shutil.chown(path, user, user)
    initdb, postgres = find_postgres("initdb"), find_postgres("postgres")
    assert initdb
    assert postgres
    make = [initdb, "-D", str(folder / "data"), "-A", "scram-sha-256", "-U", name, "--no-sync"]
    subprocess.run([*make, f"--pwfile={folder / 'password'}"], cwd=folder, user=user, group=user, check=True)
    options = ["-clisten_addresses=127.0.0.1", "-cfsync=off", f"-cport={port}", f"-cunix_socket_directories={folder}"]
    server = _start(stack, [postgres, "-D", str(folder / "data"), *options], {}, signal.SIGINT, cwd=folder, user=user)
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, "PostgreSQL ended before it answered"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "PostgreSQL did not answer"
            time.sleep(0.1)
    return f"{name}:{password}@127.0.0.1:{port}"


def _start(
    stack: ExitStack,
    command: list[str],
    environment: dict[str, str],
    end: signal.Signals = signal.SIGTERM,
    *,
    cwd: Path | None = None,
    user: str | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process in this one's group, to be ended with the stack, with all that it started."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "AWS_"))}
    process = subprocess.Popen(command, cwd=cwd, env=kept | environment, user=user, group=user)
    stack.callback(_end, process, end)
    return process


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    family = [process, *_descendants(process.pid)]
    process.send_signal(how)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    for one in family:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            one.kill()
    process.wait()


def _descendants(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


if __name__ == "__main__":
    watch_over(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
