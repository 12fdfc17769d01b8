"""A seed and shares by which a sticky split of today's images gives every split images of every class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from podium.datasets.sticky import draw_lots, least_digests

SEEDS = 100
"""Seeds that are tried with each share."""
SAFE_GROUPS = 300
"""A class of so many groups misses a split of 15 % in one of 10²¹ draws."""


def choose_seed(images: pd.DataFrame, shares: Sequence[tuple[float, float]]) -> tuple[float, float, int] | None:
    """Find the first shares and the least seed that leave no class without images in a split.

    Args:
        images: sha256, group and label of each.
        shares: those of validation and of test, to be tried in this order; one of test may be 0.

    Returns:
        The shares and the seed; None if no seed does.
    """
    codes, least = least_digests(images)
    pairs = pd.DataFrame({"label": pd.factorize(images["label"])[0], "group": codes}).drop_duplicates()
    small = pairs[pairs.groupby("label")["group"].transform("size") < SAFE_GROUPS]
    labels, digests = pd.factorize(small["label"])[0], least[small["group"].to_numpy()]
    if len(labels) and np.bincount(labels).min() < 3 - (not all(test for _, test in shares)):
        return None
    lots = [draw_lots(digests, seed) for seed in range(SEEDS)]
    for validation, test in shares:
        for seed, numbers in enumerate(lots):
            ends = numbers < test, numbers >= 1 - validation
            middle = ~(ends[0] | ends[1])
            if all(_covers(labels, each) for each in ((*ends, middle) if test else (ends[1], middle))):
                return validation, test, seed
    return None


def _covers(labels: np.ndarray, drawn: np.ndarray) -> bool:
    """Tell whether what is drawn has every label."""
    return bool(np.bincount(labels[drawn], minlength=labels.max(initial=-1) + 1).all())
