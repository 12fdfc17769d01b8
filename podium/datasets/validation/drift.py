"""What changed between two versions of a dataset, from their manifests: which images, and how they look."""

import json
import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.datasets.masks import aspect, has_label, is_usable

SIGNIFICANCE_LEVEL = 0.01
"""In how many comparisons chance alone may move a measure by more than `Change.chance`."""
MAX_IDS_LISTED = 50
"""How many ids of each list `to_json` gives."""

_KEYS = ["sha256", "label", "part", "id"]
_LIKENESS = (_KEYS, ["sha256", "label", "part"], ["sha256", "label"], ["sha256", "part"], ["sha256"])
_COLOURS = ["red", "green", "blue"]
_NUMBERS = ["brightness", "contrast", "sharpness", *_COLOURS, "height", "width", "bytes"]

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """How one measure moved between the two versions."""

    measure: str
    """`labels`, `brightness`, `contrast`, `sharpness`, `colour`, `height`, `width`, `aspect` (width by height) or
    `file size` (bytes)."""
    before: float
    """Its mean. For `labels`, the share of the class whose share moved most; for `colour`, the mean of red, green or
    blue (see `_change_of_colour`), whichever moved most. NaN where there is no image."""
    after: float
    moved: float
    """So large a share of the images, 0–1, would have to change at least for the two to agree. For `labels` half the
    sum of the differences between the shares (total variation); for numbers the greatest difference between the shares
    of images below any one value (Kolmogorov and Smirnov). 0 if there is nothing to compare."""
    chance: float
    """Two samples of these sizes from one source move by more in at most one comparison of a hundred. Each image
    counts as drawn anew and by itself: too careful where the versions share images, as they mostly do, and not
    careful enough where the new ones come in series of like ones."""


@dataclass(frozen=True)
class Drift:
    """What changed. The tables are sorted by id, `classes` by part and label."""

    added: pd.DataFrame
    """id, part, label and sha256 of the images that were not there before."""
    removed: pd.DataFrame
    """The same of those that are gone."""
    relabelled: pd.DataFrame
    """id (the new one), sha256, and the label before and after."""
    moved_parts: pd.DataFrame
    """id (the new one), sha256, and the part of the archive before and after."""
    classes: pd.DataFrame
    """part, label, the images before and after, and which share of those before is lost on balance, 0–1."""
    new_labels: list[str]
    gone_labels: list[str]
    changes: list[Change]
    """One for each measure, always in the same order."""

    @property
    def nothing(self) -> bool:
        """Whether both are the same images with the same labels in the same parts."""
        return all(table.empty for table in (self.added, self.removed, self.relabelled, self.moved_parts))


def compare(before: pd.DataFrame, after: pd.DataFrame) -> Drift:
    """Compare two manifests of a dataset.

    An image is its content, not its id: a renamed file is the same image, one that was saved anew is another. Each
    is paired with at most one of the same content, the likest if there are several: of the same label, part and id;
    else of the same label and part; else label; else part. A pair may have another label, or part, or both. What finds
    no partner was added or removed.

    Images with a fault and those left out count nowhere, so that the lists and the class counts tell of the same
    images: one that broke is removed. Unlabelled ones are in no class; they count everywhere else.

    Args:
        before: the manifest of the older version, one row an image.
        after: that of the newer version. Either may be empty, and the order of the rows makes no difference.

    Returns:
        What changed.
    """
    before, after = _in_use(before), _in_use(after)
    old, new = _pair(before, after)
    classes = _count_classes(before, after)
    labels = classes.groupby("label")[["before", "after"]].sum()
    return Drift(
        added=_list(after[~after.index.isin(new)]),
        removed=_list(before[~before.index.isin(old)]),
        relabelled=_differences(before, after, old, new, "label"),
        moved_parts=_differences(before, after, old, new, "part"),
        classes=classes,
        new_labels=labels.index[labels["before"] == 0].tolist(),
        gone_labels=labels.index[labels["after"] == 0].tolist(),
        changes=[
            change_of_shares("labels", labels),
            *(change_of_numbers(name, before[name], after[name]) for name in ("brightness", "contrast", "sharpness")),
            _change_of_colour(before, after),
            *(change_of_numbers(name, before[name], after[name]) for name in ("height", "width")),
            change_of_numbers("aspect", aspect(before), aspect(after)),
            change_of_numbers("file size", before["bytes"], after["bytes"]),
        ],
    )


def changes_table(drift: Drift) -> pd.DataFrame:
    """Give the changes, one row a measure; `beyond_chance` is `moved` where that is more than `chance`, else 0."""
    table = pd.DataFrame([asdict(change) for change in drift.changes])
    return table.assign(beyond_chance=table["moved"].where(table["moved"] > table["chance"], 0.0))


def to_json(drift: Drift) -> dict[str, Any]:
    """Give what `json.dumps` takes: each list (length, first `MAX_IDS_LISTED` ids), the classes, the changes.

    Metrics have six decimals; NaN is None.
    """
    lists = {name: getattr(drift, name) for name in ("added", "removed", "relabelled", "moved_parts")}
    tables = {"classes": drift.classes, "changes": changes_table(drift)}
    return {
        "nothing": drift.nothing,
        **{name: {"count": len(rows), "ids": rows["id"].head(MAX_IDS_LISTED).tolist()} for name, rows in lists.items()},
        "new_labels": drift.new_labels,
        "gone_labels": drift.gone_labels,
        **{name: json.loads(table.to_json(orient="records", double_precision=6)) for name, table in tables.items()},
    }


