"""The places of earlier versions' images: what the accepted manifest remembers for a sticky split.

An accepted manifest has a row for each image of its version, with its split. Behind them are rows of images that an
earlier accepted version had in a split and this one has not: their part is `gone`. A model may have been trained on
them, so near-duplicates that come later must follow them, too.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from podium.datasets.arrays import SPLITS
from podium.datasets.masks import is_usable
from podium.datasets.validation.duplicates import find_pairs, group
from podium.datasets.validation.manifest import COLUMNS, COMPARED, load_manifest
from podium.images.phash import unpack

GONE = "gone"
"""The part of the rows of images that are no longer there."""


def read_accepted(path: Path) -> pd.DataFrame:
    """Read an accepted manifest; one by a podium that knew no sticky splits says of no image where it was.

    Raises:
        PodiumError: there is none, or it lacks another column.
    """
    if path.is_file() and "split" not in parquet.read_schema(path).names:
        return load_manifest(path, COMPARED).assign(split="", reason="")
    return load_manifest(path)


def of_its_version(accepted: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of the images that the accepted version has."""
    return accepted[accepted["part"] != GONE]


def add_gone(manifest: pd.DataFrame, accepted: pd.DataFrame) -> pd.DataFrame:
    """Give the manifest to accept: with a row for each image that was in a split once, and is in none now.

    Args:
        manifest: of the version to be accepted.
        accepted: the manifest that was accepted before.
    """
    had = accepted[accepted["split"].isin(SPLITS)].drop_duplicates("sha256")
    has = manifest.loc[manifest["split"].isin(SPLITS), "sha256"]
    gone = had[~had["sha256"].isin(has)]
    return pd.concat([manifest, gone.assign(part=GONE)[COLUMNS]], ignore_index=True) if len(gone) else manifest


def link(manifest: pd.DataFrame, accepted: pd.DataFrame, distance: int) -> tuple[pd.Series, pd.DataFrame]:
    """Group a dataset's images with those of earlier versions.

    Args:
        manifest: one row an image, with its group among the images of today.
        accepted: the accepted manifest, rows of images that are gone included.
        distance: the number of bits, 0–256, by which the hashes of a pair differ at most.

    Returns:
        The group of each image, also by near-duplicates that are no longer there; and the places that images had:
        sha256, split, group.
    """
    places = accepted.loc[accepted["split"].isin(SPLITS), ["sha256", "hash", "split"]].drop_duplicates("sha256")
    rows = np.flatnonzero(is_usable(manifest))
    usable = manifest.iloc[rows]
    gone = places[~places["sha256"].isin(usable["sha256"])]
    groups = manifest["group"]
    if len(gone):
        pairs = find_pairs(unpack(pd.concat([usable["hash"], gone["hash"]])), distance)
        rows = np.append(rows, len(manifest) + np.arange(len(gone)))
        linked = group(len(manifest) + len(gone), replace(pairs, first=rows[pairs.first], second=rows[pairs.second]))
        groups = pd.Series(linked[: len(manifest)], index=manifest.index)
        gone = gone.assign(group=linked[len(manifest) :])
    there = pd.Series(groups[usable.index].to_numpy(), index=usable["sha256"].to_numpy())
    there = there[~there.index.duplicated()]
    found = places[places["sha256"].isin(there.index)]
    known = found.assign(group=found["sha256"].map(there))
    return groups, pd.concat([known, gone])[["sha256", "split", "group"]].reset_index(drop=True)
