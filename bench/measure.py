"""Measuring a command as a whole process, and two things against each other.

Measured in the operating system's own words (wait4): wall seconds, user and system seconds, and the peak of
resident memory. The last two include the processes that the command itself waited for; of several processes
the peak is the largest one's, not their sum.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

GRACE = 20
"""Seconds that an interrupted command has to stop its own children."""


class BenchError(Exception):
    """A measured command failed, or something that a bench needs is missing."""


@dataclass(frozen=True)
class Cost:
    """What a process cost: wall and CPU in seconds, peak memory in bytes."""

    wall: float
    cpu: float
    peak: int

    def __add__(self, other: "Cost") -> "Cost":
        """Give the cost of both, one after the other."""
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.peak, other.peak))


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end, start and exit included, and give its cost.

    A process begins with its parent's peak as its own: the benches themselves therefore import nothing heavy.

    Raises:
        BenchError: it failed; the message ends with its last lines.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that the whole family can be stopped
        )
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            stop(process)
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            last = output.read().decode(errors="replace").splitlines()[-30:]
            raise BenchError("\n".join([f"{' '.join(command)} ended with status {process.returncode}:", *last]))
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def simulate(module: str, times: int) -> list[dict[str, Any]]:
    """Run a simulation in a process of its own, and give its rows: it prints a line of JSON for each.

    Raises:
        BenchError: it failed; the message ends with what it said.
    """
    command = [sys.executable, "-m", module, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt a process and its children; after a while, kill what is left."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def interleave(
    ours: Callable[[], Any], other: Callable[[], Any], repetitions: int, warm_up: bool = True
) -> tuple[list[Any], list[Any]]:
    """Do two things in turn, the one that begins alternating, so that a slow minute of the machine hits both.

    Args:
        ours: the first thing.
        other: the second.
        repetitions: how often each is done.
        warm_up: do each once before, uncounted: byte code is written and files are read from disk then.

    Returns:
        The results of each.
    """
    if warm_up:
        ours()
        other()
    first, second = [], []
    for repetition in range(repetitions):
        for thing, results in ((ours, first), (other, second))[:: -1 if repetition % 2 else 1]:
            results.append(thing())
    return first, second


def ratios(ours: Sequence[float], other: Sequence[float]) -> tuple[float, float, float]:
    """Give the ratio of the medians, between the smallest and the largest ratio within a repetition."""
    pairs = [mine / its for mine, its in zip(ours, other, strict=True)]
    return min(pairs), median(ours) / median(other), max(pairs)
