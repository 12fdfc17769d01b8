"""In which circumstances a version was made, and how those of today differ: the machine, the packages, the code."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podium.errors import PodiumError
from podium.registry.proof.subject import Subject
from podium.tracking.kept import ENVIRONMENT, MACHINE, SOURCE, describe_machine
from podium.tracking.lineage import describe_environment

MAX_BYTES = 4 << 20
"""Of a file of a run's lineage that is read whole."""
MAX_NAMED = 8
_ARITHMETIC = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "scipy", "opencv-python-headless", "scikit-learn")
"""These are named first."""


@dataclass(frozen=True)
class Source:
    """From which code a version was made.

    Attributes:
        commit: its sha; empty if the project was in no repository.
        edited: tracked files that differed from it; None if that is not known.
    """

    commit: str
    edited: tuple[str, ...] | None


def read_source(subject: Subject, lineage: Mapping[str, Path]) -> Source:
    """Give the code that a version was made from, as its run keeps it; of older runs, as far as its tags tell."""
    if SOURCE in lineage:
        known = read_json(lineage[SOURCE])
        return Source(str(known.get("commit") or ""), tuple(map(str, known.get("edited") or ())))
    commit = subject.run.data.tags.get("mlflow.source.git.commit", "")
    clean = subject.run.data.tags.get("podium.edited") == "no"
    return Source(commit if commit.isalnum() else "", () if clean else None)


def describe_edited(source: Source) -> str:
    """Say which files were edited, in a sentence; empty if none was."""
    if source.edited is None:
        return f"Files were edited when it was made, or may have been: their names were not kept. {_MAY_DIFFER}"
    if source.edited:
        return f"Files were not as in the commit {source.commit[:10]}: {_list(source.edited)}. {_MAY_DIFFER}"
    return ""


_MAY_DIFFER = "What is built from the commit alone may differ."


def describe_changed_machine(lineage: Mapping[str, Path]) -> str:
    """Say how this machine differs from the one that the version was made on, as far as sums can tell; empty if not."""
    if MACHINE not in lineage:
        return "On what processor it was made was not kept, so rounding may differ."
    then, now = read_json(lineage[MACHINE]), describe_machine()
    if all(then.get(key) == now[key] for key in ("architecture", "instructions", "cores")):
        return ""
    told = [f"{one.get('processor')} ({one.get('architecture')}, {one.get('cores')} cores)" for one in (then, now)]
    more = "; the sets of instructions differ" if then.get("instructions") != now["instructions"] else ""
    return f"It was made on {told[0]}, this is {told[1]}{more}: sums are rounded in another order."


def describe_changed_packages(lineage: Mapping[str, Path]) -> str:
    """Say which installed packages are others than when the version was made; empty if none is."""
    if ENVIRONMENT not in lineage:
        return "With which packages it was made was not kept."
    then, now = _parse(read_text(lineage[ENVIRONMENT])), _parse(describe_environment())
    changed = sorted({*then, *now} - {name for name in then if then[name] == now.get(name)})
    changed.sort(key=lambda name: name not in _ARITHMETIC)
    told = [f"{name} {then.get(name, '(not there)')} then, {now.get(name, '(not there)')} now" for name in changed]
    return f"Other packages are installed: {_list(told)}." if told else ""


def read_json(path: Path) -> dict[str, Any]:
    """Read a small file of a run's lineage.

    Raises:
        PodiumError: it holds no JSON object.
    """
    try:
        content: dict[str, Any] = {**json.loads(read_text(path))}
    except (ValueError, TypeError, RecursionError) as error:
        raise PodiumError(f"{path.name} of the run's lineage is none that podium wrote: {error}") from error
    return content


def read_text(path: Path) -> str:
    """Read a small file of a run's lineage as text.

    Raises:
        PodiumError: it is larger than any that podium writes.
    """
    if path.stat().st_size > MAX_BYTES:
        raise PodiumError(f"{path.name} of the run's lineage has more than {MAX_BYTES:,} bytes.")
    return path.read_text(encoding="utf-8", errors="replace")


def _parse(environment: str) -> dict[str, str]:
    pairs = (line.partition("==") for line in environment.splitlines())
    return {name: version for name, equal, version in pairs if equal}


def _list(names: Sequence[str]) -> str:
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
