"""Coverage against accuracy: what a model gains where it may answer "unsure", and how sure it has to be.

The classifier with a reject option by its confidence: Y. Geifman and R. El-Yaniv, "Selective Classification for Deep
Neural Networks", 2017, arXiv:1705.08500.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.evaluation.intervals import estimate_proportion
from podium.evaluation.predictions import Predictions

LEVELS = 10
"""Shares of validation among which a threshold is chosen: 10 %, 20 % … 100 %. The more, the luckier the luckiest.

Measured on 2,000 drawn splits: where confidence tells nothing and a model is right in 94.9 of 100 cases, a threshold
for 95 is promised wrongly 4 to 7 times of 100; where confidence tells something, less than once.
"""

_SHARES = 100
"""Rows of the table of a split, at most."""


def tabulate_coverage(predictions: Predictions) -> pd.DataFrame:
    """Say how often a model is right where it is at least so sure.

    Returns:
        threshold (of the confidence, from the highest down), coverage (the share of the images that are answered),
        images (that are), accuracy (among them), and the low and high end of its interval: a row for each 1 % of the
        images.
    """
    return _tabulate(predictions, _SHARES)


def choose_threshold(validation: Predictions, stated: float) -> float | None:
    """Choose how sure a model has to be to answer, so that its answers are right as often as is stated.

    Args:
        validation: what it predicts for images that tell nothing of how good it is in the end, never the test split.
        stated: the accuracy that is asked for.

    Returns:
        The lowest threshold, among `LEVELS`, at which the low end of the interval of the accuracy is not below what is
        stated: not the accuracy itself, which would be promised too much every other time. 0.0 if every image may be
        answered; None if these images bear out no threshold, be they too few (73 right ones for 0.95) or too often
        wrong.
    """
    levels = _tabulate(validation, LEVELS)
    enough = levels[levels["low"] >= stated]
    if enough.empty:
        return None
    last = enough.iloc[-1]
    return 0.0 if last["images"] == len(validation) else float(last["threshold"])


def answered(predictions: Predictions, threshold: float) -> NDArray[np.bool_]:
    """Say which images (n,) a model is sure enough of."""
    sure: NDArray[np.bool_] = predictions.confidence >= threshold
    return sure


def _tabulate(predictions: Predictions, shares: int) -> pd.DataFrame:
    order = np.argsort(-predictions.confidence, kind="stable")
    confidence, right, groups = predictions.confidence[order], predictions.right[order], predictions.groups[order]
    count = len(order)
    places = np.ceil(count * np.arange(1, shares + 1) / shares).astype(int) - 1
    thresholds = np.unique(confidence[places])[::-1]
    rows = []
    for threshold in thresholds:
        images = int(np.searchsorted(-confidence, -threshold, side="right"))
        accuracy = estimate_proportion(right[:images], groups[:images])
        rows.append((float(threshold), images / count, images, accuracy.value, accuracy.low, accuracy.high))
    return pd.DataFrame(rows, columns=["threshold", "coverage", "images", "accuracy", "low", "high"])
