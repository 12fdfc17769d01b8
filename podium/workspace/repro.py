"""Running one stage with DVC."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from podium.errors import PodiumError, TransientError
from podium.paths import LOCK

TORN_LOCK = ".dvc/tmp/rwlock"
"""Where a kill may leave half a file of DVC's (treeverse/dvc issue 7615)."""

AFRESH = ("--force", "--no-run-cache", "--no-commit")
"""DVC neither looks for a result nor keeps one."""

MAX_LINES_SHOWN = 30
"""Of a failed stage, in its message."""

_CHATTER = re.compile(r"> |Running stage '|Stage '.*' (is cached|didn't change)|Use `dvc push`")
"""What `dvc repro` says around the lines of a stage."""
_RESTORED = re.compile(r"Stage '.*' is cached")
_FAILED = re.compile(r"ERROR: failed to reproduce '.*': failed to run: .*, exited with \d+$")
"""What it says of a stage that has said itself why it failed."""
_halted = threading.Event()
_running: set["subprocess.Popen[str]"] = set()


def reproduce(root: Path, name: str, say: Callable[[str], None], *, afresh: bool = False) -> bool:
    """Run one stage by `dvc repro --single-item`, what the stage says handed on line by line.

    What it writes to standard error is handed on when it has ended; if it failed, that is what the message holds.

    DVC notes in a file who uses what, and writes it in place: a kill at that moment leaves half of it, and DVC refuses
    to work until it is gone. Then it is removed; it said nothing any more.

    Args:
        root: the project's root.
        name: the stage.
        say: takes each line of the stage's output.
        afresh: run it whether or not it is up to date or DVC's cache has its outputs, and put nothing into that cache.

    Returns:
        Whether the stage ran; if not, DVC's cache had its outputs.

    Raises:
        TransientError: another DVC command holds the workspace.
        PodiumError: the stage failed, with its last lines; or it was stopped.
    """
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("PYTHONSAFEPATH", None)  # the project's own code is to run, not an installed podium
    lines: list[str] = []
    ran, written = True, False
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", "--single-item", *(AFRESH if afresh else ()), name],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        ) as process,
    ):
        _running.add(process)
        try:
            if _halted.is_set():
                raise PodiumError(f"{name} was stopped.")
            for line in process.stdout or ():
                text = line.rstrip()
                ran = ran and not _RESTORED.match(text)
                written = written or text.endswith(f"lock file '{LOCK}'")  # what follows are DVC's hints
                if text and not written and not _CHATTER.match(text):
                    lines = [*lines[1 - MAX_LINES_SHOWN :], text]
                    say(text)
            status = process.wait()
        finally:
            _running.discard(process)
            _stop(process)
        errors.seek(0)
        wrong = [line.rstrip() for line in errors if line.strip()]
    if _halted.is_set():  # its status means nothing any more
        raise PodiumError(f"{name} was stopped.")
    if not status:
        for line in wrong:
            say(line)
        return ran
    message = _explain(name, lines, wrong[-MAX_LINES_SHOWN:])
    if "Unable to acquire lock" in message or "is busy, it is being blocked by" in message:
        raise TransientError(f"{name}: another DVC command holds the workspace.\n{message}")
    if "JSON structure is corrupted" in message and (torn := root / TORN_LOCK).exists():
        torn.unlink()
        return reproduce(root, name, say, afresh=afresh)
    raise PodiumError(message)


def stop_running() -> None:
    """End every stage that is running, with all that it started; until the next flow, none begins."""
    _halted.set()
    for process in list(_running):
        _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        head = psutil.Process(process.pid)
        family = [*head.children(recursive=True), head]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.terminate()
        _, stubborn = psutil.wait_procs(family, timeout=10)
        for member in stubborn:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()


def _explain(name: str, lines: list[str], errors: list[str]) -> str:
    """Give the message of a failed stage: its own, or what is known of it.

    Args:
        name: the stage.
        lines: the last ones that it wrote to standard output.
        errors: the last ones that it and DVC wrote to standard error.
    """
    own = [line for line in errors if not _FAILED.match(line)]
    if re.search(r"exited with (-9|-11|137|139)$", "\n".join(errors), re.MULTILINE):
        halve = " set the schedule's batch_size in params.yaml to half of what it is," * name.startswith("train@")
        own = [
            *errors,
            "It was killed, or it crashed; most often the memory was too small. Close other programs,"
            f"{halve} or choose smaller images; the same command again goes on.",
        ]
    for number, line in enumerate(own):
        if line.startswith(f"{name.replace('@', ' ')}: "):  # as `python -m stages` says it; what is before is noise
            return "\n".join(own[number:])
    return "\n".join([f"{name} failed:", *(own or [*lines, *errors])])


@contextmanager
def no_stage_outlives() -> Iterator[None]:
    """Be put around a flow: where it ends in an exception, or an interrupt, every stage ends and no other begins."""
    _halted.clear()
    try:
        yield
    except BaseException:
        stop_running()
        raise
