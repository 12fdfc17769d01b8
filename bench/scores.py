"""What the benches of scores share: candidates of a recipe, each trained by `dvc repro` with several seeds.

What DVC's run cache of this repository has from an earlier run of the same code, page and data is not trained again.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from bench.options import Options
from bench.report import NONE, Row
from bench.workspace import MOBILENET, ROOT, Workspace, sample, workspace

Metrics = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Aim:
    """A figure of a candidate, and what is known of it beforehand.

    Attributes:
        metric: as evaluation names it.
        other: what it is beside, if anything: a published figure.
        target: what the mean on the test split is to be.
        reached: whether it is.
    """

    metric: str = "accuracy"
    other: str = NONE
    target: str = NONE
    reached: Callable[[float], bool] | None = None


@contextmanager
def contest(recipe: str, archives: dict[str, str]) -> Iterator[Workspace]:
    """Give a workspace with a recipe whose data and weights lie in the test data, and with this repository's cache.

    Args:
        recipe: its name.
        archives: by dataset, the archive's place in the test data.

    Raises:
        Skipped: the test data lack one of them.
    """
    places = {name: str(sample(archive)) for name, archive in archives.items()}
    weights = str(sample(MOBILENET))
    with workspace() as project:
        project.run("dvc", "cache", "dir", "--local", str(ROOT / ".dvc/cache"))
        project.use(recipe)
        with project.page() as page:
            for name, place in places.items():
                page["datasets"][name]["source"] = {"kind": "archive", "path": place}
            for candidate in page["candidates"].values():
                if candidate["model"].get("weights") == "imagenet":
                    candidate["model"]["weights"] = weights
        yield project


def train(project: Workspace, name: str, seeds: Sequence[int], epochs: int | None) -> list[Metrics]:
    """Train and evaluate a candidate with each seed; give what evaluation measured."""
    found = []
    for seed in seeds:
        with project.page() as page:
            candidate = page["candidates"][name]
            schedule = page["schedules"][candidate["schedule"]]
            schedule["seed"] = seed
            for phase in schedule["phases"] if epochs else []:
                phase["epochs"] = epochs
                phase.pop("warmup", None)  # which may be longer
        project.run("dvc", "repro", f"evaluate@{name}")
        metrics: Metrics = json.loads((reports(project, candidate, name) / "metrics.json").read_text())
        print(f"{name}, seed {seed}: {metrics['validation']}, {metrics['test']}", flush=True)
        found.append(metrics)
    return found


def reports(project: Workspace, candidate: dict[str, Any], name: str) -> Path:
    return project.root / "reports" / candidate["dataset"] / name


def measure(project: Workspace, name: str, title: str, seeds: Sequence[int], options: Options, *aims: Aim) -> list[Row]:
    """Train a candidate with each seed and set its figures beside what is known of them.

    Args:
        project: of `contest`.
        name: the candidate.
        title: what people call it.
        seeds: to train with.
        options: may shorten the training.
        aims: its figures, each for a row; the validation split's accuracy is told with the first.
    """
    found = train(project, name, seeds, options.epochs)
    rows = []
    for number, aim in enumerate(aims or [Aim()]):
        test = [metrics["test"][aim.metric] for metrics in found]
        ours = spread(test)
        if not number:
            ours += f"; validation {spread([metrics['validation'][aim.metric] for metrics in found])}"
        reached = None if aim.reached is None else aim.reached(mean(test))
        what = f"{title} (`{name}`), seed {', '.join(map(str, seeds))}: {aim.metric.replace('_', ' ')}"
        rows.append(Row(what, ours, aim.other, NONE, aim.target, reached))
    return rows


def at_least(value: float, **more: str) -> Aim:
    """Want an accuracy of so much."""
    return Aim(target=f"at least {value:g}", reached=lambda found: found >= value, **more)


def spread(scores: Sequence[float]) -> str:
    """Write a mean and, of several, the smallest and the largest."""
    only = f"{mean(scores):.4f}"
    return only if len(scores) == 1 else f"{only} ({min(scores):.4f}–{max(scores):.4f})"
