"""Running one stage with DVC."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from podium.errors import PodiumError, TransientError
from podium.paths import LOCK
from podium.workspace.graph import _CHATTER, _RESTORED, LAST_LINES, _explain, _halted

TORN = ".dvc/tmp/rwlock"
"""Where a kill may leave half a file of DVC's (treeverse/dvc issue 7615)."""

_running: set["subprocess.Popen[str]"] = set()


def reproduce(root: Path, name: str, say: Callable[[str], None]) -> bool:
    """Run one stage by `dvc repro --single-item`, what the stage says handed on line by line.

    What it writes to standard error is handed on when it has ended; if it failed, that is what the message holds.

    DVC notes in a file who uses what, and writes it in place: a kill at that moment leaves half of it, and DVC refuses
    to work until it is gone. Then it is removed; it said nothing any more.

    Args:
        root: the project's root.
        name: the stage.
        say: takes each line of the stage's output.

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
    lines: list[str] = []
    ran, written = True, False
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", "--single-item", name],
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
                    lines = [*lines[1 - LAST_LINES :], text]
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
    message = _explain(name, lines, wrong[-LAST_LINES:])
    if "Unable to acquire lock" in message or "is busy, it is being blocked by" in message:
        raise TransientError(f"{name}: another DVC command holds the workspace.\n{message}")
    if "JSON structure is corrupted" in message and (torn := root / TORN).exists():
        torn.unlink()
        return reproduce(root, name, say)
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
