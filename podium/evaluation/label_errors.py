"""Images whose label may be wrong, by what a model says of them.

C. Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021, arXiv:1911.00068, as its
authors' cleanlab finds them (`filter_by="confident_learning"`); but a model that is sure of nothing suspects nobody.

It takes probabilities by a model that was not trained on the images: those of validation and test are. Of training
images it would need a training for each fold.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.evaluation.predictions import Predictions
from podium.paths import REVIEW_COLUMNS

MAX_SUSPECTS = 200
"""Lines at most: nobody looks through more."""
LEAST_CONFIDENCE = 0.5
"""Below it no model means anything."""


def list_suspects(dataset: str, splits: Sequence[Predictions]) -> tuple[pd.DataFrame, int]:
    """List the images whose label may be wrong, as lines for data/review.csv.

    Args:
        dataset: its name.
        splits: what a model predicts for images that it was not trained on.

    Returns:
        The lines, the surest first, no more than `MAX_SUSPECTS`; and how many such images there are.
    """
    thresholds = class_thresholds(splits)
    rows = []
    for some in splits:
        likely = find_suspects(some.labels, some.probabilities, thresholds)
        for row in np.flatnonzero(likely >= 0).tolist():
            given, found = int(some.labels[row]), int(likely[row])
            of_given, of_found = (float(some.probabilities[row, label]) for label in (given, found))
            says = f"the label is {some.classes[given]}, the model says {some.classes[found]}"
            note = f"{says}: {of_found:.3f} against {of_given:.3f}"
            rows.append((of_found - of_given, str(some.ids[row]), str(some.digests[row]), note))
    rows.sort(key=lambda line: -line[0])
    lines = [(dataset, id_, digest, "leave_out", note) for _, id_, digest, note in rows[:MAX_SUSPECTS]]
    return pd.DataFrame(lines, columns=REVIEW_COLUMNS), len(rows)


def class_thresholds(splits: Sequence[Predictions]) -> NDArray[np.float64]:
    """Say for each class from which probability on the model means it: the mean of the images that are said to be it.

    Returns:
        (classes,), at least `LEAST_CONFIDENCE`; infinite for a class without images.
    """
    classes = len(splits[0].classes)
    sums, counts = np.zeros(classes), np.zeros(classes)
    for some in splits:
        own = some.probabilities[np.arange(len(some)), some.labels]
        sums += np.bincount(some.labels, weights=own, minlength=classes)
        counts += np.bincount(some.labels, minlength=classes)
    means = np.divide(sums, counts, out=np.full(classes, np.inf), where=counts > 0)
    thresholds: NDArray[np.float64] = np.maximum(means, LEAST_CONFIDENCE)
    return thresholds


def find_suspects(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Find the images that the model confidently takes for another class than their label.

    Args:
        labels: (n,).
        probabilities: (n, classes).
        thresholds: (classes,), from `class_thresholds`.

    Returns:
        (n,) the likely class of each; −1 where the label may stand.
    """
    predicted = probabilities.argmax(axis=1)
    meant = np.where(probabilities >= thresholds, probabilities, -1)
    likely = np.where(meant.max(axis=1) >= 0, meant.argmax(axis=1), -1)
    suspect = (likely >= 0) & (likely != labels) & (predicted != labels)
    found: NDArray[np.int64] = np.where(suspect, likely, -1)
    return found