def _in_use(manifest: pd.DataFrame) -> pd.DataFrame:
    rows = manifest.loc[is_usable(manifest), [*_KEYS, *_NUMBERS]].reset_index(drop=True)
    return rows.astype(dict.fromkeys(_KEYS, "str") | dict.fromkeys(_NUMBERS, "float64")).fillna({"label": ""})


def _pair(before: pd.DataFrame, after: pd.DataFrame) -> tuple[Rows, Rows]:
    """Give the row numbers of the pairs, before and after. No other pairs would be fewer relabelled ones."""
    codes = {key: pd.factorize(pd.concat([before[key], after[key]]), sort=key == "id")[0] for key in _KEYS}
    rows = pd.DataFrame(codes, dtype="int32").assign(new=np.arange(len(before) + len(after)) >= len(before))
    rows = rows.sort_values("id")  # of those that are all alike, the first ids find partners
    found = []
    for likeness in _LIKENESS:
        turns = rows[likeness].assign(turn=rows.groupby([*likeness, "new"]).cumcount(), row=rows.index)
        pairs = turns[~rows["new"]].merge(turns[rows["new"]], on=[*likeness, "turn"])[["row_x", "row_y"]]
        found.append(pairs)
        rows = rows[~rows.index.isin(pairs.to_numpy().ravel())]
    old, new = pd.concat(found).to_numpy(np.int64).T
    return old, new - len(before)


def _list(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["id", "part", "label", "sha256"]].sort_values("id", ignore_index=True)


def _differences(before: pd.DataFrame, after: pd.DataFrame, old: Rows, new: Rows, column: str) -> pd.DataFrame:
    """List the pairs that differ in a column: id, sha256, before, after."""
    was, is_now = before[column].array.take(old), after[column].array.take(new)
    differs = np.asarray(was != is_now, bool)
    table: pd.DataFrame = after.loc[new[differs], ["id", "sha256"]].assign(before=was[differs], after=is_now[differs])
    return table.sort_values("id", ignore_index=True)


def _count_classes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    labelled = [rows.loc[has_label(rows), ["part", "label"]] for rows in (before, after)]
    counts = pd.concat([rows.value_counts() for rows in labelled], axis=1, keys=["before", "after"])
    table: pd.DataFrame = counts.fillna(0).astype("int64").sort_index().reset_index()
    fewer = (table["before"] - table["after"]).clip(lower=0)
    return table.assign(lost=fewer / table["before"].clip(lower=1))


def change_of_shares(measure: str, labels: pd.DataFrame) -> Change:
    """Compare the shares of the classes, from how many images each has: `before` and `after`.

    Chance, for counts large enough to be normal: the total variation to expect, from the standard deviation of each
    share, and how far a sum of absolute values may exceed that (C. Borell, "The Brunn-Minkowski inequality in Gauss
    space", 1975). Measured on pairs of samples from one source, 2 to 1,000 classes: 0 to 0.2 % moved by more.
    """
    n, m = labels.sum()
    if not min(n, m):
        return Change(measure, math.nan, math.nan, 0.0, 1.0)
    share, shares = labels.sum(axis=1) / (n + m), labels / labels.sum()
    moved = (shares["after"] - shares["before"]).abs().to_numpy()
    before, after = shares.iloc[int(moved.argmax())]
    expected = math.sqrt(2 / math.pi) * float(np.sqrt(share * (1 - share)).sum())
    chance = (expected + NormalDist().inv_cdf(1 - SIGNIFICANCE_LEVEL)) / 2 * math.sqrt(1 / n + 1 / m)
    return Change(measure, float(before), float(after), float(moved.sum() / 2), min(chance, 1.0))


def _change_of_colour(before: pd.DataFrame, after: pd.DataFrame) -> Change:
    """Compare red, green and blue, each less brightness and in units of contrast, and give the one that moved most.

    Less brightness, because a tint shows then and darkening by an amount does not; in units of contrast (at least 1),
    because darkening by a factor shrinks both. To two decimals, because rounding is all the colour of gray images.
    """
    sides = []
    for rows in (before, after):
        colours = rows[_COLOURS].sub(rows["brightness"], axis=0)
        sides.append(colours.div(rows["contrast"].clip(lower=1), axis=0).round(2))
    changes = [change_of_numbers("colour", sides[0][name], sides[1][name], len(_COLOURS)) for name in _COLOURS]
    return max(changes, key=lambda change: change.moved)


def change_of_numbers(measure: str, before: pd.Series, after: pd.Series, comparisons: int = 1) -> Change:
    """Compare two samples of a number by the Kolmogorov-Smirnov test; the order and missing ones do not count.

    Chance: its critical value in the limit of large samples; lower odds for each where the greatest of several
    comparisons is taken.
    """
    from scipy.stats import ks_2samp, kstwobign  # a second to import

    old, new = np.sort(before.dropna().to_numpy()), np.sort(after.dropna().to_numpy())
    n, m = len(old), len(new)
    means = [float(side.mean()) if len(side) else math.nan for side in (old, new)]
    if not min(n, m):
        return Change(measure, means[0], means[1], 0.0, 1.0)
    with np.errstate(divide="ignore"):  # in the p-value of a single image, which is not asked for
        moved = ks_2samp(old, new, method="asymp").statistic
    chance = float(kstwobign.isf(SIGNIFICANCE_LEVEL / comparisons)) * math.sqrt(1 / n + 1 / m)
    return Change(measure, means[0], means[1], float(moved), min(chance, 1.0))
