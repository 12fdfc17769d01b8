"""From what was seen of a dataset's images to all that validation has to say of it."""

import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.arrays import SPLITS
from podium.datasets.inventory import Inventory
from podium.datasets.masks import count_classes, is_added
from podium.datasets.splits import assign_splits, is_sticky
from podium.datasets.sticky import BETWEEN
from podium.datasets.validation.drift import Drift, compare
from podium.datasets.validation.duplicates import group
from podium.datasets.validation.findings import Finding, Inspection
from podium.datasets.validation.joining import find_usable_pairs, join_added
from podium.datasets.validation.leaks import find_conflicts, find_leaks, name_duplicates
from podium.datasets.validation.places import link, of_its_version
from podium.datasets.validation.quarantine import leave_out
from podium.datasets.validation.suite import describe_suites, list_tables, validate_tables
from podium.errors import PodiumError
from podium.paths import REVIEW


def inspect_dataset(
    name: str,
    dataset: Dataset,
    seen: pd.DataFrame,
    review: pd.DataFrame,
    accepted: pd.DataFrame | None,
    inventory: Inventory | None = None,
) -> Inspection:
    """Find out all that validation knows.

    Args:
        name: the dataset's.
        dataset: what the page says of it.
        seen: what was seen of each image, as `build_manifest` gives it; those that people added come last.
        review: what people decided of single images.
        accepted: the manifest of the accepted version, if there is one; see `podium.datasets.validation.places`.
        inventory: the account of the archive's files.

    Raises:
        PodiumError: a decision of the review cannot be followed.
    """
    left_out, distance = leave_out(seen, dataset, review), dataset.validation.duplicate_distance
    count = len(seen) - int(is_added(seen).sum())
    archive = seen.iloc[:count]
    pairs = find_usable_pairs(archive.assign(left_out=left_out[:count]), distance)
    manifest = archive.assign(group=group(count, pairs), left_out=left_out[:count])
    assigned, on_split = _split(manifest, dataset, accepted)
    if count < len(seen):  # they come last, so that nothing of the archive's images depends on them
        added = seen.iloc[count:].assign(left_out=left_out[count:])
        manifest, assigned, pairs = join_added(manifest, assigned, pairs, added, distance)
    manifest, splits = manifest.assign(split=assigned["split"], reason=assigned["reason"]), assigned["split"]
    leaks = find_leaks(manifest, splits, pairs)
    conflicts = find_conflicts(manifest, pairs)
    drift: Drift | None = None if accepted is None else compare(of_its_version(accepted), manifest)
    twins = name_duplicates(manifest, leaks, conflicts)
    tables = list_tables(manifest, dataset, splits, twins, drift)
    findings = validate_tables(tables)
    return Inspection(
        name,
        dataset,
        manifest,
        splits,
        leaks,
        conflicts,
        drift,
        [*findings, *on_split, *_stale(manifest, review), *_strangers(drift), *_left_aside(inventory, dataset)],
        describe_suites(tables),
        inventory,
    )


def _split(
    manifest: pd.DataFrame, dataset: Dataset, accepted: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[Finding]]:
    """Assign the splits; where that cannot be done, the archive's parts stand for them."""
    words = "the images can be split as the recipe says"
    places = None
    grouped = manifest
    if accepted is not None and is_sticky(dataset.split):
        groups, places = link(manifest, accepted, dataset.validation.duplicate_distance)
        grouped = manifest.assign(group=groups)
    try:
        assigned = assign_splits(grouped, dataset.split, places)
    except PodiumError as error:
        parts = pd.DataFrame({"split": manifest["part"], "reason": "not split"})
        return parts, [Finding(words, "critical", success=False, count=1, examples=[str(error)])]
    findings = [Finding(words, "critical", success=True, count=0, examples=[])]
    if is_sticky(dataset.split):
        findings += [_uncovered(manifest, assigned, dataset)]
    if places is not None:
        findings += [_between(assigned)]
    return assigned, findings


def _uncovered(manifest: pd.DataFrame, assigned: pd.DataFrame, dataset: Dataset) -> Finding:
    """Say which classes have no image in a split: what follows from content is not drawn by class."""
    counts = count_classes(manifest["label"], assigned["split"], dataset.classes)[[*SPLITS]]
    rows = [
        f"{name} has none in {split}"
        for name, row in zip(dataset.classes.values(), counts.to_numpy(), strict=True)
        for split, count in zip(SPLITS, row, strict=True)
        if count == 0 < row.sum()
    ]
    words = "every class has images in train, validation and test"
    return Finding(words, "warning", success=not rows, count=len(rows), examples=rows[:10])


def _between(assigned: pd.DataFrame) -> Finding:
    """Say which images are in no split because they are like images of two."""
    rows = assigned[assigned["reason"] == BETWEEN]
    words = "no image is like images of two splits of the accepted version"
    return Finding(words, "warning", success=rows.empty, count=len(rows), examples=rows["id"].head(10).tolist())


def _left_aside(inventory: Inventory | None, dataset: Dataset) -> list[Finding]:
    """Say whether other files of the archive are left aside than when the page was written."""
    if inventory is None:
        return []
    limits = (("critical", dataset.validation.critical.left_aside), ("warning", dataset.validation.warning.left_aside))
    return [
        Finding(
            f"{limit:,} files of the archive are left aside, no more and no fewer",
            level,
            success=inventory.left == limit,
            count=inventory.left,
            examples=[*map(str, inventory.aside[:10])] if inventory.left != limit else [],
        )
        for level, limit in limits
        if limit is not None
    ]


def _stale(manifest: pd.DataFrame, review: pd.DataFrame) -> list[Finding]:
    """Say which decisions are about no image that is there."""
    if review.empty:
        return []
    there = pd.MultiIndex.from_frame(manifest[["id", "sha256"]])
    gone = review[~pd.MultiIndex.from_frame(review[["id", "sha256"]]).isin(there)]
    words = f"every decision of {REVIEW} is about an image that is there, with the same bytes"
    examples = [f"{row.id} (line {row.line})" for row in gone.head(10).itertuples()]
    return [Finding(words, "warning", success=gone.empty, count=len(gone), examples=examples)]


def _strangers(drift: Drift | None) -> list[Finding]:
    """Say which labels the accepted version did not have."""
    if drift is None:
        return []
    words = "there are the labels of the accepted version, no others and none less"
    examples = [f"{label} (new)" for label in drift.new_labels] + [f"{label} (gone)" for label in drift.gone_labels]
    return [Finding(words, "warning", success=not examples, count=len(examples), examples=examples[:10])]
