"""How a split's images are cut into slices: by their class, by what the manifest knows of them, by their folders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.errors import PodiumError, nearest
from podium.evaluation.predictions import Predictions

MEASURES = ("brightness", "contrast", "sharpness")
QUARTILES = (0.25, 0.5, 0.75)
MOST_VALUES = 50
"""A column of texts, or a level of folders, with more different values than that is no slice."""

_NONE = "none"


@dataclass(frozen=True)
class Cut:
    """A way to tell images apart.

    Attributes:
        name: of the slice: `class`, `size`, `folder`, or a column of the manifest.
        values: what the images are told apart by, in their order.
        codes: (n,) int64, each image's place among the values; -1 where nothing is known of it.
        reason: why there is no such slice; empty if there is one.
    """

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int64]
    reason: str = ""


def cut_up(predictions: Predictions, facts: pd.DataFrame, columns: Sequence[str]) -> list[Cut]:
    """Cut a split in all ways.

    Args:
        predictions: their classes, ids and labels are looked at, not what is predicted.
        facts: the manifest's rows of the same images, in the same order.
        columns: further columns of the manifest that are to be looked at.

    Returns:
        `class`, `size`, brightness, contrast and sharpness (in quarters), `folder`, then the columns.

    Raises:
        PodiumError: the manifest has no such column.
    """
    for column in columns:
        if column not in facts:
            raise PodiumError(
                f"`evaluation.slices` in params.yaml names '{column}', but the manifest has no such column. "
                f"{nearest(column, map(str, facts.columns))}"
            )
    cuts = [
        _drop_empty("class", predictions.classes, predictions.labels),
        _cut_by_size(facts),
        *(_cut_by_column(name, facts) for name in MEASURES),
        _cut_by_folder(predictions.ids, predictions.labels),
    ]
    known = {cut.name for cut in cuts}
    return cuts + [_cut_by_column(name, facts) for name in dict.fromkeys(columns) if name not in known]


def _cut_by_size(facts: pd.DataFrame) -> Cut:
    if lacking := [name for name in ("width", "height") if name not in facts]:
        return _none("size", f"the manifest has no column '{lacking[0]}'")
    sizes = facts[["width", "height"]].to_numpy(np.int64)
    kinds, codes = np.unique(sizes, axis=0, return_inverse=True)
    if len(kinds) <= len(QUARTILES) + 1:
        return _drop_empty("size", [f"{width} × {height}" for width, height in kinds], codes.ravel())
    return _cut_by_numbers("size", sizes.prod(axis=1).astype(np.float64), " pixels")


def _cut_by_column(name: str, facts: pd.DataFrame) -> Cut:
    if name not in facts:
        return _none(name, f"the manifest has no column '{name}'")
    column = facts[name]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _cut_by_numbers(name, column.to_numpy(np.float64, na_value=np.nan))
    texts = column.fillna("").astype("str").replace("", _NONE)
    return _cut_by_texts(name, texts.to_numpy(str))


def _cut_by_numbers(name: str, numbers: NDArray[np.float64], unit: str = "") -> Cut:
    """Cut into quarters, by the edges between them; by the values themselves where there are no more of these."""
    known = np.isfinite(numbers)
    kinds = np.unique(numbers[known])
    if len(kinds) <= len(QUARTILES) + 1:
        codes = np.where(known, np.searchsorted(kinds, numbers), -1)
        return _drop_empty(name, [f"{text}{unit}" for text in _write(kinds)], codes)
    edges = np.unique(np.quantile(numbers[known], QUARTILES))
    codes = np.where(known, np.searchsorted(edges, numbers, side="left"), -1)
    texts = _write(edges)
    between = [f"{low} to {high}{unit}" for low, high in pairwise(texts)]
    return _drop_empty(name, [f"at most {texts[0]}{unit}", *between, f"above {texts[-1]}{unit}"], codes)


def _cut_by_texts(name: str, texts: NDArray[np.str_]) -> Cut:
    kinds, codes = np.unique(texts, return_inverse=True)
    if len(kinds) > MOST_VALUES:
        return _none(name, f"it has {len(kinds):,} different values, more than {MOST_VALUES}")
    return _drop_empty(name, kinds.tolist(), codes)


def _cut_by_folder(ids: NDArray[np.str_], labels: NDArray[np.int64]) -> Cut:
    """Cut by the folders in which images lie, at the first level that tells some apart and is not the class itself."""
    paths = [str(path).split("/")[:-1] for path in ids.tolist()]
    if not any(paths):
        return _none("folder", "the images lie in no folders")
    reason = "all images lie in one folder"
    for level in _levels(paths):
        kinds = np.unique(level)
        if len(kinds) > MOST_VALUES:
            return _none("folder", f"they are more than {MOST_VALUES}: {len(kinds):,}")
        if len(kinds) > 1:
            codes = np.searchsorted(kinds, level)
            pairs = len(np.unique(np.stack([codes, labels]), axis=1).T)
            if pairs > len(kinds) or pairs > len(np.unique(labels)):
                return _drop_empty("folder", kinds.tolist(), codes)
            reason = "the folders are the classes"
    return _none("folder", reason)


def _levels(paths: list[list[str]]) -> Iterator[NDArray[np.str_]]:
    """Give the folders of all images, (n,) whole paths down to a level, from the outermost level on."""
    for depth in range(1, max(map(len, paths)) + 1):
        yield np.array(["/".join(path[:depth]) or _NONE for path in paths])


def _drop_empty(name: str, values: Sequence[str], codes: NDArray[np.int64]) -> Cut:
    """Keep the values that images have; one value alone tells nothing apart."""
    there, places = np.unique(codes[codes >= 0], return_inverse=True)
    if len(there) == 0:
        return _none(name, "nothing is known of it")
    if len(there) == 1:
        return _none(name, f"all images have one value: {values[there[0]]}")
    kept = np.full(len(codes), -1)
    kept[codes >= 0] = places
    return Cut(name, tuple(values[place] for place in there), kept)


def _none(name: str, reason: str) -> Cut:
    return Cut(name, (), np.empty(0, np.int64), reason)


def _write(numbers: NDArray[np.float64]) -> list[str]:
    """Write different numbers differently, with no more digits than that takes, but three."""
    for digits in count(3):
        texts = [f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.{digits}g}" for number in numbers]
        if len({*texts}) == len(texts) or digits > 16:
            break
    return texts
