"""What validation writes beside its page: tables for people and machines, and the metrics that DVC compares."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from podium.datasets.arrays import SPLITS
from podium.datasets.masks import count_classes, has_label, is_readable
from podium.datasets.validation.drift import to_json
from podium.datasets.validation.findings import Inspection
from podium.paths import ADDITIONS, REVIEW_COLUMNS


def save_inspection(inspection: Inspection, folder: Path) -> None:
    """Write what validation found into a folder.

    findings.json     every expectation, and what became of it
    suite.json        the same as Great Expectations writes it
    summary.json      the metrics, for `dvc metrics`
    class_counts.csv  images of each class in each split
    leaks.csv         validation and test images that duplicate a training image
    duplicates.csv    near-duplicates, by groups
    conflicts.csv     near-duplicates with another label
    quarantine.csv    images that are left out, as lines for data/review.csv
    drift.json        what changed since the accepted version
    inventory.csv     the archive's files: used, read as tables, or left aside, and why; and those that people added
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = inspection.manifest
    ids, labels = manifest["id"].to_numpy(), manifest["label"].to_numpy()
    _save_json([asdict(finding) for finding in inspection.findings], folder / "findings.json")
    _save_json(inspection.suites, folder / "suite.json")
    _save_json(summarise(inspection), folder / "summary.json")
    _save_json(None if inspection.drift is None else to_json(inspection.drift), folder / "drift.json")
    _save_table(list_class_counts(inspection), folder / "class_counts.csv")
    leaks = inspection.leaks.assign(id=ids[inspection.leaks["row"]], twin_id=ids[inspection.leaks["twin"]])
    _save_table(leaks[["id", "split", "twin_id", "twin_split", "distance", "flipped", "exact"]], folder / "leaks.csv")
    conflicts = inspection.conflicts
    conflicts = conflicts.assign(
        **{"id": ids[conflicts["row"]], "label": labels[conflicts["row"]]},
        **{"twin_id": ids[conflicts["twin"]], "twin_label": labels[conflicts["twin"]]},
    )
    columns = ["id", "label", "twin_id", "twin_label", "distance", "flipped", "exact"]
    _save_table(conflicts[columns], folder / "conflicts.csv")
    several = manifest["group"].map(manifest["group"].value_counts()) > 1
    groups = manifest[several].assign(split=inspection.splits[several]).sort_values("group", kind="stable")
    _save_table(groups[["group", "id", "label", "split"]], folder / "duplicates.csv")
    _save_table(_quarantined(inspection), folder / "quarantine.csv")
    _save_table(_account(inspection), folder / "inventory.csv")


def summarise(inspection: Inspection) -> dict[str, object]:
    """Give the metrics of a dataset that one compares between versions."""
    manifest, splits, leaks = inspection.manifest, inspection.splits, inspection.leaks
    failed = [finding.level for finding in inspection.failed]
    groups = manifest["group"].value_counts()
    readable = manifest[is_readable(manifest)]
    return {
        "verdict": inspection.verdict,
        "failed_critical": failed.count("critical"),
        "failed_warning": failed.count("warning"),
        "images": len(manifest),
        **({"added": len(inspection.added)} if len(inspection.added) else {}),
        "unlabelled": int((~has_label(manifest)).sum()),
        "left_out": int(manifest["left_out"].notna().sum()),
        "left_aside": inspection.inventory.left if inspection.inventory else 0,
        "unreadable": int((~is_readable(manifest)).sum()),
        "classes": len(inspection.dataset.classes),
        "distinct_images": int(readable["sha256"].nunique()),
        "duplicate_groups": int((groups > 1).sum()),
        "images_in_groups": int(groups[groups > 1].sum()),
        "label_conflicts": len(inspection.conflicts),
        "leaks": {
            "exact": int(leaks["exact"].sum()),
            "near": int((~leaks["exact"]).sum()),
            "test_in_train": int(((leaks["split"] == "test") & (leaks["twin_split"] == "train")).sum()),
            "test": int((splits == "test").sum()),
        },
        **{
            name: {"mean": _rounded(readable[name].mean()), "deviation": _rounded(readable[name].std(ddof=0))}
            for name in ("brightness", "contrast", "sharpness")
        },
    }


def list_class_counts(inspection: Inspection) -> pd.DataFrame:
    """Count the images of each class in each split: split, class, count."""
    classes = inspection.dataset.classes
    counts = count_classes(inspection.manifest["label"], inspection.splits, classes)
    used = [split for split in SPLITS if split in counts]
    rows = [
        (split, name, count)
        for split in used
        for name, count in zip(classes.values(), counts[split].tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["split", "class", "count"])


def _quarantined(inspection: Inspection) -> pd.DataFrame:
    rows = inspection.manifest[inspection.manifest["left_out"].notna()]
    why = rows["left_out"].where(is_readable(rows), rows["left_out"] + ": " + rows["fault"].fillna(""))
    return rows.assign(dataset=inspection.name, decision="leave_out", note=why)[REVIEW_COLUMNS]


def _account(inspection: Inspection) -> pd.DataFrame:
    inventory, added = inspection.inventory, inspection.added
    rows: list[tuple[int, str, str]] = []
    if inventory is not None:
        rows = [
            (inventory.images, "images of the dataset", ""),
            (inventory.tables, "tables and annotations", ""),
            *((each.count, f"left aside: {each.reason}", each.example) for each in inventory.aside),
        ]
    if len(added):
        rows.append((len(added), f"accepted labels, beside the archive: {ADDITIONS}", added["id"].iloc[0]))
    return pd.DataFrame(rows, columns=["files", "what", "example"])


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _save_json(content: object, path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _save_table(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")
