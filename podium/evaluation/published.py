"""A candidate's metrics beside published results, and whether they differ by more than noise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from podium.config.datasets import Reference
from podium.evaluation.intervals import Estimate, Z
from podium.evaluation.metrics import SMALLER_IS_BETTER, Estimates, Metrics

COLUMNS = (
    *("model", "metric", "split", "value", "standard_error", "low", "high", "images", "difference", "verdict"),
    "source",
)
OF_BOXES = frozenset({"mean_iou", "iou_50", "iou_75", "joint_accuracy", "box_mse"})
SAME = "cannot be told apart"
NO_BAR = "no error bar is published"


def compare(
    name: str,
    metrics: Mapping[str, Estimates],
    images: Mapping[str, int],
    references: Sequence[Reference],
    repeats: Metrics | None = None,
) -> pd.DataFrame:
    """Compare a candidate's metrics with published results.

    Args:
        name: the candidate's.
        metrics: of each split, from `measure_all`.
        images: how many each split has.
        references: what is published. Without any, our test accuracy stands alone.
        repeats: of several seeds, from `measure_repeats`, if there are any.

    Returns:
        First our rows, one for each metric and split that the references name (and that we have; a second one for the
        mean of the seeds, where there are several), then theirs. Columns: model, metric, split, value, standard_error
        (ours is the interval's, which counts near-duplicates by groups), low and high (the interval), images,
        difference (ours less theirs), verdict (see `judge`), source.
    """
    asked = dict.fromkeys((reference.metric, reference.split) for reference in references) or [("accuracy", "test")]
    rows: list[dict[str, str | float | None]] = []
    for metric, split in asked:
        if (ours := metrics[split].get(metric)) is not None:
            count = metrics[split]["boxes"].value if metric in OF_BOXES else images[split]
            of_metric: dict[str, str | float | None] = {"metric": metric, "split": split}
            ends = {"low": ours.low, "high": ours.high, "images": int(count)}
            rows.append({"model": name, "value": ours.value, "standard_error": find_error(ours), **of_metric, **ends})
            if repeats is not None and f"{split}_{metric}_mean" in repeats:
                title = f"{name}, mean of {repeats['seeds']:.0f} seeds"
                rows.append({"model": title, "value": repeats[f"{split}_{metric}_mean"], **of_metric})
    rows += [_show(reference, metrics[reference.split].get(reference.metric)) for reference in references]
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    return table.astype({"images": "Int64"})


def judge(ours: Estimate, reference: Reference) -> str:
    """Say whether ours and a published result differ by more than noise: a two-sided test at 5 % of both errors.

    Where none is published, theirs is taken as exact: what lies in our interval still cannot be told apart.
    """
    gap, error = ours.value - reference.value, find_error(ours)
    better = gap < 0 if reference.metric in SMALLER_IS_BETTER else gap > 0
    word = "better" if better else "worse"
    if error is None or ours.low is None or ours.high is None:
        return SAME if gap == 0 else f"{word}, but ours has no error bar"
    if reference.standard_error is None:
        within = ours.low <= reference.value <= ours.high
        return f"{SAME}; {NO_BAR}" if within else f"{word}, more than our noise; {NO_BAR}"
    if abs(gap) > Z * np.hypot(error, reference.standard_error):
        return f"{word}, more than noise"
    return SAME


def find_error(estimate: Estimate) -> float | None:
    """Give the standard error that an interval speaks of: its half over the quantile; None where there is none."""
    if estimate.low is None or estimate.high is None:
        return None
    return (estimate.high - estimate.low) / (2 * Z)


def _show(reference: Reference, ours: Estimate | None) -> dict[str, str | float | None]:
    error = reference.standard_error
    return {
        **{"model": reference.model, "metric": reference.metric, "split": reference.split, "value": reference.value},
        "standard_error": error,
        "low": None if error is None else reference.value - Z * error,
        "high": None if error is None else reference.value + Z * error,
        "difference": None if ours is None else ours.value - reference.value,
        "verdict": "not measured here" if ours is None else judge(ours, reference),
        "source": reference.source,
    }
