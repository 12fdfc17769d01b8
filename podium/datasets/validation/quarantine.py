"""Images that are left out of a dataset, each with a reason, and the reviewed file in which people decide.

`data/review.csv` is small and lies in git. A line says of one image of one dataset `leave_out`, or `keep` although
it is outside a critical range:

    dataset,id,sha256,decision,note
    car-damage,data3a/training/01-minor/0048.JPEG,9f86…,leave_out,the same car as 0237
"""

from pathlib import Path

import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.masks import area_inside, aspect, has_label, is_added, is_readable
from podium.errors import PodiumError, nearest
from podium.paths import REVIEW, REVIEW_COLUMNS

DECISIONS = ("keep", "leave_out")
RANGES = ("height", "width", "aspect", "brightness", "contrast", "sharpness")
"""Limits that are the least and the greatest value of a measure."""


def load_review(path: Path, name: str) -> pd.DataFrame:
    """Read the decisions about the images of one dataset.

    Returns:
        The columns id, sha256, decision, note and line, which is the line of the file.

    Raises:
        PodiumError: the file has other columns, an unknown decision, or two about one image.
    """
    if not path.is_file():
        raise PodiumError(
            f"There is no {path}. Restore it (`git checkout {path}`), or make it: its only line at first is "
            f"`{','.join(REVIEW_COLUMNS)}`."
        )
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, ValueError) as error:
        raise PodiumError(f"{path} cannot be read: {error}. Its first line is {','.join(REVIEW_COLUMNS)}.") from None
    if [*table.columns] != REVIEW_COLUMNS:
        raise PodiumError(
            f"{path} has the columns {', '.join(table.columns)}. Expected {', '.join(REVIEW_COLUMNS)}, in this order."
        )
    if not isinstance(table.index, pd.RangeIndex):
        raise PodiumError(
            f"{path}, line 2 has more than {len(REVIEW_COLUMNS)} values: put a note with a comma between quotes."
        )
    table["line"] = table.index + 2
    table = table[table["dataset"] == name]
    for row in table[~table["decision"].isin(DECISIONS)].head(1).itertuples():
        raise PodiumError(
            f"{path}, line {row.line}: the decision is '{row.decision}'. {nearest(str(row.decision), DECISIONS)}"
        )
    for row in table[table.duplicated(["id", "sha256"])].head(1).itertuples():
        raise PodiumError(f"{path}, line {row.line}: there is a decision about {row.id} already. Keep one of the two.")
    return table.drop(columns="dataset")


def leave_out(manifest: pd.DataFrame, dataset: Dataset, review: pd.DataFrame) -> pd.Series:
    """Decide which images are left out, and why.

    Args:
        manifest: what was seen of the images.
        dataset: its critical limits; its quarantine, without which only people leave images out.
        review: what people decided.

    Returns:
        A reason code for each image that is left out, missing for the others: `reviewed`; `unreadable`; `no_box`;
        or the first critical limit that it breaks (`height`, `width`, `aspect`, `brightness`, `contrast`,
        `sharpness`, `modes`).

    Raises:
        PodiumError: a decision would keep an image that cannot be used.
    """
    reasons = pd.Series(pd.NA, index=manifest.index, dtype="str")
    key = pd.MultiIndex.from_frame(manifest[["id", "sha256"]])
    decided = {
        decision: key.isin(pd.MultiIndex.from_frame(review.loc[review["decision"] == decision, ["id", "sha256"]]))
        for decision in DECISIONS
    }
    if dataset.validation.quarantine > 0:
        for limit, broken in broken_limits(manifest, dataset).items():
            reasons[broken & reasons.isna() & ~decided["keep"]] = limit
    unusable = {"no_box": no_box(manifest, dataset), "unreadable": ~is_readable(manifest)}
    for reason, rows in unusable.items():
        for id_ in manifest.loc[rows & decided["keep"], "id"].head(1):
            raise PodiumError(f"{REVIEW} says to keep {id_}, which cannot be used ({reason}). Take its line out.")
        if dataset.validation.quarantine > 0:
            reasons[rows] = reason
    reasons[decided["leave_out"]] = "reviewed"
    return reasons


def broken_limits(manifest: pd.DataFrame, dataset: Dataset) -> dict[str, pd.Series]:
    """Tell which usable images are outside each critical range or mode."""
    limits, readable = dataset.validation.critical, is_readable(manifest)
    broken = {}
    for name in RANGES:
        bounds = getattr(limits, name)
        if bounds is not None:
            broken[name] = readable & ~measure_of(manifest, name).between(*bounds)
    if limits.modes is not None:
        broken["modes"] = readable & (manifest["mode"] != "") & ~manifest["mode"].isin(limits.modes)
    return broken


def measure_of(manifest: pd.DataFrame, name: str) -> pd.Series:
    """Give a measure of each image; `aspect` is its width by its height."""
    return aspect(manifest) if name == "aspect" else manifest[name]


def no_box(manifest: pd.DataFrame, dataset: Dataset) -> pd.Series:
    """Tell which usable images with a label lack a box that holds a pixel of them, where a box is to be predicted."""
    if dataset.target != "label_and_box":
        return pd.Series(data=False, index=manifest.index)
    return is_readable(manifest) & has_label(manifest) & ~(area_inside(manifest) >= 1)


def left_out_shares(manifest: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Give, for each class and for images of none, the share that is left out though nobody decided so: class, share.

    Images without a known class are counted as a share of all images. Those that people added are not looked at.
    """
    manifest = manifest[~is_added(manifest)]
    lost = manifest["left_out"].notna() & (manifest["left_out"] != "reviewed")
    labels = manifest["label"].where(manifest["label"].isin([*dataset.classes]), "")
    table = lost.groupby(labels).agg(["sum", "count"])
    if "" in table.index:
        table.loc["", "count"] = len(manifest)
    return pd.DataFrame(
        {
            "class": [dataset.classes.get(str(label), "no known class") for label in table.index],
            "share": (table["sum"] / table["count"]).to_numpy(),
        }
    )
