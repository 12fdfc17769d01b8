"""The page of a validated dataset: one HTML file that needs nothing else, for people to look through.

Each section is a function from the inspection to what the template shows of it: a few images and numbers, however
many there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.datasets.arrays import SPLITS
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.masks import ADDED, aspect, count_classes, is_readable, is_usable
from podium.datasets.validation.findings import Inspection
from podium.pages.histograms import Measure, draw_histograms, format_number
from podium.pages.html import shortened, write_html

MAX_TABLE_ROWS = 60
"""Rows of a table at most."""
MAX_GLANCE_IMAGES = 96
"""Images in the section of that name; the other sections show about as many together."""
MAX_WORST, MAX_PAIRS, MAX_LEFT_OUT, MAX_CHANGED, MAX_ADDED = 8, 8, 12, 8, 24
"""Images or pairs in one list."""
MAX_GROUPS, MAX_OF_GROUP = 8, 5
SPLIT_ORDER = ("train", "validation", "test", "left", "quarantined", UNLABELLED)
"""The splits, as the page lists them."""

MEASURES: tuple[Measure, ...] = (
    ("Width", "width", "pixels", False),
    ("Height", "height", "pixels", False),
    ("Aspect", "aspect", "width by height", False),
    ("Brightness", "brightness", "mean gray value, 0 to 255", False),
    ("Contrast", "contrast", "standard deviation of gray", False),
    ("Sharpness", "sharpness", "variance of the Laplacian", True),
    ("Size", "bytes", "bytes", True),
)
"""What the page draws histograms of."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Image:
    """An image on the page."""

    id: str
    label: str
    """The class's name, or the label that the recipe does not know."""
    split: str
    note: str
    """What is to be said of it in this place."""
    thumbnail: bytes | None
    fault: str
    """Why there is no thumbnail."""


class _Images:
    """Gives the images that the page shows, and remembers their rows."""

    def __init__(self, inspection: Inspection, thumbnails: Mapping[int, bytes]) -> None:
        self._inspection, self._thumbnails = inspection, thumbnails
        self.rows: set[int] = set()

    def __call__(self, row: int, note: object = "") -> Image:
        row = int(row)
        self.rows.add(row)
        facts = self._inspection.manifest.iloc[row]
        return Image(
            id=shortened(_text(facts["id"])),
            label=_name(self._inspection, facts["label"]),
            split=self._inspection.splits.iloc[row],
            note=_text(note),
            thumbnail=self._thumbnails.get(row),
            fault=_text(facts["fault"]),
        )


def choose_rows(inspection: Inspection) -> list[int]:
    """Give the rows of the images that the page shows, ascending; at most about 240."""
    images = _Images(inspection, {})
    _show(inspection, images)
    return sorted(images.rows)


def write_page(inspection: Inspection, thumbnails: Mapping[int, bytes], path: Path) -> None:
    """Write the page.

    Args:
        inspection: what validation knows of the dataset; the same gives the same bytes.
        thumbnails: WebP files by row, of the rows that `choose_rows` names; where one is missing the page says so.
        path: the HTML file to be.
    """
    readable = is_readable(inspection.manifest)
    table, splits = inspection.manifest[readable], inspection.splits[readable]
    members = {split: (splits == split).to_numpy() for split in SPLITS}
    constants, histograms = draw_histograms(table.assign(aspect=aspect(table)), members, MEASURES)
    values = {
        "inspection": inspection,
        "manifest": inspection.manifest,
        "parts": sorted(set(inspection.manifest["part"].dropna()) - {"", ADDED}),
        "constants": constants,
        "histograms": histograms,
        **_show(inspection, _Images(inspection, thumbnails)),
    }
    filters = {"number": format_number, "name": lambda label: _name(inspection, label)}
    write_html(__package__, "report.html", values, filters, path)


def _show(inspection: Inspection, images: _Images) -> dict[str, Any]:
    """Give the sections that have images, by their names in the template."""
    classes, codes = _count_labels(inspection), inspection.manifest["left_out"]
    return {
        "classes": classes,
        "class_table": classes
        if len(classes) <= MAX_TABLE_ROWS
        else classes.sort_values("all", kind="stable").head(MAX_TABLE_ROWS),
        "glance": _show_classes(inspection, images, classes),
        "worst": _show_worst(inspection, images),
        "leaks": _show_pairs(inspection.leaks, images, nearest=False),
        "leak_table": inspection.leaks.groupby(["split", "twin_split"], as_index=False).agg(
            images=("row", "nunique"), exact=("exact", "sum"), flipped=("flipped", "sum")
        ),
        "conflicts": _show_pairs(inspection.conflicts, images, nearest=True),
        "conflicting": inspection.conflicts["row"].nunique(),
        "groups": _show_groups(inspection, images),
        "left_out": [(images(row), codes.iloc[row]) for row in _spread(np.flatnonzero(codes.notna()), MAX_LEFT_OUT)],
        "drift": _show_drift(inspection, images),
        "added": [images(row) for row in _spread(inspection.added.index.to_numpy(), MAX_ADDED)],
    }


def _count_labels(inspection: Inspection) -> pd.DataFrame:
    """Count the images of each label in each split: in the recipe's order, then the labels that it does not know."""
    labelled = inspection.splits != UNLABELLED
    labels, known = inspection.manifest["label"].fillna("")[labelled], inspection.dataset.classes
    unknown = sorted({*labels} - {*known})
    counts = count_classes(labels, inspection.splits[labelled], [*known, *unknown])
    counts = counts[sorted(counts, key=lambda split: (*SPLIT_ORDER, split).index(split))]
    return counts.assign(all=counts.sum(axis=1)).astype(np.int64)


