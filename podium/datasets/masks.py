"""Which rows of a manifest can be used and which have a label, and what is derived from its columns."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from podium.datasets.formats.image_files import UNLABELLED

ADDED: Final = "additions"
"""The part of images that people added to those of the archive; see `podium.datasets.additions`."""


def is_readable(manifest: pd.DataFrame) -> pd.Series:
    """Tell which images can be decoded."""
    return manifest["fault"].isna()


def is_usable(manifest: pd.DataFrame) -> pd.Series:
    """Tell which images can be decoded and are not left out."""
    return is_readable(manifest) & manifest["left_out"].isna()


def has_label(manifest: pd.DataFrame) -> pd.Series:
    """Tell which images are in a part of the archive that has labels, usable or not."""
    return manifest["part"] != UNLABELLED


def is_added(manifest: pd.DataFrame) -> pd.Series:
    """Tell which images people added to those of the archive."""
    return manifest["part"] == ADDED


def is_labelled(manifest: pd.DataFrame) -> pd.Series:
    """Tell which images are usable and have a label."""
    return is_usable(manifest) & has_label(manifest)


def aspect(manifest: pd.DataFrame) -> pd.Series:
    """Give each image's width divided by its height; 0 for an image that cannot be decoded."""
    return manifest["width"] / manifest["height"].clip(lower=1)


def area_inside(manifest: pd.DataFrame) -> pd.Series:
    """Give how much of each box is inside its image, in square pixels."""
    left, top = manifest["box_left"].clip(lower=0), manifest["box_top"].clip(lower=0)
    right = (manifest["box_left"] + manifest["box_width"]).clip(upper=manifest["width"])
    bottom = (manifest["box_top"] + manifest["box_height"]).clip(upper=manifest["height"])
    return (right - left).clip(lower=0) * (bottom - top).clip(lower=0)


def count_classes(labels: pd.Series, groups: pd.Series, classes: Iterable[str]) -> pd.DataFrame:
    """Count the images of each class in each split, or in each part of the archive.

    Args:
        labels: the label of each image.
        groups: the split or the part of each image, on the same index.
        classes: the labels to count; one without images has zeros.

    Returns:
        A row for each class, in their order, and a column for each group, in the order of its first image.

    Example:
        >>> labels, splits = pd.Series(["cat", "dog", "cat"]), pd.Series(["train", "train", "test"])
        >>> count_classes(labels, splits, ["cat", "owl"]).to_dict("index")
        {'cat': {'train': 1, 'test': 1}, 'owl': {'train': 0, 'test': 0}}
    """
    counts = pd.crosstab(labels, groups)
    return counts.reindex(index=[*classes], columns=groups.unique(), fill_value=0)
