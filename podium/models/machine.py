"""The name of a machine, so that times and memory are compared with those of the same one."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def name_machine(gpus: Sequence[str] = ()) -> str:
    """Name this machine's processor, its cores, and its GPUs, which the caller knows: `AMD EPYC, 2 cores`."""
    cores = os.cpu_count() or 1
    return ", ".join([_processor(), f"{cores} core{'s' if cores > 1 else ''}", *gpus])


def _processor() -> str:
    if _CPU_INFO.is_file():  # Linux; elsewhere Python knows
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, name = line.partition(":")
            if key.strip() == "model name" and name.strip():
                return name.strip()
    return platform.processor() or platform.machine()
