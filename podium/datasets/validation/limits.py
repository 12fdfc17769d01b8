"""Limits that a dataset keeps with room to spare: for a first page, and for `podium validate --infer`."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from podium.config.limits import Limits, Validation
from podium.datasets.validation.quarantine import RANGES, measure_of

DISTANCES = ((64, 64), (32, 40), (20, 24), (0, 8))
"""Least shorter side, and the distance up to which images of that size are near-duplicates (by the recipes)."""
MARGIN_SHARE = 0.1
"""Share by which the least and the greatest value may be passed."""


def infer_validation(
    labelled: pd.DataFrame, counts: pd.DataFrame, *, leaking: bool, left_aside: int | None = None
) -> Validation:
    """Infer what may be expected of a dataset from images that are known to be good.

    Args:
        labelled: the manifest's rows that can be used and have a label.
        counts: images of each class (rows) in each part (columns).
        leaking: there are images with the same bytes in two splits, so that they can only be warned of.
        left_aside: files of the archive that are; None if the dataset is no archive.

    Returns:
        Critical are half of the smallest class, the same bytes in two splits, and a class that loses a fifth of its
        images. Warnings are of a change of the files that are left aside, of images outside the ranges that all keep,
        with a tenth of room, of any leak or conflict, and of any measure that moves for a tenth of the images.
    """
    imbalance = (counts.max() / counts.min().clip(lower=1)).max()
    modes = sorted({*labelled["mode"]} - {""})
    ranges: dict[str, Any] = {name: _range(measure_of(labelled, name)) for name in RANGES}
    return Validation(
        duplicate_distance=choose_distance(labelled),
        quarantine=0.0,
        critical=Limits(
            minimum_per_class=max(1, int(counts.to_numpy().min()) // 2),
            exact_duplicates=None if leaking else 0.0,
            lost_per_class=0.2,
        ),
        warning=Limits(
            exact_duplicates=0.0 if leaking else None,
            maximum_imbalance=math.ceil(round(12.5 * float(imbalance), 6)) / 10,
            near_duplicates=0.0,
            label_conflicts=0.0,
            modes=modes or None,
            left_aside=left_aside,
            drift=0.1,
            **ranges,
        ),
    )


def choose_distance(labelled: pd.DataFrame) -> int:
    """Say in how many bits of 256 near-duplicates may differ: the smaller the images, the fewer."""
    shorter = labelled[["height", "width"]].min(axis=1).median()
    return next(distance for side, distance in DISTANCES if side <= shorter)


def _range(values: pd.Series) -> list[float]:
    """Give the least and the greatest value with room, in two digits; a value that never varies stays as it is."""
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        return [least, greatest]
    return [_rounded(least * (1 - MARGIN_SHARE), math.floor), _rounded(greatest * (1 + MARGIN_SHARE), math.ceil)]


def _rounded(value: float, how: Callable[[float], int]) -> float:
    """Round to two digits."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(how(round(value / unit, 6)) * unit, 6)
