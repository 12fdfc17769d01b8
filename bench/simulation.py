"""How often intervals hold the truth, by simulation: `python -m bench.simulation TIMES` prints a line of JSON a row.

A process of its own, because benches import nothing heavy: a measured process begins with its parent's peak.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from podium.evaluation.intervals import estimate_proportions, wilson
from podium.evaluation.metrics import measure_all
from podium.evaluation.predictions import Predictions

VALUES = tuple(np.linspace(0.5, 0.98, 13))
"""Proportions that are the truth in turn."""
CLASSES, SKILL, SIDE = 4, 3.2, 96
POPULATION = 100_000
"""Images that the truth of other figures is taken from."""
METRICS = ("balanced_accuracy", "macro_f1", "matthews", "roc_auc", "pr_auc", "loss", "brier", "mean_iou", "box_mse")


@dataclass(frozen=True)
class Design:
    """How the images of a test set belong together.

    Attributes:
        title: for people.
        size: how many groups of which sizes a number of images has.
        alike: how much the images of a group are right or wrong together, 0 (as it comes) to 1 (always).
    """

    title: str
    size: Callable[[int], NDArray[np.int64]]
    alike: float


def _twenties(images: int) -> NDArray[np.int64]:
    return np.full(images // 20, 20)


def _mixed(images: int) -> NDArray[np.int64]:
    """Give many small groups and few large ones, of 1 to 40 images."""
    drawn = np.ceil(np.random.default_rng(0).lognormal(0.7, 1, images)).clip(1, 40).astype(np.int64)
    ends = np.cumsum(drawn)
    sizes = drawn[: np.searchsorted(ends, images) + 1]
    sizes[-1] -= sizes.sum() - images
    return sizes


ALONE = Design("single images", lambda images: np.ones(images, np.int64), 1)
TWENTIES = Design("groups of twenty alike", _twenties, 1)
PARTLY = Design("groups of twenty, partly alike", _twenties, 0.3)
MIXED = Design("groups of 1 to 40 alike", _mixed, 1)


def cover_accuracy(
    design: Design, images: int, times: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give how often the interval of an accuracy holds the truth, for each of `VALUES`.

    Returns:
        That share for podium's interval, and for Wilson's that takes every image for an independent one.
    """
    generator, sizes = np.random.default_rng(seed), design.size(images)
    images = int(sizes.sum())  # whole groups
    ours, theirs = [], []
    for value in VALUES:
        share = np.full((times, len(sizes)), value)
        if design.alike == 1:
            share = (generator.random(share.shape) < value).astype(np.float64)
        elif design.alike > 0:
            spread = (1 - design.alike) / design.alike
            share = generator.beta(value * spread, (1 - value) * spread, share.shape)
        hits = generator.random((times, images)) < np.repeat(share, sizes, axis=1)
        keys, groups = np.repeat(np.arange(times), images), np.tile(np.repeat(np.arange(len(sizes)), sizes), times)
        found, low, high = estimate_proportions(keys, hits.ravel(), groups, times)
        ours.append(np.mean((low <= value) & (value <= high)))
        low, high = wilson(found, np.full(times, float(images)))
        theirs.append(np.mean((low <= value) & (value <= high)))
    return np.array(ours), np.array(theirs)


def cover_metrics(design: Design, images: int, times: int, seed: int = 0) -> dict[str, float]:
    """Give how often the interval of each of `METRICS` holds the truth, of a model that is right nine times of ten."""
    generator = np.random.default_rng(seed)
    population = _predict(np.ones(POPULATION, np.int64), np.random.default_rng(seed + 1))
    truth = measure_all(replace(population, groups=np.zeros(POPULATION, np.int64)))  # one group: no intervals are drawn
    sizes, held = design.size(images), dict.fromkeys(METRICS, 0)
    for _ in range(times):
        for name, estimate in measure_all(_predict(sizes, generator)).items():
            if name in held and estimate.low is not None and estimate.high is not None:
                held[name] += estimate.low <= truth[name].value <= estimate.high
    return {name: count / times for name, count in held.items()}


def _predict(sizes: NDArray[np.int64], generator: np.random.Generator) -> Predictions:
    """Make predictions in which all images of a group are the same."""
    groups, count = np.repeat(np.arange(len(sizes)), sizes), len(sizes)
    labels = generator.choice(CLASSES, count, p=np.array([0.4, 0.3, 0.2, 0.1]))
    scores = 1.2 * generator.normal(size=(count, CLASSES))
    scores[np.arange(count), labels] += SKILL
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    boxes = generator.uniform(10, 40, (count, 4))
    off = boxes + generator.normal(0, 1, (count, 4)) * generator.choice([2, 12], (count, 1), p=[0.9, 0.1])
    return Predictions(
        ids=groups.astype(str),
        labels=labels[groups],
        probabilities=shares[groups].astype(np.float32),
        groups=groups,
        digests=groups.astype(str),
        classes=tuple("abcd"),
        shape=(SIDE, SIDE, 3),
        boxes=boxes[groups].astype(np.float32),
        predicted_boxes=off[groups].astype(np.float32),
    )


def list_rows(times: int) -> Iterator[dict[str, object]]:
    """Give the rows of the bench: what, how often ours and the other hold the truth, their ends, simulations."""
    designs = ((ALONE, (60, 136, 600, 3000)), (TWENTIES, (60, 200, 600, 3000)), (MIXED, (60, 200, 600, 3000)))
    for design, counts in (*designs, (PARTLY, (600, 3000))):
        for images in counts:
            groups = len(design.size(images))
            ours, theirs = cover_accuracy(design, images, times)
            what = f"accuracy, {images:,} images, {groups:,} {design.title}"
            what = f"accuracy, {images:,} {design.title}" if groups == images else what
            yield {
                **{"what": what, "ours": ours.mean(), "least": ours.min(), "most": ours.max()},
                **{"other": theirs.mean(), "times": times * len(VALUES)},
            }
    few = max(1, times // 4)
    for design, images in ((ALONE, 136), (ALONE, 600), (TWENTIES, 600), (TWENTIES, 3000), (MIXED, 600)):
        for name, share in cover_metrics(design, images, few).items():
            yield {"what": f"{name}, {images:,} images, {design.title}", "ours": share, "times": few}


if __name__ == "__main__":
    for row in list_rows(int(sys.argv[1])):
        print(json.dumps(row), flush=True)
