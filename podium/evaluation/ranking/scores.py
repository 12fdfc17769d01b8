"""What each image says of a model, so that the mean over images is the metric that models are ranked by."""

import numpy as np

from podium.evaluation.boxes import overlap
from podium.evaluation.intervals import Floats
from podium.evaluation.predictions import Predictions
from podium.evaluation.scores import score

RANKED = {"accuracy": "accuracy", "loss": "log loss", "mean_iou": "mean IoU", "joint_accuracy": "joint accuracy"}
"""The metrics that are means over images, and what a page calls them. Macro F1 is none."""
HALF = 0.5
"""Of intersection over union: from here on a box is right."""


def per_image(some: Predictions, metric: str) -> Floats:
    """Give what each image (n,) adds to the mean, the more the better: losses are negative.

    Images without a true box say nothing of boxes: NaN.

    Args:
        some: the predictions.
        metric: one of `RANKED`.

    """
    if metric == "accuracy":
        return some.right.astype(np.float64)
    if metric == "loss":
        return -np.asarray(score(some.labels, some.probabilities).losses, np.float64)
    if some.boxes is None or some.predicted_boxes is None:
        return np.full(len(some), np.nan)
    known = np.isfinite(some.boxes).all(axis=1)
    overlaps = np.where(known, overlap(some.boxes, some.predicted_boxes), np.nan)
    if metric == "mean_iou":
        return overlaps
    return np.where(known, some.right & (overlaps >= HALF), np.nan)
