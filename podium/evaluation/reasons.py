"""Why an image is an error: what its nearest training images and its near-duplicates say of it."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.label_errors import class_thresholds
from podium.evaluation.neighbours import NEIGHBOURS, Rows, Training, distance_to, find_nearest
from podium.evaluation.predictions import Predictions

REASONS = ("near_duplicate", "label", "unlike_training", "confusable")
"""In the order in which they are looked for."""

FAR_PERCENTILE, NEAR_PERCENTILE = 99, 90
"""Of the distances to train: further than those of so many validation images is unlike train; nearer than those of so
many validation hits is like it."""
MIN_IMAGES_FOR_FAR = 20
"""Of fewer validation images nobody can tell what is far."""

_COMPARED = 1000
"""Validation images that say what is far; more say the same."""


@dataclass(frozen=True)
class Usual:
    """What is usual, by the validation split.

    Attributes:
        confidence: (classes,) how sure the model is of images that are truly of a class.
        near: a distance to train within which most hits are.
        far: a distance beyond which almost no image is.
    """

    confidence: NDArray[np.float64]
    near: float
    far: float


def find_usual(validation: Predictions, features: NDArray[np.float32], training: Training) -> Usual:
    """Look at the validation split, (n, width) float32 features; without hits nothing is near."""
    count = len(validation)
    rows = np.sort(np.random.default_rng(0).permutation(count)[:_COMPARED])
    distances = distance_to(find_nearest(features[rows], training.features)[1])
    hits = distances[validation.right[rows]]
    return Usual(
        confidence=class_thresholds([validation]),
        near=float(np.percentile(hits, NEAR_PERCENTILE)) if len(hits) else -np.inf,
        far=float(np.percentile(distances, FAR_PERCENTILE)) if count >= MIN_IMAGES_FOR_FAR else np.inf,
    )


def explain(
    test: Predictions,
    rows: Rows,
    nearest: tuple[Rows, NDArray[np.float32]],
    training: Training,
    usual: Usual,
) -> list[tuple[str, str]]:
    """Say of errors why they are.

    The first reason that holds: an image of train is nearly the same and has another label (`near_duplicate`); the
    model is as sure as of what is truly of the predicted class, and sees the image amid training images of that class
    (`label`); it is further from all training images than 99 % of validation are (`unlike_training`); else the model
    confuses the classes (`confusable`).

    Args:
        test: what the model predicts for the test split.
        rows: (n,) the errors.
        nearest: (n, count) places in the reference and similarities, from `find_nearest`.
        training: the training images.
        usual: what is usual.

    Returns:
        Of each, one of the `REASONS`, and a sentence.
    """
    places, similarities = nearest
    names, distances, answers, confidence = test.classes, distance_to(similarities), test.predicted, test.confidence
    mates, images = find_mates(test, training.labels, training.groups), Counter(test.labels.tolist())
    agree = _agree(training.labels[training.rows[places]], answers[rows], training)
    counts = count_confusions(test)

    def of(place: int, row: int) -> tuple[str, str]:
        actual, predicted, sure = int(test.labels[row]), int(answers[row]), float(confidence[row])
        others = {label: one for label, one in mates.get(int(test.groups[row]), {}).items() if label != actual}
        if others:
            twin = others.get(predicted, next(iter(others.values())))
            label = names[training.labels[twin]]
            return (
                "near_duplicate",
                f"Train has nearly the same image with another label, {label}: {training.ids[twin]}.",
            )
        name = names[predicted]
        if agree[place] and sure >= usual.confidence[predicted] and distances[place] <= usual.near:
            return "label", (
                f"The label may be wrong: the model is {percent(sure)} sure of {name}, and the training images that it "
                f"sees as most like this one are all {name}."
            )
        if distances[place] > usual.far:
            return "unlike_training", (
                f"Train has little that is like it: its distance to train, {distances[place]:.3f}, is beyond that of "
                f"{FAR_PERCENTILE} % of the validation images, {usual.far:.3f}."
            )
        return "confusable", (
            f"The model confuses these classes: it takes {counts[actual, predicted]:,} of {images[actual]:,} images of "
            f"{names[actual]} for {name}."
        )

    return [of(place, row) for place, row in enumerate(rows.tolist())]


def count_confusions(test: Predictions) -> Counter[tuple[int, int]]:
    """Count how often which class (first) is taken for which other."""
    predicted = test.predicted
    wrong = predicted != test.labels
    return Counter(zip(test.labels[wrong].tolist(), predicted[wrong].tolist(), strict=True))


def find_mates(test: Predictions, labels: NDArray[np.int64], groups: NDArray[np.int64]) -> dict[int, dict[int, int]]:
    """Give for each group of near-duplicates that test and train share its labels in train, and the first row of each.

    Args:
        test: the test split's.
        labels: (n,) of the train split.
        groups: (n,) of the train split.
    """
    mates: dict[int, dict[int, int]] = {}
    for row in np.flatnonzero(np.isin(groups, test.groups)).tolist():
        mates.setdefault(int(groups[row]), {}).setdefault(int(labels[row]), row)
    return mates


def percent(share: float) -> str:
    """Write a share that is never certain: `more than 99 %`."""
    return "more than 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _agree(labels: NDArray[np.int64], predicted: NDArray[np.int64], training: Training) -> NDArray[np.bool_]:
    """Say of each image whether its nearest training images, as many as the predicted class has, are of that class."""
    most = int(max(training.labels.max(), predicted.max(initial=0))) + 1
    known = np.bincount(training.labels[training.rows], minlength=most)[predicted]
    asked = np.minimum(known, min(NEIGHBOURS, labels.shape[1]))
    same = np.cumsum(labels == predicted[:, None], axis=1)[np.arange(len(labels)), np.maximum(asked, 1) - 1]
    agree: NDArray[np.bool_] = (asked > 0) & (same == asked)
    return agree
