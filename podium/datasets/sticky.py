"""Sticky splits: an image's place follows from content, and is kept from version to version of a dataset.

A group of near-duplicates is placed by its least digest, salted with the seed: nothing outside of a group moves it,
whatever is added, removed, renamed or put in another order. What follows from content alone can promise no more: a
group that itself gains or loses images may have another least digest (decision 0023). Therefore what was accepted is
remembered: an image keeps the place that it had in an accepted version, and near-duplicates of it follow it. Where
images of two splits became near-duplicates, the stricter split keeps its own, and the others of the group are in none.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

STRICTEST = ("train", "validation", "test")
"""Of splits that meet in one group, the first of these keeps its images: what a model has learnt, it cannot forget."""

KEPT = "as in the accepted version"
BETWEEN = "near-duplicates of it were in two splits of the accepted version"

_DIGITS = 16


def place_groups(images: pd.DataFrame, *, validation: float, test: float, seed: int) -> pd.Series:
    """Give each group of near-duplicates a place by its least digest.

    Args:
        images: sha256 and group of each.
        validation: the share of groups to expect in validation, 0 to 1.
        test: the share to expect in test; the two together are less than 1.
        seed: another one gives every group another place.

    Returns:
        `train`, `validation` or `test` for each image, on its index.
    """
    codes, least = least_digests(images)
    lots = draw_lots(least, seed)
    places = np.select([lots < test, lots >= 1 - validation], ["test", "validation"], "train")
    return pd.Series(places[codes], index=images.index, dtype="str")


def least_digests(images: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Give the number of each image's group, and the least digest of each group: its last 16 hexadecimal digits.

    Args:
        images: sha256 and group of each.
    """
    codes, groups = pd.factorize(images["group"])
    digits = images["sha256"].str[-_DIGITS:].str.rjust(_DIGITS, "0")
    digests = np.frombuffer(bytes.fromhex("".join(digits.tolist())), ">u8").astype(np.uint64)
    least = np.full(len(groups), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, codes, digests)
    return codes, least


def draw_lots(digests: NDArray[np.uint64], seed: int) -> NDArray[np.float64]:
    """Give numbers in [0, 1) that depend on digests and a seed alone: SplitMix64's, started at their sum.

    G. Steele, D. Lea, C. Flood: Fast splittable pseudorandom number generators, 2014,
    https://doi.org/10.1145/2714064.2660195.
    """
    mixed = digests + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def follow(images: pd.DataFrame, drawn: pd.Series, places: pd.DataFrame) -> pd.DataFrame:
    """Keep images where they were, and let near-duplicates of them follow.

    Args:
        images: sha256 and group of each.
        drawn: the place of each image whose group was nowhere, on the same index.
        places: sha256, split and group of the images that had a place, those that are gone included.

    Returns:
        split and reason of each image; the reason is missing where the place is the drawn one, so that accepting a
        version changes nothing in it. The split is `left` where the group has images that were in two splits, unless
        the image itself was in the stricter of the two.
    """
    ranks = places["split"].map({split: rank for rank, split in enumerate(STRICTEST)})
    by_group = ranks.groupby(places["group"])
    strictest = images["group"].map(by_group.min()).map(dict(enumerate(STRICTEST)))
    known = strictest.notna()
    mixed = images["group"].map(by_group.nunique()) > 1
    own = images["sha256"].map(places.drop_duplicates("sha256").set_index("sha256")["split"])
    between = mixed & (own != strictest)
    split = drawn.where(~known, strictest).mask(between, "left")
    reason = pd.Series(KEPT, index=images.index, dtype="str").where(known & (strictest != drawn))
    return pd.DataFrame({"split": split, "reason": reason.mask(between, BETWEEN)})
