"""What podium starts ends with it, however it ends: no stage outlives a `kill -9` of its flow, and holds locks on.

Who is killed cannot clean up. So a podium process that starts others starts a guard first, a small process that waits
for its end. Then the guard ends all who carry the family's mark: it is in their environment, which children hand on to
grandchildren, whatever threads, shells and sessions are between. (Only a bare fork, as multiprocessing's method "fork"
makes it, shows its parent's first environment for ever: podium has none.) A process that ends as it should sends its
guard away.

The guard is this file, run by its path: it imports nothing of podium.
"""

import atexit
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

FAMILY = "PODIUM_FAMILY"
"""The environment variable with the marks of all podium processes above, blanks between them."""
STAGE_OF_DVC = "DVC_STAGE"
"""DVC sets it for what it runs."""
GRACE_SECONDS = 5.0
"""Between the request to end and the kill."""
REPORT_SECONDS = 20.0
"""The same for a flow, which has to stop its stages and to tell Prefect."""
LOOK_INTERVAL_SECONDS = 0.2
"""Between two looks at whether a process is gone. psutil's own waiting does not end where nobody reaps it."""
HALT_SECONDS = 1.0
"""That a process has to be halted; one that waits for a disk is not until it has its answer."""

_starting = threading.Lock()
_owner = 0  # the process whose guard was started: a fork of it has none


def guard_children(above: Sequence[int] = ()) -> None:
    """Have all that this process starts from now on end with it. Only the first call in a process does something.

    Args:
        above: ids of processes that this one should not outlive either: where one is gone, this one is asked to end.
    """
    global _owner
    with _starting:
        if _owner == os.getpid():
            return
        _owner, mark = os.getpid(), secrets.token_hex(8)
        guard = subprocess.Popen(
            [sys.executable, "-P", "-B", __file__, mark, str(_owner), *map(str, above)],
            cwd=Path(__file__).anchor,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what is sent to a terminal's or a service's group does not reach it
        )
        os.environ[FAMILY] = f"{os.environ.get(FAMILY, '')} {mark}".strip()
        atexit.register(_send_away, _owner, guard)


def _send_away(owner: int, guard: "subprocess.Popen[bytes]") -> None:
    if owner == os.getpid():
        guard.kill()
        guard.wait()


def end_with_dvc() -> None:
    """Have this process end with the DVC that runs it as a stage, if one does."""
    if STAGE_OF_DVC not in os.environ:
        return
    parent = psutil.Process().parent()
    if parent and parent.name() == Path(os.environ.get("SHELL") or "sh").name:  # few shells stay between
        parent = parent.parent()
    if parent:
        threading.Thread(target=_follow, args=(parent,), name="podium-end-with-dvc", daemon=True).start()


def _follow(parent: psutil.Process) -> None:
    _wait(parent)
    end_families(psutil.Process().children(), GRACE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def end_families(heads: Sequence[psutil.Process], seconds: float) -> None:
    """Ask processes and all below them to end, and kill those who do not within some seconds.

    Each is halted before those below it are listed: it could start another one meanwhile.
    """
    family, waiting = [], [*heads]
    while waiting:
        one = waiting.pop()
        family.append(one)
        with suppress(psutil.Error):
            _halt(one)
            waiting += one.children()
    _end(family, seconds)


def _halt(process: psutil.Process) -> None:
    process.suspend()
    deadline = time.monotonic() + HALT_SECONDS
    while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE) and time.monotonic() < deadline:
        time.sleep(0.001)


# What follows runs in the guard.


def watch(mark: str, owner: int, above: Sequence[int]) -> None:
    """Wait until a process is gone, then end all who carry a mark.

    Args:
        mark: the family's.
        owner: the id of the process, which started this one.
        above: ids of processes after whose end the owner is asked to end, too.
    """
    with suppress(psutil.NoSuchProcess):
        if os.getppid() == owner:  # else it is gone already
            process = psutil.Process(owner)
            for one in above:
                threading.Thread(target=_end_after, args=(one, process), daemon=True).start()
            _wait(process)
    while family := _find(mark):  # one may have started another just now
        _end(family, GRACE_SECONDS)


def _end_after(one: int, owner: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        _wait(psutil.Process(one))
    _end([owner], REPORT_SECONDS)


def _find(mark: str) -> list[psutil.Process]:
    """Give those who carry a mark, and those below them who may have cleared their environment."""
    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if mark in process.environ().get(FAMILY, "").split():
                found |= {process, *process.children(recursive=True)}
    return [process for process in found if _is_alive(process)]


def _end(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Ask processes to end, and kill those who do not within some seconds."""
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
            process.resume()  # it may be halted
    deadline = time.monotonic() + seconds
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(LOOK_INTERVAL_SECONDS)
    for process in filter(_is_alive, processes):
        with suppress(psutil.Error):
            process.kill()


def _wait(process: psutil.Process) -> None:
    while _is_alive(process):
        time.sleep(LOOK_INTERVAL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    watch(sys.argv[1], int(sys.argv[2]), [int(one) for one in sys.argv[3:]])
