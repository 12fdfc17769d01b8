"""A candidate's evaluation: everything that follows from its predictions alone, and the files that it is kept in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from podium.config.datasets import Dataset
from podium.config.datasets import Evaluation as Asked
from podium.evaluation.calibration import calibrate
from podium.evaluation.cuts import MEASURES
from podium.evaluation.label_errors import list_suspects
from podium.evaluation.metrics import (
    measure,
    measure_all,
    measure_classes,
    measure_clean,
    measure_repeats,
    summarise,
    tabulate_repeats,
)
from podium.evaluation.power import smallest_difference
from podium.evaluation.predictions import Predictions, find_clean, look_up, save_predictions
from podium.evaluation.published import compare
from podium.evaluation.slices import slice_up
from podium.files import save_json
from podium.paths import CandidatePaths

MANIFEST = ("id", "sha256", "group", "width", "height", *MEASURES)
"""Columns of the manifest that an evaluation needs, beside those that its dataset's params name."""
STATED_ACCURACY = 0.95
"""How often a model is to be right where it answers, unless params say otherwise."""


@dataclass(frozen=True)
class Evaluation:
    """What is measured of a candidate.

    Attributes:
        predictions: by split, `validation` and `test`.
        metrics: few of them, by split, for `metrics.json`.
        facts: everything, for `evaluation.json`.
        tables: by name, each for a CSV file.
        thresholds: how sure the model has to be, for whoever serves it.
    """

    predictions: dict[str, Predictions]
    metrics: dict[str, dict[str, float]]
    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    thresholds: dict[str, float | None]

    def save(self, folder: Path, thresholds: Path, **further: Any) -> None:
        """Write all of it; the same evaluation gives the same bytes.

        Args:
            folder: of the candidate's reports.
            thresholds: the JSON file beside the model.
            further: what else is to stand in `evaluation.json`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        save_predictions(self.predictions, folder / "predictions.parquet")
        for name, table in self.tables.items():
            table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        save_json(self.metrics, folder / "metrics.json")
        save_json(self.facts | further, folder / "evaluation.json")
        save_json(self.thresholds, thresholds)


def evaluate(
    paths: CandidatePaths,
    dataset: Dataset,
    outputs: Mapping[int, dict[str, Predictions]],
    leaks: pd.DataFrame,
    manifest: pd.DataFrame,
    temperature: float,
) -> Evaluation:
    """Measure a candidate.

    Args:
        paths: the candidate's.
        dataset: what params say of its dataset.
        outputs: by seed, the candidate's own first, and by split, validation and test, what the model predicts.
        leaks: validation's table of images that have a near-duplicate in another split.
        manifest: the columns `MANIFEST` and those that params name.
        temperature: what the model's logits were divided by.

    Raises:
        PodiumError: params name a column that the manifest does not have.
    """
    splits = next(iter(outputs.values()))
    validation, test = splits["validation"], splits["test"]
    asked = dataset.evaluation or Asked()
    metrics = {split: measure_all(some) for split, some in splits.items()}
    clean = find_clean(test.ids, leaks)
    seeds = tabulate_repeats({seed: {split: measure(each[split]) for split in each} for seed, each in outputs.items()})
    repeats = measure_repeats(seeds) if len(seeds) > 1 else None
    whole = metrics | {"test_clean": measure_clean(test, clean, metrics["test"])}
    calibration = calibrate(validation, test, temperature, asked.stated_accuracy or STATED_ACCURACY)
    slices, looked = slice_up(test, look_up(test.ids, manifest), asked.slices or ())
    images = {split: len(some) for split, some in splits.items()}
    suspects, suspected = list_suspects(paths.dataset, [*splits.values()])
    return Evaluation(
        predictions=splits,
        metrics=summarise(whole, int(clean.sum()), repeats),
        facts={
            "candidate": paths.name,
            "dataset": paths.dataset,
            "classes": list(test.classes),
            "splits": {split: {"images": len(some), "groups": _count(some)} for split, some in splits.items()},
            "metrics": {split: {key: asdict(each) for key, each in some.items()} for split, some in whole.items()},
            "clean": {"images": int(clean.sum()), "seen": int((~clean).sum())},
            "power": asdict(smallest_difference(test)),
            "calibration": calibration.describe(),
            "slices": looked.describe(),
            "suspects": suspected,
        },
        tables={
            "per_class": measure_classes(test),
            "comparison": compare(paths.name, metrics, images, dataset.reference, repeats),
            "seeds": seeds,
            "reliability": calibration.reliability,
            "coverage": calibration.curve,
            "slices": slices,
            "suspects": suspects,
        },
        thresholds=calibration.describe_thresholds(),
    )


def _count(some: Predictions) -> int:
    return len(np.unique(some.groups))
