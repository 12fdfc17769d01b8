"""How long a run will take here: from what its stages took before, and on the shipped page from a quick timing, too."""

import hashlib
import json
import marshal
import time
from collections.abc import Sequence
from pathlib import Path

from podium.config import Params
from podium.config.datasets import SklearnSource
from podium.files import atomic_write
from podium.paths import home
from podium.workspace.graph import Stage

RECORD = Path(".dvc/tmp/podium-seconds.json")
"""What each stage took when it last ran on this machine. Nobody's output: it can be removed at any time."""

SHIPPED_SECONDS = {
    "download": 5.0,
    "validate": 10.5,
    "preprocess": 4.7,
    "train": 10.0,
    "evaluate": 10.0,
    "confusion_matrix": 4.5,
}
"""What a stage of the shipped page takes on the machine of docs/benchmarks.md, without the epochs of `train`: most
of it is the start of Python and its libraries, so that small changes of the page matter little."""
EPOCH_SECONDS = 0.5
FLOW_SECONDS = 30.0
"""What Prefect with its temporary server and MLflow add to a run."""
TIMING_SECONDS = 0.08
"""What `time_machine` gives there: 0.06 where the other core is idle, as a run never leaves it, to 0.12."""
SMALL_MODELS = ("dense", "cnn")


class Durations:
    """What the stages of a project took on this machine."""

    def __init__(self, root: Path, params: Params) -> None:
        """Read the record.

        Args:
            root: the project's root.
            params: its params; a stage whose entries changed counts as another stage.
        """
        self._path, self._params = home(root) / RECORD, params

    def of(self, stage: str) -> float | None:
        """Give the seconds that a stage took, as it is on the page now; None if that is not known."""
        known = self._read().get(stage, {})
        return float(known["seconds"]) if known.get("entries") == self._digest(stage) else None

    def keep(self, stage: str, seconds: float) -> None:
        """Write down what a stage took."""
        record = self._read() | {stage: {"entries": self._digest(stage), "seconds": round(seconds, 2)}}
        with atomic_write(self._path) as part:
            part.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

    def _read(self) -> dict[str, dict[str, str | float]]:
        try:
            record = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _digest(self, stage: str) -> str:
        entry, params = stage.partition("@")[2], self._params
        entries: list[object] = [params.datasets.get(entry)]
        if candidate := params.candidates.get(entry):
            dataset = params.dataset(candidate.dataset)
            entries = [candidate, params.schedule(candidate.schedule), dataset.source, dataset.image]
        return hashlib.sha256(repr(entries).encode()).hexdigest()[:16]


def estimate(stages: Sequence[Stage], params: Params, durations: Durations) -> float | str:
    """Give the seconds that stages will take, or the reason why that cannot be said.

    Args:
        stages: those that have work to do, at least one.
        params: the params.
        durations: what is known from earlier runs.
    """
    factor, total = 0.0, 0.0
    for stage in stages:
        seconds = durations.of(stage.name)
        if seconds is None:
            shipped = _shipped(stage, params)
            if shipped is None:
                return _unknown(stage)
            factor = factor or time_machine() / TIMING_SECONDS
            seconds = factor * shipped
        total += seconds
    return total + FLOW_SECONDS * (factor or 1.0)


def _shipped(stage: Stage, params: Params) -> float | None:
    """Give what a stage takes on the machine of the benchmarks, if it is one of a page like the shipped one."""
    candidate = params.candidates.get(stage.entry)
    dataset = params.datasets.get(candidate.dataset if candidate else stage.entry)
    seconds = SHIPPED_SECONDS.get(stage.kind)
    if seconds is None or dataset is None or not isinstance(dataset.source, SklearnSource):
        return None
    if candidate is None:
        return seconds
    if candidate.model.kind not in SMALL_MODELS:
        return None
    schedule = params.schedule(candidate.schedule)
    per_seed = seconds + EPOCH_SECONDS * schedule.epochs * (stage.kind == "train")
    return per_seed * len(schedule.seeds)


def _unknown(stage: Stage) -> str:
    if stage.kind == "download":
        return f"the dataset '{stage.entry}' has to be fetched first"
    return f"{stage.name} has not run here yet as it is on the page"


def time_machine() -> float:
    """Time what a stage does most of its time on small data: bring modules into memory. Seconds."""
    source = "".join(f"def f{n}(a, b={n}):\n    return [a * x for x in range(b)] + [{n}]\n" for n in range(40))
    module = marshal.dumps(compile(source, "module", "exec"))
    began = time.perf_counter()
    for _ in range(2000):
        marshal.loads(module)  # noqa: S302 - it was made in the line above
    return time.perf_counter() - began


def roughly(seconds: float) -> str:
    """Give a time as people say it: `40 seconds`, `3 minutes`, `2 hours`."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours"
