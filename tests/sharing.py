"""What is made once and shared by all processes of a test run: servers, and folders that tests only read."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all processes of this run see; without pytest-xdist there is one process."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> tuple[Path, Any]:
    """Give a folder that the first process to ask fills, and what `make` said of it (as JSON); the others wait."""
    folder = shared_folder(factory) / name
    said = folder.with_suffix(".json")
    with FileLock(folder.with_suffix(".lock")):
        if not said.exists():
            folder.mkdir()
            said.write_text(json.dumps(make(folder)))
    return folder, json.loads(said.read_text())


@contextmanager
def shared_server(
    factory: pytest.TempPathFactory, name: str, start: Callable[[Path], tuple[str, int]]
) -> Iterator[str]:
    """Give the address of a server that the first process to ask starts, and the last one to leave stops.

    Args:
        factory: says where this run's folder is.
        name: the server's.
        start: starts it in a process group of its own, in a folder; gives its address and that group's id.
    """
    place = shared_folder(factory) / name
    state = place.with_suffix(".json")
    lock = FileLock(place.with_suffix(".lock"))
    with lock:
        known = json.loads(state.read_text()) if state.exists() else None
        if known is None:
            folder = place.with_name(f"{name}-{time.monotonic_ns()}")
            folder.mkdir()
            address, group = start(folder)
            known = {"address": address, "group": group, "users": 0}
        known["users"] += 1
        state.write_text(json.dumps(known))
    try:
        yield known["address"]
    finally:
        with lock:
            known = json.loads(state.read_text())
            known["users"] -= 1
            state.write_text(json.dumps(known))
            if not known["users"]:
                state.unlink()
                _stop(known["group"])


def _stop(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
    with suppress(psutil.NoSuchProcess):
        leader, deadline = psutil.Process(group), time.monotonic() + 20
        while leader.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:  # its parent may never reap it
            time.sleep(0.1)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
