"""Answers of two models to the same images, made to measure."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.registry.decision import Answers, Context, Measures, Pairs

OWN = Measures({"accuracy": 0.95, "loss": 0.2}, 0.02, 5_000_000, 4.0, 300.0, "a machine")
CHAMPIONS = Measures({"accuracy": 0.94, "loss": 0.3}, 0.02, 5_000_000, 4.0, 300.0, "a machine")


def context(**changed: Any) -> Context:
    """A challenge of `mlp (version 3)` by `cnn`."""
    return replace(Context("cnn", "mlp (version 3)", OWN, CHAMPIONS), **changed)


def pairs(gained: int, lost: int, alike: int, groups: NDArray[np.int64] | None = None, classes: int = 4) -> Pairs:
    """The challenger is right on `gained` images that the champion misses, and misses `lost`; on the rest both are."""
    count = gained + lost + alike
    champion = np.repeat([False, True, True], [gained, lost, alike])
    challenger = np.repeat([True, False, True], [gained, lost, alike])
    return of_hits(champion, challenger, np.arange(count) % classes, groups, classes)


def of_hits(
    champion: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    classes: int = 4,
) -> Pairs:
    """Pairs of models that are right where they are said to be; losses and overlaps go with it."""
    count, generator = len(labels), np.random.default_rng(0)
    ids = np.array([f"{number:064x}" for number in range(count)], dtype="<U64").reshape(count)
    answers = [
        Answers(
            np.where(right, labels, (labels + 1) % classes),
            np.where(right, 0.1, 2.0) + generator.uniform(0, 0.1, count),
            np.where(right, 0.9, 0.4) + generator.uniform(0, 0.1, count),
        )
        for right in (champion, challenger)
    ]
    names = tuple(f"class {place}" for place in range(classes))
    return Pairs(ids, ids, np.arange(count) if groups is None else groups, labels, names, answers[0], answers[1])


def draw(seed: int, images: int = 400, classes: int = 4, most_alike: int = 1, ahead: float = 0.0) -> Pairs:
    """Pairs of two models that are right on much the same images, which are alike in groups of up to `most_alike`."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(images), generator.integers(1, most_alike + 1, images))[:images]
    hard = generator.normal(size=images)[groups]
    champion, challenger = (
        hard + 0.5 * generator.normal(size=images)[groups] + 0.1 * generator.normal(size=images) < limit
        for limit in (1.3, 1.3 + ahead)
    )
    return of_hits(champion, challenger, generator.integers(0, classes, images), groups, classes)
