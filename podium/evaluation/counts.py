"""Metrics that are counted: of how many images of each class, how many predicted as it, and how many of both.

Their variance is the jackknife's (B. Efron and C. Stein, 1981): each group of near-duplicates is left out in turn. A
group touches few classes, so that this takes no more than one row for each group and class of its images.
"""

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.intervals import Estimate, count_alike, estimate_score

Floats = NDArray[np.float64]
METHOD = "cluster jackknife"


def estimate_counted(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], groups: NDArray[np.int64]
) -> dict[str, Estimate]:
    """Estimate what is counted by classes.

    Args:
        labels: (n,) the true classes.
        predicted: (n,) likewise.
        groups: (n,) the group of near-duplicates of each image.

    Returns:
        balanced_accuracy (the mean recall of the classes that have images), precision, recall and F1 as the mean over
        all classes that occur (`macro_`) and weighted by the classes' images (`weighted_`), and matthews, all as in
        scikit-learn. A class that is never predicted has precision 0. matthews is not given of one true class.
    """
    _, group = np.unique(groups, return_inverse=True)
    names, both = np.unique(np.concatenate([labels, predicted]), return_inverse=True)
    actual, guess = both[: len(labels)], both[len(labels) :]
    right = actual == guess
    code = np.concatenate([group, group]) * len(names) + both
    pairs, where = np.unique(code, return_inverse=True)
    of_group, of_class = pairs // len(names), pairs % len(names)
    parts = np.stack(
        [
            np.bincount(where[: len(labels)], minlength=len(pairs)),
            np.bincount(where[len(labels) :], minlength=len(pairs)),
            np.bincount(where[: len(labels)], weights=right, minlength=len(pairs)),
        ]
    ).astype(np.float64)
    counts = np.stack([np.bincount(of_class, weights=part, minlength=len(names)) for part in parts])
    whole = _add_up(*counts)
    change = _add_up(*(counts[:, of_class] - parts)) - whole[:, of_class]
    total = whole.sum(axis=1, keepdims=True)
    rest = total + np.stack([np.bincount(of_group, weights=some) for some in change])
    values, without = _figures(total), _figures(rest)
    alike, by_class = np.array([count_alike(groups)]), _alike_by_class(labels, groups)
    wrong = np.bincount(group, weights=~right)
    rare = wrong.sum() ** 2 / max(np.sum(wrong**2), 1.0)
    estimates = {}
    for name, figure in values.items():
        value, count = float(figure[0]), rest.shape[1]
        # Of one group alone there is no rest: the belief that all its images are alike stands in.
        variance = (count - 1) / count * float(np.sum((without[name] - value) ** 2)) if count > 1 else 0.0
        some, told = alike if name.startswith(("weighted", "matthews")) else by_class, rare if count > 1 else 0.0
        if name != "matthews" or len(np.unique(labels)) > 1:
            least = -1.0 if name == "matthews" else 0.0
            estimates[name] = estimate_score(value, variance, some, told, METHOD, least)
    return estimates


def _add_up(images: Floats, predicted: Floats, both: Floats) -> Floats:
    """Give what each class adds to the sums of `_figures`: (12, classes)."""
    precision, recall, f1 = (
        np.divide(part, of, out=np.zeros_like(part), where=of > 0)
        for part, of in ((both, predicted), (both, images), (2 * both, images + predicted))
    )
    return np.stack(
        [
            *(images, both, images * predicted, images**2, predicted**2),
            *(images > 0, images + predicted > 0, precision, recall, f1, images * precision, images * f1),
        ]
    ).astype(np.float64)


def _figures(sums: Floats) -> dict[str, Floats]:
    """Give each figure (m,) of sums (12, m)."""
    images, both, crossed, squared, guessed, have, occur, precision, recall, f1, precisions, f1s = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.sqrt((images**2 - squared) * (images**2 - guessed))
        return {
            "balanced_accuracy": recall / have,
            "macro_precision": precision / occur,
            "macro_recall": recall / occur,
            "macro_f1": f1 / occur,
            "weighted_precision": precisions / images,
            "weighted_recall": both / images,
            "weighted_f1": f1s / images,
            "matthews": np.where(below > 0, (both * images - crossed) / below, 0.0),
        }


def _alike_by_class(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Floats:
    """Give the effective images of each class that has any, if all images of a group were alike."""
    pairs, sizes = np.unique(np.stack([labels, groups], axis=1), axis=0, return_counts=True)
    _, classes = np.unique(pairs[:, 0], return_inverse=True)
    images, squares = np.bincount(classes, weights=sizes), np.bincount(classes, weights=sizes.astype(np.float64) ** 2)
    return images**2 / squares
