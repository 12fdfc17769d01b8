"""Leakage: validation and test images that duplicate a training image, and duplicates with different labels."""

from typing import Any

import numpy as np
import pandas as pd

from podium.datasets.masks import is_labelled
from podium.datasets.validation.duplicates import Pairs, nearest_twin

LEAKAGE_ORDER = (("test", "train"), ("validation", "train"), ("test", "validation"))
"""An evaluation split, and one that it should share no image with; the worst leakage first."""


def find_leaks(manifest: pd.DataFrame, splits: pd.Series, pairs: Pairs) -> pd.DataFrame:
    """Find the validation and test images that duplicate an image used for training or selection.

    Args:
        manifest: one row an image.
        splits: the split of each.
        pairs: the near-duplicates.

    Returns:
        One row for each such image: row, split, twin (the row of the other), twin_split, distance (bits), flipped,
        exact (the same bytes). An image with several twins has its worst: one of train before one of validation, one
        with the same bytes before others, then the nearest.
    """
    found = [
        _twins(manifest, pairs, (splits == split).to_numpy(), (splits == other).to_numpy()).assign(
            split=split, twin_split=other
        )
        for split, other in LEAKAGE_ORDER
    ]
    table = pd.concat(found).drop_duplicates("row").sort_values("row", ignore_index=True)
    return table[["row", "split", "twin", "twin_split", "distance", "flipped", "exact"]]


def find_conflicts(manifest: pd.DataFrame, pairs: Pairs) -> pd.DataFrame:
    """Find the near-duplicates with another label.

    Returns:
        One row for each such image: row, twin (the nearest one of another label), distance, flipped, exact.
    """
    usable = is_labelled(manifest).to_numpy()
    labels, groups = manifest["label"].to_numpy(), manifest["group"]
    mixed = manifest["label"].where(usable).groupby(groups).transform("nunique").to_numpy() > 1
    rows = usable & mixed
    found = [
        _twins(manifest, pairs, rows & (labels == label), rows & (labels != label)) for label in np.unique(labels[rows])
    ]
    return pd.concat([_twins(manifest, pairs, rows & False, rows), *found]).sort_values("row", ignore_index=True)


def name_duplicates(manifest: pd.DataFrame, leaks: pd.DataFrame, conflicts: pd.DataFrame) -> pd.DataFrame:
    """Say of every image which other it should not be like.

    Returns:
        A table with the manifest's index, the ids of duplicates. exact_duplicate: an image of another split with the
        same bytes; near_duplicate: one of another split with other bytes; other_label: one with another label.
        Missing where there is none.
    """
    ids = manifest["id"].to_numpy()
    named = pd.DataFrame(index=manifest.index)
    for column, table in (
        ("exact_duplicate", leaks[leaks["exact"]]),
        ("near_duplicate", leaks[~leaks["exact"]]),
        ("other_label", conflicts),
    ):
        named[column] = pd.Series(ids[table["twin"].to_numpy()], index=table["row"].to_numpy(), dtype="str").reindex(
            manifest.index
        )
    return named


def _twins(manifest: pd.DataFrame, pairs: Pairs, wanted: Any, among: Any) -> pd.DataFrame:
    """Give the worst twin `among` others of each wanted image that has one: row, twin, distance, flipped, exact."""
    digests = manifest["sha256"]
    firsts = pd.Series(manifest.index[among], index=digests[among].to_numpy())
    firsts = firsts[~firsts.index.duplicated() & (firsts.index != "")]
    same = digests[wanted].map(firsts).dropna().astype("int64")
    rows, twins, distance, flipped = nearest_twin(pairs, len(manifest), wanted, among)
    near = pd.DataFrame({"row": rows, "twin": twins, "distance": distance, "flipped": flipped})
    exact = pd.DataFrame({"row": same.index.to_numpy(), "twin": same.to_numpy()})
    table = pd.concat(
        [
            exact.assign(distance=0, flipped=False, exact=True),
            near[~near["row"].isin(exact["row"])].assign(exact=False),
        ],
        ignore_index=True,
    )
    return table.astype({"row": "int64", "twin": "int64", "distance": "int64", "flipped": "bool", "exact": "bool"})
