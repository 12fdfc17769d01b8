"""Which images train, which choose, and which only measure."""

from collections.abc import Sequence

import pandas as pd

from podium.config.datasets import (
    ArchiveDrawnSplit,
    ArchiveFirstSplit,
    ArchiveHashedSplit,
    ArchiveSplit,
    HashedSplit,
    Split,
    StratifiedSplit,
)
from podium.datasets.arrays import SPLITS
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.masks import has_label
from podium.datasets.sticky import follow, place_groups
from podium.errors import PodiumError, nearest


def is_sticky(split: Split) -> bool:
    """Tell whether images keep their places from version to version."""
    return split.kind in ("hashed", "archive_hashed")


def assign_splits(manifest: pd.DataFrame, split: Split, places: pd.DataFrame | None = None) -> pd.DataFrame:
    """Decide which split each image belongs to.

    A split that we draw never parts images of one group of near-duplicates: what is drawn is groups, each by its
    first image. A sticky one keeps more than that: see `podium.datasets.sticky`.

    Args:
        manifest: the dataset's manifest, in the archive's order.
        split: how to split.
        places: sha256, split and group of the images of earlier versions, for a sticky split; others do without.

    Returns:
        The split manifest: id, sha256, split, reason; one row an image, in the manifest's order. Images
        without labels have the split `unlabelled`, those that validation left out `quarantined`.

    Raises:
        PodiumError: the archive has too few images, or lacks the parts that the split takes.
    """
    parts = manifest["part"]
    names, reasons = parts.copy(), "the archive's own " + parts
    kept = manifest["left_out"].isna()
    labelled = manifest[has_label(manifest) & kept]
    match split:
        case ArchiveSplit():
            pass
        case ArchiveFirstSplit():
            first = _first(manifest, split)
            names[first] = "validation"
            reasons[first] = f"the first {split.count} of the archive's {split.validation_from}"
        case ArchiveDrawnSplit():
            _check_parts(labelled, ["train", split.test_from])
            drawn = _draw(labelled[labelled["part"] == "train"], split.validation, split.seed, stratify=split.stratify)
            names[parts == split.test_from] = "test"
            names[drawn] = "validation"
            reasons[drawn] = f"drawn from the archive's train, seed {split.seed}"
            _leave_others(names, reasons, parts, split.test_from)
        case StratifiedSplit():
            test = _draw(labelled, split.test, split.seed)
            rest = labelled.drop(index=test)
            validation = _draw(rest, split.validation / (1 - split.test), split.seed)
            names[rest.index], names[validation], names[test] = "train", "validation", "test"
            reasons[labelled.index] = f"drawn by class, seed {split.seed}"
        case HashedSplit():
            found = _place(labelled, split.validation, split.test, split.seed, places)
            names[found.index], reasons[found.index] = found["split"], found["reason"]
            _check_drawn(found["split"], labelled["group"].nunique())
        case ArchiveHashedSplit():
            _check_parts(labelled, ["train", split.test_from])
            train = labelled[labelled["part"] == "train"]
            drawable = None if places is None else places[places["split"] != "test"]  # test is the archive's own
            found = _place(train, split.validation, 0.0, split.seed, drawable)
            names[parts == split.test_from] = "test"
            names[found.index], reasons[found.index] = found["split"], found["reason"]
            _leave_others(names, reasons, parts, split.test_from)
            _check_drawn(pd.concat([found["split"], pd.Series(["test"])]), train["group"].nunique())
    names[~kept], reasons[~kept] = "quarantined", manifest["left_out"][~kept]
    _check_parts(labelled.assign(part=names), SPLITS)
    return pd.DataFrame({"id": manifest["id"], "sha256": manifest["sha256"], "split": names, "reason": reasons})


def _leave_others(names: pd.Series, reasons: pd.Series, parts: pd.Series, test_from: str) -> None:
    left = ~parts.isin(["train", test_from, UNLABELLED])
    names[left], reasons[left] = "left", "not taken by the split"


def _place(
    images: pd.DataFrame, validation: float, test: float, seed: int, places: pd.DataFrame | None
) -> pd.DataFrame:
    """Give the split and the reason of images whose place follows from content."""
    drawn = place_groups(images, validation=validation, test=test, seed=seed)
    reason = f"drawn by content, seed {seed}"
    if places is None or places.empty:
        return pd.DataFrame({"split": drawn, "reason": reason})
    found = follow(images, drawn, places)
    return found.fillna({"reason": reason})


def _check_drawn(names: pd.Series, groups: int) -> None:
    empty = [split for split in SPLITS if not (names == split).any()]
    if empty:
        raise PodiumError(
            f"No image falls to {empty[0]}: {groups:,} groups of near-duplicates are few for these shares. Change the "
            "share or the seed of the dataset's split in params.yaml, or its kind: 'stratified' draws by class."
        )


def _draw(manifest: pd.DataFrame, share: float, seed: int, *, stratify: bool = True) -> pd.Index:
    """Draw a share of a table's groups as scikit-learn's `train_test_split` does.

    Returns:
        The rows of all images of the groups drawn.
    """
    from sklearn.model_selection import train_test_split  # one second to import; other splits do without

    groups = manifest["group"]
    firsts = manifest[~groups.duplicated()]
    labels = firsts["label"] if stratify else None
    try:
        _, drawn = train_test_split(firsts.index, test_size=share, random_state=seed, stratify=labels)
    except ValueError as error:
        raise PodiumError(f"These images cannot be split: {error} Change the dataset's split in params.yaml.") from None
    return manifest.index[groups.isin(groups[drawn])]


def _first(manifest: pd.DataFrame, split: ArchiveFirstSplit) -> pd.Index:
    rows = manifest.index[manifest["part"] == split.validation_from]
    if len(rows) <= split.count:
        raise PodiumError(
            f"The archive's {split.validation_from} part has {len(rows):,} images; {split.count:,} of them cannot "
            "become the validation split with some left. Lower split.count in params.yaml."
        )
    return rows[: split.count]


def _check_parts(manifest: pd.DataFrame, wanted: Sequence[str]) -> None:
    there = set(manifest["part"].unique())
    missing = [part for part in wanted if part not in there]
    if missing:
        raise PodiumError(
            f"The archive has no {missing[0]} part. {nearest(missing[0], there)} "
            "Choose another split.kind in params.yaml; 'hashed' draws all three."
        )
