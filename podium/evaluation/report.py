"""A candidate's evaluation: its metrics by split, and the tables that stand beside them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.config.datasets import Reference
from podium.datasets.arrays import Split
from podium.evaluation.boxes import measure_boxes
from podium.evaluation.metrics import Metrics, measure, measure_classes, measure_repeats, tabulate_repeats
from podium.evaluation.predictions import find_clean, tabulate
from podium.evaluation.published import compare

Heads = dict[str, NDArray[np.float32]]
"""A model's outputs for a split: `label` (n, classes) probabilities; `box` (n, 4), if it predicts boxes."""


@dataclass(frozen=True)
class Evaluation:
    """What is measured of a candidate.

    Attributes:
        metrics: by split (`validation`, `test`); `test_clean` is of the test images without a near-duplicate in train,
            `repeats` of all seeds, if there are several.
        predictions: one row an image of both splits.
        per_class: one row a class, on the test split.
        seeds: one row a seed.
        comparison: the candidate beside published results.
    """

    metrics: dict[str, Metrics]
    predictions: pd.DataFrame
    per_class: pd.DataFrame
    seeds: pd.DataFrame
    comparison: pd.DataFrame

    def save(self, folder: Path) -> None:
        """Write `metrics.json`, and a CSV table for each of the others."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("predictions", "per_class", "seeds", "comparison"):
            getattr(self, name).to_csv(folder / f"{name}.csv", index=False)
        (folder / "metrics.json").write_text(json.dumps(self.metrics, indent=2) + "\n", encoding="utf-8")


def evaluate(
    name: str,
    splits: Mapping[str, Split],
    outputs: Mapping[int, Mapping[str, Heads]],
    classes: Sequence[str],
    leaks: pd.DataFrame,
    references: Sequence[Reference],
) -> Evaluation:
    """Measure a candidate.

    Args:
        name: the candidate's.
        splits: `validation` and `test`.
        outputs: by seed, the candidate's own first, and by split, what the model predicts.
        classes: their names, in the order of the labels.
        leaks: validation's table of images that have a near-duplicate in another split.
        references: published results.
    """
    seeds = {
        seed: {split: _measure(splits[split], heads[split]) for split in splits} for seed, heads in outputs.items()
    }
    first = next(iter(outputs))
    metrics, test, labels = {**seeds[first]}, splits["test"], outputs[first]["test"]["label"]
    tables = {
        split: tabulate(splits[split], heads["label"], classes, heads.get("box"))
        for split, heads in outputs[first].items()
    }
    clean = find_clean(tables["test"]["id"], leaks)
    if clean.any():
        metrics["test_clean"] = measure(test.labels[clean], labels[clean]) | {"pictures": int(clean.sum())}
    by_seed = tabulate_repeats(seeds)
    if len(by_seed) > 1:
        metrics["repeats"] = measure_repeats(by_seed)
    return Evaluation(
        metrics,
        predictions=pd.concat(tables, names=["split"]).reset_index("split"),
        per_class=measure_classes(test.labels, labels, classes),
        seeds=by_seed,
        comparison=compare(name, metrics, {split: len(table) for split, table in tables.items()}, references),
    )


def _measure(split: Split, heads: Heads) -> Metrics:
    boxes = {} if split.boxes is None else measure_boxes(split.boxes, heads["box"], split.images.shape[1:])
    return measure(split.labels, heads["label"]) | boxes
