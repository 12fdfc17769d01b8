"""What a champion and a challenger said of images that neither of them was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.evaluation.boxes import overlap
from podium.evaluation.comparison.contenders import check_classes, join_groups, match_images
from podium.evaluation.predictions import Predictions
from podium.evaluation.scores import score
from podium.registry.decision import Answers, Pairs

UNPREDICTED, RELABELLED = "not predicted by the champion", "labelled differently"
"""Why images are left out, beside the two reasons that `Seen` gives."""


@dataclass(frozen=True)
class Seen:
    """The images that a model has seen while it learned.

    Attributes:
        digests: the sha256 of each image that it was trained on.
        alike: the sha256 of each near-duplicate of one of them.
    """

    digests: frozenset[str] = frozenset()
    alike: frozenset[str] = frozenset()


def read_seen(split: Path, groups: pd.DataFrame | None) -> Seen:
    """Read what a model was trained on.

    Args:
        split: the split manifest that it was trained with: `split.csv`.
        groups: the manifest's columns `sha256` and `group`; None if nobody knows of near-duplicates.
    """
    table = pd.read_csv(split, usecols=["sha256", "split"], dtype=str)
    trained = frozenset(table.loc[table["split"] == "train", "sha256"])
    if groups is None:
        return Seen(trained)
    near = groups.loc[groups["sha256"].isin(trained), "group"]
    return Seen(trained, frozenset(groups.loc[groups["group"].isin(near), "sha256"]) - trained)


def find_fresh(challenger: Predictions, seen: Mapping[str, Seen]) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Find the images that no model was trained on, nor on a near-duplicate of them.

    Args:
        challenger: its predictions of validation images.
        seen: by what to call the model: `champion`, `challenger`.

    Returns:
        (n,) whether an image is fresh; and how many are not, by reason.
    """
    fresh, left_out = np.ones(len(challenger), bool), {}
    reasons: dict[str, NDArray[np.bool_]] = {}
    digests = pd.Series(challenger.digests)
    for name, one in seen.items():
        trained, alike = (digests.isin(some).to_numpy() for some in (one.digests, one.alike))
        alike = alike | np.isin(challenger.groups, challenger.groups[trained])
        reasons[f"trained on by the {name}"] = trained
        reasons[f"near-duplicate of an image that the {name} was trained on"] = alike
    for reason in sorted(reasons, key=lambda text: text.startswith("near")):  # each image counts once
        mine = fresh & reasons[reason]
        fresh &= ~mine
        if mine.any():
            left_out[reason] = int(mine.sum())
    return fresh, left_out


def find_unpredicted(champion: Predictions | None, challenger: Predictions) -> NDArray[np.bool_]:
    """Find the images, by id and content, that the champion says nothing of: (n,) of the challenger's."""
    unpredicted = np.ones(len(challenger), bool)
    if champion is not None:
        unpredicted[match_images([champion, challenger])[:, 1]] = False
    return unpredicted


def make_pairs(
    champion: Predictions, challenger: Predictions, seen: Mapping[str, Seen]
) -> tuple[Pairs | None, dict[str, int]]:
    """Put together what two models said of the same images.

    Args:
        champion: its predictions, of whatever images.
        challenger: its predictions of validation images.
        seen: what each was trained on, see `find_fresh`.

    Returns:
        The pairs, None if no image is left; and how many of the challenger's images are left out, by reason.

    Raises:
        PodiumError: they choose between other classes.
    """
    check_classes("The champion", champion.classes, "the challenger", challenger.classes)
    fresh, left_out = find_fresh(challenger, seen)
    mine = challenger.take(fresh) if fresh.any() else None
    rows = np.empty((0, 2), np.int64) if mine is None else match_images([champion, mine])
    if unpredicted := int(fresh.sum()) - len(rows):
        left_out[UNPREDICTED] = unpredicted
    if mine is None or not len(rows):
        return None, left_out
    same = champion.labels[rows[:, 0]] == mine.labels[rows[:, 1]]
    if not same.all():
        left_out[RELABELLED] = int((~same).sum())
    if not same.any():
        return None, left_out
    one, other = champion.take(rows[same, 0]), mine.take(rows[same, 1])
    pairs = Pairs(
        ids=other.ids,
        digests=other.digests,
        groups=join_groups([one.groups, other.groups]),
        labels=other.labels,
        classes=other.classes,
        champion=_answers(one),
        challenger=_answers(other),
    )
    return pairs, left_out


def append_predictions(some: Predictions | None, further: Predictions) -> Predictions:
    """Put further predictions of the same model behind some; the groups of the one know nothing of the other's."""
    if some is None:
        return further
    offset = int(some.groups.max()) + 1 - int(further.groups.min())
    return concatenate([some, replace(further, groups=further.groups + offset)])


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Put predictions of one model behind each other; their groups are numbered alike."""
    joined: dict[str, Any] = {}
    for name in ("ids", "labels", "probabilities", "groups", "digests", "boxes", "predicted_boxes"):
        columns = [getattr(part, name) for part in parts]
        joined[name] = None if any(column is None for column in columns) else np.concatenate(columns)
    return replace(parts[0], **joined)


def _answers(some: Predictions) -> Answers:
    overlaps = np.full(len(some), np.nan)
    if some.boxes is not None and some.predicted_boxes is not None:
        overlaps = overlap(some.boxes, some.predicted_boxes)
        overlaps[np.isnan(some.boxes).any(axis=1)] = np.nan
    return Answers(some.predicted, score(some.labels, some.probabilities).losses, overlaps)
