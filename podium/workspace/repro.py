"""Running one stage with DVC."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from podium.errors import PodiumError, TransientError
from podium.paths import LOCK
from podium.processes import end_families, guard_children

TORN_LOCK = ".dvc/tmp/rwlock"
"""Where DVC notes who uses what. It writes in place, so a kill may leave half of it; DVC then refuses to work until it
is gone, and half of it says nothing (treeverse/dvc issue 7615)."""

AFRESH = ("--force", "--no-run-cache", "--no-commit")
"""DVC neither looks for a result nor keeps one."""

ANEW = ("--force",)
"""DVC looks for no result, and keeps the one that is made."""

GRACE_SECONDS = 10.0
"""That a stage has to end, before it is killed."""

MAX_LINES_SHOWN = 30
"""Of a failed stage, in its message."""

_CHATTER = re.compile(r"> |Running stage '|Stage '.*' (is cached|didn't change)|Use `dvc push`")
"""What `dvc repro` says around the lines of a stage."""
_RESTORED = re.compile(r"Stage '.*' is cached")
_FAILED = re.compile(r"ERROR: failed to reproduce '.*': failed to run: .*, exited with \d+$")
"""What it says of a stage that has said itself why it failed."""
_STAGE = re.compile(r"failed to reproduce '(.*)': failed to run")
_halted = threading.Event()
_running: set["subprocess.Popen[str]"] = set()


def reproduce(
    root: Path,
    name: str | Sequence[str],
    say: Callable[[str], None],
    *,
    afresh: bool = False,
    anew: bool = False,
    seconds: float | None = None,
) -> bool:
    """Run one stage by `dvc repro --single-item`, what the stage says handed on line by line; or several, in order.

    What it writes to standard error is handed on when it has ended; if it failed, that is what the message holds.

    Args:
        root: the project's root.
        name: the stage, or the stages.
        say: takes each line of the stage's output.
        afresh: run it whether or not it is up to date or DVC's cache has its outputs, and put nothing into that cache.
        anew: run it whether or not it is up to date, as a download whose source has something else now.
        seconds: how long it may take; then it is ended with everything that it started.

    Returns:
        Whether a stage ran; if not, DVC's cache had all outputs.

    Raises:
        TransientError: another DVC command holds the workspace.
        PodiumError: the stage failed, with its last lines; or it was stopped.
    """
    names = [name] if isinstance(name, str) else [*name]
    name = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    how = AFRESH if afresh else ANEW if anew else ()
    guard_children()
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("PYTHONSAFEPATH", None)  # the project's own code is to run, not an installed podium
    lines: list[str] = []
    restored, written = 0, False
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", "--single-item", *how, *names],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        ) as process,
        _ended_after(seconds, process) as late,
    ):
        _running.add(process)
        try:
            if _halted.is_set():
                raise PodiumError(f"{name} was stopped.")
            for line in process.stdout or ():
                text = line.rstrip()
                restored += bool(_RESTORED.match(text))
                written = text.endswith(f"lock file '{LOCK}'") or (written and not text.startswith("Running stage '"))
                if text and not written and not _CHATTER.match(text):  # once it is written, DVC gives hints
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
    if late.is_set():
        raise PodiumError(
            f"{name.replace('@', ' ')}: took longer than the {_minutes(seconds)} that it may take, and was ended with "
            "everything that it had started.",
            hint="Allow it more minutes, `limits` among the parameters of the flow, or give it less to do.",
        )
    if not status:
        for line in wrong:
            say(line)
        return restored < len(names)
    message = _explain(names, lines, wrong[-MAX_LINES_SHOWN:])
    if "Unable to acquire lock" in message or "is busy, it is being blocked by" in message:
        raise TransientError(f"{name}: another DVC command holds the workspace.\n{message}")
    if "JSON structure is corrupted" in message and (torn := root / TORN_LOCK).exists():
        torn.unlink()
        return reproduce(root, names, say, afresh=afresh, anew=anew, seconds=seconds)
    raise PodiumError(message)


@contextmanager
def _ended_after(seconds: float | None, process: "subprocess.Popen[str]") -> Iterator[threading.Event]:
    """End a process and what it started after a while, unless it has ended by itself; the event says that it did not.

    Who waits for this has to wait for the end of all: the last one closes its output before it is gone.

    Prefect's own time limit would wait for the thread of a task, which waits for its process.
    """
    late = threading.Event()

    def end() -> None:
        if process.poll() is None:
            late.set()
            _stop(process)

    timer = threading.Timer(seconds or 0, end)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        if late.is_set():
            timer.join()


def _minutes(seconds: float | None) -> str:
    minutes = (seconds or 0) / 60
    return f"{minutes:g} minute{'s' * (minutes != 1)}"


def stop_running() -> None:
    """End every stage that is running, with all that it started; until the next flow, none begins."""
    _halted.set()
    for process in list(_running):
        _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            end_families([psutil.Process(process.pid)], GRACE_SECONDS)
        process.wait()


def _explain(names: Sequence[str], lines: list[str], errors: list[str]) -> str:
    """Give the message of a failed stage: its own, or what is known of it.

    Args:
        names: the stage, or those of which one failed.
        lines: the last ones that it wrote to standard output.
        errors: the last ones that it and DVC wrote to standard error.
    """
    named = _STAGE.search("\n".join(errors))
    name = named[1] if named and named[1] in names else names[0]
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
