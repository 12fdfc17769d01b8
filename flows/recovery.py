"""Nothing of a flow stays behind, however it ends: no process runs on, and no run of Prefect's stands as running."""

import os
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from uuid import UUID

import psutil
from filelock import FileLock
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.states import Crashed

from flows.display import current_display
from podium.files import is_locked
from podium.paths import home
from podium.processes import guard_children

NOTES = Path(".dvc/tmp/podium-flows")
"""A file for each run of a flow in this project that may not be over, by its id, with the address of its server. The
lock beside it is held by the run's process, and lifted by the system when that is gone."""
_TEMPORARY = "a temporary server"

_held: list[FileLock] = []


def guard_flow(root: Path) -> None:
    """Be called first in a flow: nothing that it starts outlives it, however it ends; what kills left is closed.

    Args:
        root: the root of the project, or of an isolated clone of it.
    """
    guard_children(_find_runners())
    with get_client(sync_client=True) as client:
        close_killed(root, client)
    _note(root)


def close_killed(root: Path, client: SyncPrefectClient) -> None:
    """Tell Prefect which of this project's runs were killed, with their process or with all of the machine.

    Args:
        root: the project's root.
        client: of the server that is asked. What ran with another one is left until that one is used again.
    """
    notes = [path for path in (home(root) / NOTES).glob("*") if path.suffix != ".lock"]
    for note in notes:
        if is_locked(note) or note.read_text(encoding="utf-8") != _server():
            continue
        with suppress(ObjectNotFound):  # it was removed from the server
            _close(UUID(note.name), client)
        for path in (note, note.with_name(f"{note.name}.lock")):
            path.unlink(missing_ok=True)


def _close(flow_run: UUID, client: SyncPrefectClient) -> None:
    run = client.read_flow_run(flow_run)
    if run.state and run.state.is_final():
        return
    message = "Its process was killed; the next run found it."
    for task in client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))):
        if task.state and not task.state.is_final():
            client.set_task_run_state(task.id, Crashed(message=message), force=True)
    client.set_flow_run_state(flow_run, Crashed(message=message), force=True)
    current_display().say(f"Prefect's run {run.name} was killed; it is closed.")


def _note(root: Path) -> None:
    """Write down that this process does a run, for as long as it lives: the run's end is told to Prefect later."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    note = home(root) / NOTES / str(context.flow_run.id)
    note.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(note.with_name(f"{note.name}.lock"))
    lock.acquire()
    _held.append(lock)
    note.write_text(_server(), encoding="utf-8")


def _server() -> str:
    return str(PREFECT_API_URL.value() or _TEMPORARY)


def _find_runners() -> list[int]:
    """Give the ids of Prefect's processes that run this one: a worker and what is between, or who serves a schedule."""
    if "PREFECT__FLOW_RUN_ID" not in os.environ:
        return []
    parents = psutil.Process().parents()
    runners = [*takewhile(lambda one: "prefect" in " ".join(one.cmdline()), parents)]
    return [one.pid for one in runners or parents[:1]]
