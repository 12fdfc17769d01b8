"""What a run keeps of how it was made: enough to build it again, months later, on another machine."""

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient

from podium.git import ask_git
from podium.paths import ADDITIONS, LOCK, PARAMS, REVIEW, DatasetPaths

LINEAGE = "lineage"
"""The folder of a run's artifacts that holds all this."""
SOURCE, MACHINE, ENVIRONMENT, ARCHIVE = "source.json", "machine.json", "environment.txt", "archive.json"
"""The commit and what was edited; the processor; the packages; the archive that the data came from."""
MAX_EDITED = 100
"""Names of edited files that are kept."""

_CPU_INFO = Path("/proc/cpuinfo")
_FLAGS = ("sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c", "avx512", "avx_vnni", "amx", "asimd", "sve", "bf16")
"""Sets of instructions that arithmetic is written for begin like this: other sets round in another order."""


def find_files(root: Path, dataset: str) -> dict[str, Any]:
    """Give the files of a project that a run keeps, as far as they are there, by their names in `lineage/`."""
    places = DatasetPaths(dataset)
    files = {LOCK.name: LOCK, PARAMS.name: PARAMS, REVIEW.name: REVIEW, ADDITIONS.name: ADDITIONS}
    files |= {ARCHIVE: places.lock, "split.csv": places.processed / "split.csv"}
    return {name: root / path for name, path in files.items() if (root / path).is_file()}


def log_lineage(client: MlflowClient, run_id: str, kept: Mapping[str, Any]) -> None:
    """Send files, texts, and what becomes JSON to a run's `lineage/`, in place of what it has by these names."""
    with TemporaryDirectory(prefix="podium-") as folder:  # all at once: a server is asked once a file
        for name, content in kept.items():
            place = Path(folder) / name
            if isinstance(content, Path):
                copyfile(content, place)
            else:
                text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
                place.write_text(text, encoding="utf-8", newline="\n")
        client.log_artifacts(run_id, folder, LINEAGE)


def find_edited(root: Path) -> list[str]:
    """Name the tracked files that differ from the commit, by their paths in the repository.

    The page, the lock and people's decisions on images are left out: a run keeps those as they are.
    """
    status = ask_git(root, "status", "--porcelain", "--untracked-files=no", "--no-renames", "-z") or b""
    prefix = (ask_git(root, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip()
    kept = {f"{prefix}{path.as_posix()}" for path in (LOCK, PARAMS, REVIEW, ADDITIONS)}
    names = {entry[3:] for entry in status.decode(errors="replace").split("\0") if entry}
    return sorted(names - kept)[:MAX_EDITED]


def describe_machine() -> dict[str, Any]:
    """Say what of this machine decides in which order numbers are added up.

    The processor's name and architecture, the instructions that arithmetic uses, the cores, and Python's version.
    """
    known: dict[str, str] = {}
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            known.setdefault(key.strip(), value.strip())
    flags = known.get("flags") or known.get("Features") or ""
    return {
        "processor": known.get("model name") or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "instructions": sorted(flag for flag in set(flags.split()) if flag.startswith(_FLAGS)),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
