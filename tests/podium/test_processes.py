"""What a process started ends with it, whatever was between the two; what it meant to leave stays."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from podium.processes import FAMILY, STAGE_OF_DVC
from tests.makers import REPOSITORY

SLEEP = f"{sys.executable} -c 'import time; time.sleep(60)'"
BEGIN = """
import os, subprocess, sys, threading, time
from pathlib import Path
from podium.processes import end_with_dvc, guard_children

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]

def note(process):
    with open("pids", "a") as file:
        file.write(f"{process if isinstance(process, int) else process.pid}\\n")
"""


class Script:
    """A Python script in a folder of its own; it notes the ids of the processes that it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        for name in (FAMILY, STAGE_OF_DVC):
            self.environment.pop(name, None)
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, text: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, "-c", BEGIN + text], cwd=self.folder, env=self.environment)
        self.started.append(process)
        return process

    def noted(self) -> list[int]:
        path = self.folder / "pids"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [int(line) for line in lines if line.endswith("\n")]

    def children(self, count: int) -> list[psutil.Process]:
        """Wait until so many processes are noted."""
        wait_until(lambda: len(self.noted()) == count)
        return [psutil.Process(one) for one in self.noted()]


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds:.0f} s"
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    made = Script(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
    for one in made.noted():
        with suppress(psutil.NoSuchProcess):
            psutil.Process(one).kill()


WAYS = {
    "a child": "note(subprocess.Popen(SLEEP))",
    "a grandchild below a shell, which leaves the session": f"""
subprocess.Popen(["sh", "-c", "{SLEEP} & echo $! >> pids; wait"], start_new_session=True)
""",
    "one who ignores the request to end": """
note(subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"]))
""",
    "a child of a thread that is over": """
thread = threading.Thread(target=lambda: note(subprocess.Popen(SLEEP)))
thread.start()
thread.join()
""",
    "a worker of a pool": """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
pool = ProcessPoolExecutor(1, get_context("spawn"))
note(pool.submit(os.getpid).result())
""",
}


@pytest.mark.parametrize("way", [pytest.param(one, marks=pytest.mark.slow if "ignores" in one else ()) for one in WAYS])
def test_nothing_outlives_a_kill(script: Script, way: str) -> None:
    process = script.start(f"guard_children()\n{WAYS[way]}\ntime.sleep(60)")
    (child,) = script.children(1)
    time.sleep(0.3)
    assert is_alive(child)
    process.kill()
    wait_until(lambda: not is_alive(child))


def test_who_clears_the_environment_is_found_below_one_who_does_not(script: Script) -> None:
    process = script.start(
        f"""guard_children()
subprocess.Popen(["sh", "-c", "env -i {SLEEP} & echo $! >> pids; wait"])
time.sleep(60)"""
    )
    (child,) = script.children(1)
    wait_until(lambda: FAMILY not in child.environ())
    process.kill()
    wait_until(lambda: not is_alive(child))


def test_the_guard_goes_with_a_process_that_ends_as_it_should_and_touches_nothing(script: Script) -> None:
    process = script.start("guard_children()\nnote(subprocess.Popen(SLEEP))")
    (child,) = script.children(1)
    assert process.wait() == 0
    mark = child.environ()[FAMILY]
    time.sleep(0.5)
    assert is_alive(child)
    assert not [one for one in psutil.process_iter() if mark in command_of(one)]


def command_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


def test_a_fork_has_a_guard_of_its_own_and_leaves_that_of_its_parent(script: Script) -> None:
    process = script.start(
        """guard_children()
if not os.fork():
    sys.exit()
os.wait()
note(subprocess.Popen(SLEEP))
if not os.fork():
    guard_children()
    note(subprocess.Popen(SLEEP))
    note(os.getpid())
time.sleep(60)"""
    )
    own, of_fork, fork = script.children(3)
    fork.kill()
    wait_until(lambda: not is_alive(of_fork))
    assert is_alive(own)
    process.kill()
    wait_until(lambda: not is_alive(own))


def test_a_process_is_asked_to_end_with_those_above_it(script: Script) -> None:
    above = script.start("time.sleep(60)")
    process = script.start(
        f"""import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
guard_children([{above.pid}])
note(os.getpid())
time.sleep(60)"""
    )
    script.children(1)
    time.sleep(0.5)
    assert process.poll() is None
    above.kill()
    assert process.wait(20) == 7


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_stage_ends_with_the_dvc_that_runs_it(script: Script, shell: str) -> None:
    (script.folder / "stage.py").write_text(BEGIN + "end_with_dvc()\nnote(os.getpid())\ntime.sleep(60)")
    script.environment |= {STAGE_OF_DVC: "dvc.yaml:train@a", "SHELL": f"/bin/{shell}"}
    dvc = script.start(f'subprocess.run(["/bin/{shell}", "-c", f"{{sys.executable}} stage.py; true"])')
    (stage,) = script.children(1)
    time.sleep(0.3)
    assert is_alive(stage)
    dvc.kill()
    wait_until(lambda: not is_alive(stage))


def test_what_a_person_runs_by_hand_ends_when_the_person_wants(script: Script) -> None:
    (script.folder / "stage.py").write_text(BEGIN + "end_with_dvc()\nnote(os.getpid())\ntime.sleep(60)")
    script.environment.pop(STAGE_OF_DVC, None)
    terminal = script.start("subprocess.run([sys.executable, 'stage.py'])")
    (stage,) = script.children(1)
    terminal.kill()
    terminal.wait()
    time.sleep(0.5)
    assert is_alive(stage)
    stage.kill()


def test_a_guard_costs_its_owner_milliseconds(script: Script) -> None:
    script.start(
        """began = time.process_time()
guard_children()
note(round(1000 * (time.process_time() - began)))"""
    ).wait()
    assert script.noted()[0] < 50


def test_who_starts_processes_guards_them() -> None:
    files = [path for room in ("podium", "flows", "stages") for path in (REPOSITORY / room).rglob("*.py")]
    starting = {path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8") for path in files}
    careless = {name for name, text in starting.items() if "subprocess." in text and "guard_children(" not in text}
    assert careless == GIT_ALONE


GIT_ALONE = {"podium/git.py", "podium/workspace/branches.py", "podium/workspace/clone.py"}
"""They start git only, whose commands are over in a moment."""
