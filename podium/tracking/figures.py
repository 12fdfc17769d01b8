"""What evaluation measured, as MLflow's metrics: the same names for every candidate.

test/accuracy, test/accuracy/low, test/accuracy/high    of each split and metric, with the ends of its interval
test/ece, …/low, …/high                                 of each split: the expected calibration error
repeats/test_accuracy_mean, …_std                       of several seeds
cost/parameters, cost/milliseconds_per_image, …         what the model costs
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ENDS = ("low", "high")
"""Of an interval."""


def read_figures(reports: Path) -> dict[str, float]:
    """Read what `evaluate` wrote of a candidate, and give each number its name in MLflow.

    Args:
        reports: the candidate's folder of reports. Of `metrics.json`, `evaluation.json` and `cost.json`, those that are
            not there are left out; so is what is no finite number.
    """
    metrics, evaluation, cost = (_read(reports / f"{name}.json") for name in ("metrics", "evaluation", "cost"))
    figures = {f"{split}/{_slashed(name)}": value for split, some in metrics.items() for name, value in some.items()}
    for split, some in evaluation.get("metrics", {}).items():
        for name, estimate in some.items():
            figures |= _spread(f"{split}/{name}", estimate)
    for split, estimate in (evaluation.get("calibration") or {}).get("ece", {}).items():
        figures |= _spread(f"{split}/ece", estimate)
    figures |= {f"cost/{name}": value for name, value in cost.items()}
    return dict(_finite(figures))


def describe_result(reports: Path, candidate: str, page: str, picture: str) -> str:
    """Give a run's description, in Markdown: the headline with its interval, the picture, and where the page is.

    Args:
        reports: the candidate's folder of reports.
        candidate: its name.
        page: the address of its page among the run's artifacts; empty where there is none.
        picture: the address of the picture of its results, likewise.
    """
    figures = read_figures(reports)
    told = {split: _interval(figures, f"{split}/accuracy") for split in _SPLITS if f"{split}/accuracy" in figures}
    if told.get("test_clean") == told.get("test"):
        told.pop("test_clean", None)  # nothing in the test split has a near-duplicate elsewhere
    known = [f"{text} on {_SPLITS[split]}" for split, text in told.items()]
    lines = (
        f"[The report card]({page})" if page else "",
        f"{candidate}: accuracy {', '.join(known)}." if known else "",
        f"![The results]({picture})" if picture else "",
    )
    return "\n\n".join(filter(None, lines)) + "\n"


_SPLITS = {
    "test": "the test split",
    "test_clean": "those of its images without a near-duplicate in another split",
    "validation": "the validation split",
}


def _interval(figures: Mapping[str, float], name: str) -> str:
    ends = [figures.get(f"{name}/{end}") for end in ENDS]
    within = "" if None in ends else f" ({ends[0]:.3f} to {ends[1]:.3f})"
    return f"**{figures[name]:.4f}**{within}"


def _slashed(name: str) -> str:
    """Give `accuracy_low` as `accuracy/low`."""
    stem, _, end = name.rpartition("_")
    return f"{stem}/{end}" if end in ENDS else name


def _spread(name: str, estimate: Mapping[str, Any]) -> dict[str, Any]:
    return {name: estimate["value"]} | {f"{name}/{end}": estimate.get(end) for end in ENDS}


def _finite(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if isinstance(value, int | float) and math.isfinite(value):
            yield name, float(value)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
