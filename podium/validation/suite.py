"""The Great Expectations suite of a dataset, and what validating the manifest against it found."""

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from podium.config.tables import Dataset
from podium.formats.picture_files import UNLABELLED
from podium.validation.manifest import COLUMNS

# Before the import, which would announce itself on the network; and its progress bars are noise here.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import great_expectations.expectations as gxe

# It tells of temporary folders otherwise.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

SHOWN = 10
"""How many of the rows that break an expectation are named."""


@dataclass(frozen=True)
class Finding:
    """What became of one expectation."""

    expectation: str
    """In words."""
    level: str
    """`critical` stops the pipeline, `warning` does not."""
    success: bool
    count: int
    """How many rows break it."""
    examples: list[str]
    """The first of them, each with what is wrong."""


def validate_manifest(manifest: pd.DataFrame, dataset: Dataset) -> list[Finding]:
    """Hold a manifest against what its recipe expects.

    Args:
        manifest: one row a picture.
        dataset: names the classes, the size and the thresholds.

    Returns:
        One finding for each expectation, those that failed included.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("manifest")
    findings = []
    usable = manifest[manifest["fault"].isna()]
    labelled = usable[usable["part"] != UNLABELLED]
    tables = [
        (manifest, row_suite(), "id"),
        (usable, picture_suite(dataset), "id"),
        (labelled, label_suite(dataset), "id"),
        (count_classes(labelled, dataset), class_suite(dataset), "class"),
        (balance(labelled, dataset), balance_suite(dataset), "part"),
    ]
    if dataset.target == "label_and_box":
        tables.append((_with_edges(labelled), box_suite(), "id"))
    for table, suite, name in tables:
        batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
        result = batch.get_batch({"dataframe": table}).validate(
            suite,
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": [name],
                "partial_unexpected_count": SHOWN,
            },
        )
        findings += [_finding(one, name) for one in result.results]
    return findings


def row_suite() -> gx.ExpectationSuite:
    """Expect of every row that it names a picture that can be used."""
    return gx.ExpectationSuite(
        name="rows",
        expectations=[
            gxe.ExpectTableColumnsToMatchOrderedList(
                column_list=COLUMNS, severity="critical", meta=_words("the manifest has its columns")
            ),
            gxe.ExpectColumnValuesToBeUnique(
                column="id", severity="critical", meta=_words("every picture has an id of its own")
            ),
            gxe.ExpectColumnValuesToBeNull(
                column="fault", severity="critical", meta=_words("every picture can be decoded in full")
            ),
        ],
    )


def picture_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every usable picture what the recipe says of it."""
    return gx.ExpectationSuite(
        name="pictures",
        expectations=[
            gxe.ExpectColumnValuesToBeNull(
                column="notice", severity="warning", meta=_words("no picture is odd in any way")
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="height",
                min_value=dataset.image.height,
                severity="warning",
                meta=_words(f"every picture is at least {dataset.image.height} pixels high"),
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="width",
                min_value=dataset.image.width,
                severity="warning",
                meta=_words(f"every picture is at least {dataset.image.width} pixels wide"),
            ),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="brightest",
                column_B="darkest",
                severity="warning",
                meta=_words("no picture is of a single colour"),
            ),
        ],
    )


