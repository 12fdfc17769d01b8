"""Slices: how good a model is on parts of a split, and on which of them it is worse than on the rest.

To look at many parts is to find a bad one by chance, so what is called out has stood a correction for all that were
looked at: S. Holm, "A simple sequentially rejective multiple test procedure", 1979. It holds however much slices
overlap, and they do; the false discovery rate of Benjamini and Hochberg would call out more, some of them in vain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import hypergeom

from podium.evaluation.cuts import Cut, cut_up
from podium.evaluation.intervals import effective_images, estimate_proportion
from podium.evaluation.paired import adjust_for_number
from podium.evaluation.predictions import Predictions

ALPHA = 0.05
"""How often, at most, a split without any worse slice has one called out."""
LEAST_IMAGES = 10
"""A value is looked at if so many images have it, and so many have another."""
SHOWN = 50
"""Values of a slice that are shown, at most; of more, the worst. All are looked at."""

COLUMNS = ["slice", "value", "images", "groups", "accuracy", "low", "high", "p_value", "worse"]


@dataclass(frozen=True)
class Slices:
    """What was looked at.

    Attributes:
        looked_at: how many values, of all slices.
        worse: how many of them are called out.
        missing: (slice, reason): what could not be looked at, or is not shown.
    """

    looked_at: int
    worse: int
    missing: tuple[tuple[str, str], ...]

    def describe(self) -> dict[str, object]:
        """Give it for JSON."""
        missing = [{"slice": name, "reason": reason} for name, reason in self.missing]
        return {"looked_at": self.looked_at, "worse": self.worse, "missing": missing}


def slice_up(predictions: Predictions, facts: pd.DataFrame, columns: Sequence[str] = ()) -> tuple[pd.DataFrame, Slices]:
    """Measure a model on the slices of a split.

    Args:
        predictions: what it predicts.
        facts: the manifest's rows of the same images, in the same order.
        columns: of the manifest, to look at as well, beside what `cut_up` names.

    Returns:
        A row for each value: slice, value, images, groups (of near-duplicates), accuracy, low and high (of its
        interval), p_value (that chance alone makes it so much worse than the rest, after the correction), worse
        (whether it is called out). And what is missing.

    Raises:
        PodiumError: the manifest has no such column.
    """
    tables, missing, agreement = [], [], measure_agreement(predictions)
    cuts = {cut.name: cut for cut in cut_up(predictions, facts, columns)}
    for cut in cuts.values():
        table = pd.DataFrame() if cut.reason else _look(cut, predictions, agreement)
        if reason := cut.reason or _say_left_out(cut, len(table)):
            missing.append((cut.name, reason))
        if not table.empty:
            tables.append(table)
    if not tables:
        return pd.DataFrame(columns=COLUMNS), Slices(0, 0, tuple(missing))
    whole = pd.concat(tables, ignore_index=True)
    whole["p_value"] = adjust_for_number(whole["p_value"].tolist())
    whole["worse"] = whole["p_value"] < ALPHA
    shown, hidden = _bound(whole)
    shown = shown.join(pd.DataFrame(_estimate(shown, predictions, cuts), index=shown.index, columns=["low", "high"]))
    found = Slices(len(whole), int(whole["worse"].sum()), (*missing, *hidden))
    return shown[COLUMNS].reset_index(drop=True), found


def measure_agreement(predictions: Predictions) -> float:
    """Say how far the images of a group are right or wrong together, from 0 (by chance) to 1 (always)."""
    images = len(predictions)
    _, sizes = np.unique(predictions.groups, return_counts=True)
    size = np.sum(sizes.astype(np.float64) ** 2) / images
    if size == 1:
        return 0.0
    design_effect = images / effective_images(predictions.right, predictions.groups)
    return float(np.clip((design_effect - 1) / (size - 1), 0.0, 1.0))


def _look(cut: Cut, predictions: Predictions, agreement: float) -> pd.DataFrame:
    """Measure each value that enough images have, and test it against the rest.

    Fisher's exact test, one-sided, with the groups as units: the images of a value count for fewer, the larger the
    groups that they lie in and the more the images of all groups agree (L. Kish, "Survey Sampling", 1965).
    """
    known = cut.codes >= 0
    codes, right = cut.codes[known], predictions.right[known]
    _, groups = np.unique(predictions.groups[known], return_inverse=True)
    images = np.bincount(codes, minlength=len(cut.values))
    errors = np.bincount(codes, weights=~right, minlength=len(cut.values)).astype(np.float64)
    pairs, shared = np.unique(codes * (groups.max() + 1) + groups, return_counts=True)
    of_value, of_group = np.divmod(pairs, groups.max() + 1)
    sizes = np.bincount(groups).astype(np.float64)
    inside = np.bincount(of_value, weights=shared.astype(np.float64) ** 2).astype(np.float64)
    outside = np.sum(sizes**2) - np.bincount(of_value, weights=2.0 * shared * sizes[of_group]) + inside

    rest = len(codes) - images
    wrong, drawn = _effective(errors, images, inside, agreement)
    others_wrong, others = _effective(errors.sum() - errors, rest, outside, agreement)
    p_values = hypergeom.sf(wrong - 1, drawn + others, wrong + others_wrong, drawn)
    table = pd.DataFrame(
        {
            "slice": cut.name,
            "value": cut.values,
            "images": images,
            "groups": np.bincount(of_value),
            "accuracy": 1 - errors / images,
            "p_value": p_values,
            "code": np.arange(len(cut.values)),
        }
    )
    return table[(images >= LEAST_IMAGES) & (rest >= LEAST_IMAGES)]


def _effective(
    errors: NDArray[np.float64], images: NDArray[np.int64], squares: NDArray[np.float64], agreement: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the errors and the images that count, whole numbers."""
    ratio = 1 / (1 + (squares / np.maximum(images, 1) - 1) * agreement)
    return np.rint(errors * ratio).astype(np.int64), np.rint(images * ratio).astype(np.int64)


def _bound(table: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Keep the worst values of each slice, in the order in which they are."""
    worst = table.sort_values(["p_value", "accuracy"], kind="stable").groupby("slice").head(SHOWN)
    hidden = [
        (str(name), f"the {SHOWN} that look worst of {values:,} values are listed; all were looked at")
        for name, values in table.groupby("slice", sort=False).size().items()
        if values > SHOWN
    ]
    return table.loc[np.sort(worst.index)], hidden


def _estimate(table: pd.DataFrame, predictions: Predictions, cuts: Mapping[str, Cut]) -> list[tuple[Any, Any]]:
    inside = [cuts[name].codes == code for name, code in zip(table["slice"], table["code"], strict=True)]
    estimates = [estimate_proportion(predictions.right[rows], predictions.groups[rows]) for rows in inside]
    return [(estimate.low, estimate.high) for estimate in estimates]


def _say_left_out(cut: Cut, looked_at: int) -> str:
    left_out = len(cut.values) - looked_at
    if not left_out:
        return ""
    return f"{left_out:,} of its {len(cut.values):,} values have fewer than {LEAST_IMAGES} images, or all but as many"
