"""A candidate's metrics beside published results."""

from collections.abc import Sequence
from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from podium.config.datasets import Reference
from podium.evaluation.metrics import Metrics


def compare(
    name: str, metrics: dict[str, Metrics], images: dict[str, int], references: Sequence[Reference]
) -> pd.DataFrame:
    """Compare a candidate's metrics with published results.

    Args:
        name: the candidate's.
        metrics: of each split, from `measure` and `measure_boxes`; and of `repeats`, from `measure_repeats`, if any.
        images: how many each split has.
        references: what is published. Without any, our test accuracy stands alone.

    Returns:
        First our rows, one for each metric and split that the references name (and that we have; a second one for the
        mean of the seeds, where there are several), then theirs:
        model, metric, split, value, standard_error (ours of an accuracy p of n images: √(p (1 − p) / n)), source.
    """
    rows: list[dict[str, str | float | None]] = []
    asked = dict.fromkeys((reference.metric, reference.split) for reference in references) or [("accuracy", "test")]
    for metric, split in asked:
        if metric in metrics[split]:
            value = metrics[split][metric]
            error = np.sqrt(value * (1 - value) / images[split]) if metric == "accuracy" else None
            rows.append({"model": name, "metric": metric, "split": split, "value": value, "standard_error": error})
            if repeats := metrics.get("repeats"):
                mean = repeats[f"{split}_{metric}_mean"]
                title = f"{name}, mean of {repeats['seeds']:.0f} seeds"
                rows.append({"model": title, "metric": metric, "split": split, "value": mean})
    rows += [asdict(reference) for reference in references]
    return pd.DataFrame(rows, columns=[field.name for field in fields(Reference)])