def label_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every picture with a label that the recipe knows it."""
    return gx.ExpectationSuite(
        name="labels",
        expectations=[
            gxe.ExpectColumnValuesToBeInSet(
                column="label",
                value_set=list(dataset.classes),
                severity="critical",
                meta=_words("every label is one of the recipe's classes"),
            ),
        ],
    )


def box_suite() -> gx.ExpectationSuite:
    """Expect of every picture with a label that its box is a box, and inside it."""
    words = "every box lies inside its picture (the rest is cut off)"
    return gx.ExpectationSuite(
        name="boxes",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(
                column="box_left", severity="critical", meta=_words("every picture has a box")
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="box_inside", min_value=1, severity="critical", meta=_words("every box holds a pixel at least")
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="box_outside", max_value=0, severity="warning", meta=_words(words)
            ),
        ],
    )


def _with_edges(manifest: pd.DataFrame) -> pd.DataFrame:
    """Add how much of each box is inside its picture, in square pixels, and how far it reaches out, in pixels."""
    left, top = manifest["box_left"].clip(lower=0), manifest["box_top"].clip(lower=0)
    far_right, far_bottom = manifest["box_left"] + manifest["box_width"], manifest["box_top"] + manifest["box_height"]
    right, bottom = far_right.clip(upper=manifest["width"]), far_bottom.clip(upper=manifest["height"])
    outside = pd.concat(
        [left - manifest["box_left"], top - manifest["box_top"], far_right - right, far_bottom - bottom]
    )
    return manifest.assign(
        box_inside=(right - left).clip(lower=0) * (bottom - top).clip(lower=0),
        box_outside=outside.groupby(level=0).max(),
    )


def class_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect enough pictures of every class."""
    least = dataset.validation.minimum_per_class
    words = _words(f"every class has at least {least} pictures in each part")
    return gx.ExpectationSuite(
        name="classes",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="count", min_value=least, severity="critical", meta=words)
        ],
    )


def balance_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect the classes to be of similar size."""
    most = dataset.validation.maximum_imbalance
    words = _words(f"the largest class has at most {most:g} times the pictures of the smallest")
    return gx.ExpectationSuite(
        name="balance",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="imbalance", max_value=most, severity="warning", meta=words)
        ],
    )


def count_classes(manifest: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Count the pictures of each class in each part that the archive has: part, class, count."""
    manifest = manifest[manifest["part"] != UNLABELLED]
    counts = manifest.groupby(["part", "label"]).size()
    pairs = [(part, label) for part in manifest["part"].unique() for label in dataset.classes]
    table = counts.reindex(pd.MultiIndex.from_tuples(pairs, names=["part", "label"]), fill_value=0)
    frame = table.rename("count").reset_index()
    where = frame["part"].map(lambda part: f" in {part}" if part else "")
    frame["class"] = frame["label"].map(dataset.classes) + where
    return frame[["part", "class", "count"]]


def balance(manifest: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Compare the largest class with the smallest, for each part that the archive has: part, imbalance."""
    by_part = count_classes(manifest, dataset).groupby("part")["count"]
    return (by_part.max() / by_part.min().clip(lower=1)).rename("imbalance").reset_index()


def save_findings(findings: list[Finding], manifest: pd.DataFrame, dataset: Dataset, folder: Path) -> None:
    """Write what validation found: findings.json, class_counts.csv, and summary.json for `dvc metrics`."""
    folder.mkdir(parents=True)
    failed = [finding.level for finding in findings if not finding.success]
    summary = {
        "pictures": len(manifest),
        "unlabelled": int((manifest["part"] == UNLABELLED).sum()),
        "classes": len(dataset.classes),
        "distinct_pictures": int(manifest["sha256"].nunique()),
        "failed_critical": failed.count("critical"),
        "failed_warning": failed.count("warning"),
    }
    _save_json([asdict(finding) for finding in findings], folder / "findings.json")
    _save_json(summary, folder / "summary.json")
    count_classes(manifest, dataset).to_csv(folder / "class_counts.csv", index=False, lineterminator="\n")


def _save_json(content: object, path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _words(text: str) -> dict[str, Any]:
    return {"in_words": text}


def _finding(result: Any, name: str) -> Finding:
    config, details = result.expectation_config, result.result
    return Finding(
        expectation=config.meta["in_words"],
        level=config.severity.value,
        success=result.success,
        count=details.get("unexpected_count", 0 if result.success else 1),
        examples=[_example(row, name) for row in details.get("partial_unexpected_index_list", [])],
    )


def _example(row: dict[str, Any], name: str) -> str:
    what = ", ".join(f"{column} {value}" for column, value in row.items() if column != name)
    return f"{row[name]} ({what})" if what else str(row[name])