def _show_classes(inspection: Inspection, images: _Images, classes: pd.DataFrame) -> dict[str, list[Image]]:
    """Show some images of each class, evenly from its first to its last; of a thousand classes the first."""
    shown = [label for label in classes.index if label in inspection.dataset.classes][: MAX_GLANCE_IMAGES // 2]
    each = min(max(MAX_GLANCE_IMAGES // max(len(shown), 1), 1), 11)
    codes = pd.Index(shown, dtype="str").get_indexer(inspection.manifest["label"])
    codes[~_used(inspection)] = -1
    chosen = {label: _spread(np.flatnonzero(codes == code), each) for code, label in enumerate(shown)}
    return {label: [images(row) for row in rows] for label, rows in chosen.items()}


def _show_worst(inspection: Inspection, images: _Images) -> list[tuple[str, str, list[Image]]]:
    """Show what is at the end of each measure: title, what it may mean, images."""
    manifest, used = inspection.manifest, np.flatnonzero(_used(inspection))
    worst = []
    for title, column, sign, meaning in (
        ("Darkest", "brightness", 1, "Mean gray value, 0 is black."),
        ("Brightest", "brightness", -1, "Mean gray value, 255 is white."),
        ("Least contrast", "contrast", 1, "Standard deviation of the gray values."),
        ("Least sharp", "sharpness", 1, "Variance of the Laplacian: blurred or empty images have little."),
    ):
        values = manifest[column].to_numpy()[used]
        rows = used[np.argsort(sign * values, kind="stable")[:MAX_WORST]]
        shown = [images(row, format_number(manifest[column].iloc[row])) for row in rows]
        worst.append((title, meaning, shown))
    odd = used[manifest["notice"].notna().to_numpy()[used]]
    shown = [images(row, manifest["notice"].iloc[row]) for row in _spread(odd, MAX_WORST)]
    return [*worst, ("Odd", f"{len(odd):,} can be used, and have something unusual.", shown)]


def _show_pairs(table: pd.DataFrame, images: _Images, *, nearest: bool) -> dict[str, Any]:
    """Show pairs of near-duplicates and their distance: the nearest, or evenly from the nearest on."""
    ends = np.sort(table[["row", "twin"]].to_numpy(np.int64), axis=1)
    pairs = table[~pd.DataFrame(ends, index=table.index).duplicated()]
    pairs = pairs.sort_values(["exact", "distance"], ascending=[False, True], kind="stable")
    some = pairs.head(MAX_PAIRS) if nearest else pairs.iloc[_spread(np.arange(len(pairs)), MAX_PAIRS)]
    columns = ["row", "twin", "distance", "flipped", "exact"]
    shown = []
    for row, twin, bits, flipped, exact in some[columns].itertuples(index=False, name=None):
        text = "the same bytes" if exact else f"{bits} of 256 bits differ" if bits else "no bit of 256 differs"
        shown.append((images(row), images(twin), text + (", flipped" if flipped else "")))
    return {"count": len(pairs), "shown": shown}


def _show_groups(inspection: Inspection, images: _Images) -> dict[str, Any]:
    """Count the groups of near-duplicates by size, and show the largest and some others."""
    groups = inspection.manifest["group"][is_readable(inspection.manifest)]
    firsts, sizes = np.unique(groups, return_counts=True)
    firsts, sizes = firsts[sizes > 1], sizes[sizes > 1]
    order = np.argsort(-sizes, kind="stable")
    shown = []
    for place in (*order[: MAX_GROUPS // 2], *_spread(order[MAX_GROUPS // 2 :], MAX_GROUPS // 2)):
        members = np.flatnonzero(inspection.manifest["group"] == firsts[place])
        shown.append((int(sizes[place]), [images(row) for row in members[:MAX_OF_GROUP]]))
    table = []
    for name, least, most in (("2", 2, 2), ("3", 3, 3), ("4 to 10", 4, 10), ("more than 10", 11, np.inf)):
        some = sizes[(least <= sizes) & (sizes <= most)]
        table.append((name, len(some), some.sum()))
    return {"count": len(sizes), "images": int(sizes.sum()), "table": table, "shown": shown}


def _show_drift(inspection: Inspection, images: _Images) -> dict[str, list[Any]]:
    """Show the classes that changed, and some of the images that are new or have another label now."""
    drift = inspection.drift
    if drift is None:
        return {}
    classes = drift.classes[drift.classes["before"] != drift.classes["after"]]
    added = drift.added.iloc[_spread(np.arange(len(drift.added)), MAX_CHANGED)]
    relabelled = drift.relabelled.iloc[_spread(np.arange(len(drift.relabelled)), MAX_CHANGED)]
    names = [relabelled[when].map(lambda label: _name(inspection, label)) for when in ("before", "after")]
    notes = {id_: f"was {was}, is {now}" for id_, was, now in zip(relabelled["id"], *names, strict=True)}
    ids = inspection.manifest["id"]
    rows = {ids.iloc[row]: row for row in np.flatnonzero(ids.isin([*added["id"], *notes]))[::-1]}
    return {
        "classes": list(classes.sort_values("lost", ascending=False, kind="stable").itertuples()),
        "added": [images(rows[id_]) for id_ in added["id"] if id_ in rows],
        "relabelled": [images(rows[id_], note) for id_, note in notes.items() if id_ in rows],
    }


def _used(inspection: Inspection) -> NDArray[np.bool_]:
    return is_usable(inspection.manifest).to_numpy()


def _spread(rows: Rows, count: int) -> Rows:
    """Take so many of the rows, evenly from the first to the last."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(np.int64)]


def _name(inspection: Inspection, label: object) -> str:
    return inspection.dataset.classes.get(_text(label), _text(label)) or "no label"


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)
