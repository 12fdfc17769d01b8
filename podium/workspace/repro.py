"""Running one stage with DVC."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from podium.errors import PodiumError, TransientError
from podium.paths import LOCK

TORN = ".dvc/tmp/rwlock"
"""Where a kill may leave half a file of DVC's (treeverse/dvc issue 7615)."""

_running: set["subprocess.Popen[str]"] = set()


def reproduce(root: Path, name: str, say: Callable[[str], None]) -> None:
    """Run one stage by `dvc repro --single-item`, its output handed on line by line.

    DVC notes in a file who uses what, and writes it in place: a kill at that moment leaves half of it, and DVC refuses
    to work until it is gone. Then it is removed; it said nothing any more.

    Args:
        root: the project's root.
        name: the stage.
        say: takes each line of output.

    Raises:
        TransientError: another DVC command holds the workspace.
        PodiumError: the stage failed; the message ends with its last lines.
    """
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    lines: list[str] = []
    written = False
    with subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "--single-item", name],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        _running.add(process)
        try:
            for line in process.stdout or ():
                text = line.rstrip()
                if text:
                    lines = [*lines[-30:], text]
                    written = written or text.endswith(f"lock file '{LOCK}'")  # what follows are DVC's hints
                    if not written:
                        say(text)
            status = process.wait()
        finally:
            _running.discard(process)
            _stop(process)
    if status:
        message = "\n".join(line for line in lines if not line.startswith((">", "Running stage")))
        if "Unable to acquire lock" in message or "is busy, it is being blocked by" in message:
            raise TransientError(f"{name}: another DVC command holds the workspace.\n{message}")
        if "JSON structure is corrupted" in message and (torn := root / TORN).exists():
            torn.unlink()
            reproduce(root, name, say)
            return
        if re.search(r"exited with (-9|-11|137|139)$", message, re.MULTILINE):
            halve = " set the schedule's batch_size in params.yaml to half of what it is," * name.startswith("train@")
            message += (
                "\nIt was killed, or it crashed; most often the memory was too small. Close other programs,"
                f"{halve} or choose smaller images; the same command again goes on."
            )
        raise PodiumError(f"{name} failed:\n{message}")


def stop_running() -> None:
    """End every stage that is running, with all that it started."""
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
