"""Accepted labels join the dataset: those images train, unless one is like an image that measures."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.datasets.additions import REASON
from podium.datasets.masks import is_usable
from podium.datasets.validation.duplicates import Pairs, find_pairs, group
from podium.images.phash import unpack

LEAK = "leak"
"""Why such an image is left out: it is a near-duplicate of one of validation or test, if only through others."""


def join_added(
    manifest: pd.DataFrame, assigned: pd.DataFrame, pairs: Pairs, added: pd.DataFrame, distance: int
) -> tuple[pd.DataFrame, pd.DataFrame, Pairs]:
    """Put the images that people added behind those of the archive, whose groups and splits stay as they are.

    Args:
        manifest: the archive's images, with their groups.
        assigned: their split manifest.
        pairs: the near-duplicates among them.
        added: what was seen of the added images, and why one is left out.
        distance: the number of bits, 0–256, by which the hashes of a pair differ at most.

    Returns:
        The same three with the added images behind. A group that has images of the archive keeps its number.
    """
    count = len(manifest)
    whole = pd.concat([manifest.drop(columns="group"), added], ignore_index=True)
    found = find_usable_pairs(whole, distance)
    pairs = _merge(pairs, found, found.second >= count)
    linked = group(len(whole), pairs)
    measures = linked[:count][assigned["split"].isin(["validation", "test"]).to_numpy()]
    leaks = pd.Series(np.isin(linked, measures), index=whole.index) & (whole.index >= count) & is_usable(whole)
    groups = np.concatenate([manifest["group"].to_numpy(), linked[count:]])
    whole = whole.assign(group=groups, left_out=whole["left_out"].mask(leaks, LEAK))[manifest.columns]
    rows = whole.iloc[count:]
    kept = rows["left_out"].isna()
    joined = rows[["id", "sha256"]].assign(
        split=pd.Series("train", index=rows.index, dtype="str").where(kept, "quarantined"),
        reason=rows["left_out"].fillna(REASON),
    )
    return whole, pd.concat([assigned, joined], ignore_index=True), pairs


def find_usable_pairs(manifest: pd.DataFrame, distance: int) -> Pairs:
    """Find near-duplicates among the usable images, by their rows among all."""
    rows = np.flatnonzero(is_usable(manifest))
    pairs = find_pairs(unpack(manifest["hash"].iloc[rows]), distance)
    return Pairs(rows[pairs.first], rows[pairs.second], pairs.distance, pairs.flipped)


def _merge(pairs: Pairs, more: Pairs, wanted: NDArray[np.bool_]) -> Pairs:
    first, second, distance, flipped = (
        np.concatenate([getattr(pairs, name), getattr(more, name)[wanted]])
        for name in ("first", "second", "distance", "flipped")
    )
    sort = np.lexsort((second, first))
    return Pairs(first[sort], second[sort], distance[sort], flipped[sort])
