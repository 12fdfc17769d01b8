"""What is compared: models by what they predict, and the images that all of them saw."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from podium.errors import PodiumError, nearest
from podium.evaluation.predictions import Predictions, load_predictions

PREDICTIONS = "predictions.parquet"
COST = "cost.json"


@dataclass(frozen=True)
class Contender:
    """A model, as far as a comparison needs to know it.

    Attributes:
        name: what it was asked for by.
        dataset: whose images it predicts.
        where: its files came from, for people.
        predictions: by split.
        curves: its history: step and metrics, one row an epoch; may be empty.
        cost: figures of its size and speed, as `evaluate` wrote them; may be empty.
    """

    name: str
    dataset: str
    where: str
    predictions: dict[str, Predictions]
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    cost: dict[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Common:
    """The images that all contenders saw, and what they say of them.

    Attributes:
        predictions: of each contender; the same images in the same order, with the same groups.
        left_out: of each contender, how many images it saw that another one did not.
        relabelled: images that all saw, left out because they had not the same label each time.
    """

    predictions: tuple[Predictions, ...]
    left_out: tuple[int, ...]
    relabelled: int

    @property
    def groups(self) -> NDArray[np.int64]:
        """The group of near-duplicates of each image."""
        return self.predictions[0].groups

    def __len__(self) -> int:
        return len(self.predictions[0])


def read_contender(name: str, dataset: str, reports: Path, curves: pd.DataFrame, where: str) -> Contender:
    """Read what `evaluate` wrote.

    Args:
        name: what the model was asked for by.
        dataset: whose images it predicts.
        reports: the folder with its `predictions.parquet`.
        curves: its history.
        where: the files came from, for people.

    Raises:
        PodiumError: the predictions are missing, or are none.
    """
    return Contender(name, dataset, where, load_predictions(reports / PREDICTIONS), curves, _read_cost(reports / COST))


def find_common(contenders: Sequence[Contender], split: str) -> Common:
    """Find the images that all contenders saw, by their id and their content.

    Near-duplicates in one contender's eyes are so for all of them.

    Raises:
        PodiumError: the contenders cannot be compared.
    """
    first = contenders[0]
    for other in contenders[1:]:
        if other.dataset != first.dataset:
            raise PodiumError(
                f"{first.name} is of the dataset {first.dataset}, {other.name} of {other.dataset}: they see different "
                "images. Compare models of one dataset."
            )
    predictions = [_of_split(one, split) for one in contenders]
    for other, theirs in zip(contenders[1:], predictions[1:], strict=True):
        check_classes(first.name, predictions[0].classes, other.name, theirs.classes)
    rows = match_images(predictions)
    if not len(rows):
        names = " and ".join(one.name for one in contenders)
        raise PodiumError(
            f"{names} have no image of the {split} split in common. Expected models that were measured on the same "
            "images: evaluate them on one version of the dataset and its splits."
        )
    labels = np.stack([some.labels[rows[:, place]] for place, some in enumerate(predictions)])
    same = (labels == labels[0]).all(axis=0)
    if not same.any():
        raise PodiumError(f"All images of the {split} split have got other labels since. Evaluate the models again.")
    taken = [some.take(rows[same, place]) for place, some in enumerate(predictions)]
    groups = join_groups([some.groups for some in taken])
    return Common(
        predictions=tuple(replace(some, groups=groups) for some in taken),
        left_out=tuple(len(some) - len(rows) for some in predictions),
        relabelled=int((~same).sum()),
    )


def _read_cost(path: Path) -> dict[str, float | str | None]:
    if not path.is_file():
        return {}
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PodiumError(
            f"{path} is no valid JSON: {error}. Write it anew: `dvc repro --force evaluate@NAME`."
        ) from error
    return figures if isinstance(figures, dict) else {}


def _of_split(contender: Contender, split: str) -> Predictions:
    try:
        return contender.predictions[split]
    except KeyError:
        known = nearest(split, contender.predictions)
        raise PodiumError(f"{contender.name} has no predictions for a split '{split}'. {known}") from None


def check_classes(name: str, classes: tuple[str, ...], other: str, theirs: tuple[str, ...]) -> None:
    """Raise PodiumError if two models, by their names, do not choose between the same classes."""
    if classes == theirs:
        return
    alone = [
        *dict.fromkeys([one for one in classes if one not in theirs] + [one for one in theirs if one not in classes])
    ]
    what = f"{', '.join(alone[:5])} {'is' if len(alone) == 1 else 'are'} known to one of them alone" if alone else ""
    raise PodiumError(
        f"{name} and {other} have other classes: {what or 'the same names in another order'}. Expected models that "
        "choose between the same ones."
    )


def match_images(predictions: Sequence[Predictions]) -> NDArray[np.int64]:
    """Give the rows of the images that are in all of them: (n, contenders), in the order of the first."""
    keys = ["digest", "id", "time"]
    table: pd.DataFrame | None = None
    for place, some in enumerate(predictions):
        mine = pd.DataFrame({"digest": some.digests, "id": some.ids, str(place): np.arange(len(some))})
        mine["time"] = mine.groupby(["digest", "id"]).cumcount()  # an image may be there twice
        table = mine if table is None else table.merge(mine, on=keys)
    columns = [str(place) for place in range(len(predictions))]
    return (
        np.empty((0, len(columns)), np.int64) if table is None else table.sort_values("0")[columns].to_numpy(np.int64)
    )


def join_groups(groupings: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Give the groups of what is together in any of some groupings, directly or by others."""
    images = len(groupings[0])
    ends = []
    offset = images
    for groups in groupings:
        _, members = np.unique(groups, return_inverse=True)
        ends.append(members + offset)
        offset += int(members.max()) + 1
    here = np.tile(np.arange(images), len(groupings))
    graph = coo_array((np.ones(len(here), bool), (here, np.concatenate(ends))), shape=(offset, offset))
    _, joined = connected_components(graph, directed=False)
    return np.asarray(joined[:images], np.int64)
