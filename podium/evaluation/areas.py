"""Areas under the ROC and the precision-recall curve of each class against the rest, and their variance.

Both are scikit-learn's `roc_auc_score` and `average_precision_score`; here with how much each image weighs in them,
which scikit-learn does not tell: E. R. DeLong et al., "Comparing the areas under two or more correlated receiver
operating characteristic curves" (1988), by groups as N. A. Obuchowski, "Nonparametric analysis of clustered ROC curve
data" (1997); of average precision the derivative by the image's weight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.intervals import Estimate, count_alike, estimate_score

Floats = NDArray[np.float64]

MOST_PROBABILITIES = 10_000_000
"""Of more (images × classes) no area is taken: it would last longer than the model's own work, and with so many
classes it is near 1 for every model."""


@dataclass(frozen=True)
class Areas:
    """Areas under curves.

    Attributes:
        roc: (classes,) of each class against the rest; NaN where the split has only images of it, or none.
        precision_recall: (classes,) likewise: average precision.
        means: roc_auc and pr_auc, the means over the classes that have them; of two classes that of the second. Empty
            if no class has them.
    """

    roc: Floats
    precision_recall: Floats
    means: dict[str, Estimate]


def estimate_areas(labels: NDArray[np.int64], probabilities: NDArray[np.float32], groups: NDArray[np.int64]) -> Areas:
    """Take the areas of (n,) labels, (n, classes) probabilities and (n,) groups of near-duplicates."""
    count = probabilities.shape[1]
    roc, precision_recall = np.full(count, np.nan), np.full(count, np.nan)
    if probabilities.size > MOST_PROBABILITIES:
        return Areas(roc, precision_recall, {})
    images = np.bincount(labels, minlength=count)
    known = np.flatnonzero((images > 0) & (images < len(labels)))
    meant = known[known == 1] if count == 2 else known
    weights, alike = np.zeros((2, len(labels))), []
    for place in known:
        positive = labels == place
        roc[place], of_roc, precision_recall[place], of_precision = _areas(positive, probabilities[:, place])
        if place in meant:
            weights += np.stack([of_roc, of_precision]) / len(meant)
            alike.append(min(count_alike(groups[positive]), count_alike(groups[~positive])))
    if not len(meant):
        return Areas(roc, precision_recall, {})
    _, group = np.unique(groups, return_inverse=True)
    means, several = {}, group.max() + 1
    for name, areas, weight in zip(("roc_auc", "pr_auc"), (roc, precision_recall), weights, strict=True):
        variance = several / max(several - 1, 1) * float(np.sum(np.bincount(group, weights=weight) ** 2))
        told = float(np.mean(alike)) if several > 1 else 0.0
        means[name] = estimate_score(float(areas[meant].mean()), variance, np.array(alike), told, "linearised")
    return Areas(roc, precision_recall, means)


def _areas(positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> tuple[float, Floats, float, Floats]:
    """Give the ROC area and each image's weight in it, and the average precision and each image's weight in that."""
    order = np.argsort(-scores, kind="stable")
    hit = positive[order].astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(hit) - 1)  # equal scores are one step of the curve
    step = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    hits, seen = np.cumsum(hit)[ends], ends + 1.0
    misses, all_hits = seen - hits, hits[-1]
    all_misses = len(hit) - all_hits
    of_step, of_misses = np.diff(hits, prepend=0.0), np.diff(misses, prepend=0.0)
    beaten = np.where(hit == 1, (all_misses - misses + of_misses / 2)[step] / all_misses, 0.0)
    beaten += np.where(hit == 0, (hits - of_step / 2)[step] / all_hits, 0.0)
    area = float(beaten @ hit / all_hits)
    precision = hits / seen
    average = float(of_step @ precision / all_hits)
    gain, loss = (np.cumsum(part[::-1])[::-1] for part in (of_step / seen, of_step * hits / seen**2))
    of_roc, of_precision = np.empty(len(hit)), np.empty(len(hit))
    of_roc[order] = (beaten - area) / np.where(hit == 1, all_hits, all_misses)
    of_precision[order] = (hit * (precision[step] - average + gain[step]) - loss[step]) / all_hits
    return area, of_roc, average, of_precision
