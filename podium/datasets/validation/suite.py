"""The Great Expectations suite of a dataset, and what validating the dataset against it found."""

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from podium.config.datasets import Dataset
from podium.config.limits import Limits
from podium.datasets.masks import area_inside, aspect, count_classes, has_label, is_added, is_usable
from podium.datasets.validation.drift import Drift, changes_table
from podium.datasets.validation.findings import Finding
from podium.datasets.validation.manifest import COLUMNS
from podium.datasets.validation.quarantine import RANGES, left_out_shares

# Before the import, which would announce itself on the network; and its progress bars are noise here.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import great_expectations as gx
import great_expectations.expectations as gxe

# It tells of temporary folders otherwise.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)

MAX_EXAMPLES = 10
"""How many of the rows that break an expectation are named."""
LEVELS = ("critical", "warning")

Table = tuple[pd.DataFrame, gx.ExpectationSuite, str]
"""What is looked at, what is expected of it, and the column that names its rows."""


def validate_tables(tables: list[Table]) -> list[Finding]:
    """Hold tables against their suites.

    Returns:
        One finding for each expectation, those that failed included.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("manifest")
    findings = []
    for table, suite, name in tables:
        if not suite.expectations:
            continue
        batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
        result = batch.get_batch({"dataframe": table}).validate(
            suite,
            result_format={
                "result_format": "SUMMARY",
                "unexpected_index_column_names": [name],
                "partial_unexpected_count": MAX_EXAMPLES,
            },
        )
        findings += [_finding(one, name) for one in result.results]
    return findings


def describe_suites(tables: list[Table]) -> list[dict[str, Any]]:
    """Give the suites as Great Expectations writes them, for people who use it elsewhere."""
    return [suite.to_json_dict() for _, suite, _ in tables if suite.expectations]


def list_tables(
    manifest: pd.DataFrame, dataset: Dataset, splits: pd.Series, twins: pd.DataFrame, drift: Drift | None
) -> list[Table]:
    """Give what there is to look at, each table with its suite.

    Args:
        manifest: one row an image, complete.
        dataset: names the classes, the size and the limits.
        splits: the split of each row.
        twins: for each row (exact_duplicate, near_duplicate, other_label), the id of its duplicate.
        drift: what changed since the accepted version, if there is one.
    """
    usable = manifest[is_usable(manifest)]
    usable = usable.assign(aspect=aspect(usable))
    labelled = usable[has_label(usable)]
    measured = splits[labelled.index].isin(["validation", "test"])
    tables = [
        (manifest, row_suite(dataset), "id"),
        (labelled, label_suite(dataset), "id"),
        (left_out_shares(manifest, dataset), quarantine_suite(dataset), "class"),
        (count_by_part(labelled, dataset), class_suite(dataset), "class"),
        (labelled[["id"]].join(twins)[measured], leak_suite(dataset), "id"),
        (labelled[["id"]].join(twins), conflict_suite(dataset), "id"),
        (balance(labelled, dataset), balance_suite(dataset), "part"),
    ]
    if drift is not None:
        lost = drift.classes[~is_added(drift.classes)]
        lost = lost.assign(name=lost["label"].map(dataset.classes).fillna(lost["label"]))
        lost["name"] += lost["part"].map(lambda part: f" in {part}" if part else "")
        tables.append((lost, loss_suite(dataset), "name"))
        tables.append((changes_table(drift), drift_suite(dataset), "measure"))
    if dataset.target == "label_and_box":
        tables.append((_with_edges(labelled), box_suite(), "id"))
    tables.append((usable, image_suite(dataset), "id"))
    tables.append((usable[usable["mode"] != ""], mode_suite(dataset), "id"))
    return tables


def row_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every row that it names an image that can be used."""
    return gx.ExpectationSuite(
        name="rows",
        expectations=[
            gxe.ExpectTableColumnsToMatchOrderedList(
                column_list=COLUMNS, severity="critical", meta=_words("the manifest has its columns")
            ),
            gxe.ExpectColumnValuesToBeUnique(
                column="id", severity="critical", meta=_words("every image has an id of its own")
            ),
            gxe.ExpectColumnValuesToBeNull(
                column="fault",
                severity="warning" if dataset.validation.quarantine else "critical",
                meta=_words("every image can be decoded in full"),
            ),
        ],
    )


def image_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every usable image what the recipe says of it."""
    expectations = [
        gxe.ExpectColumnValuesToBeNull(column="notice", severity="warning", meta=_words("no image is odd in any way")),
        gxe.ExpectColumnValuesToBeBetween(
            column="height",
            min_value=dataset.image.height,
            severity="warning",
            meta=_words(f"every image is at least {dataset.image.height} pixels high"),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="width",
            min_value=dataset.image.width,
            severity="warning",
            meta=_words(f"every image is at least {dataset.image.width} pixels wide"),
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="brightest",
            column_B="darkest",
            severity="warning",
            meta=_words("no image is of a single colour"),
        ),
    ]
    for level, limits in _levels(dataset):
        for name in RANGES:
            if bounds := getattr(limits, name):
                words = _words(f"the {name} of every image is within {bounds[0]:g} and {bounds[1]:g}")
                expectations.append(
                    gxe.ExpectColumnValuesToBeBetween(
                        column=name, min_value=bounds[0], max_value=bounds[1], severity=level, meta=words
                    )
                )
    return gx.ExpectationSuite(name="images", expectations=expectations)


def mode_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every image file the modes that the recipe names."""
    expectations = [
        gxe.ExpectColumnValuesToBeInSet(
            column="mode",
            value_set=limits.modes,
            severity=level,
            meta=_words(f"the mode of every image is {' or '.join(limits.modes)}"),
        )
        for level, limits in _levels(dataset)
        if limits.modes
    ]
    return gx.ExpectationSuite(name="modes", expectations=expectations)


def label_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect of every image with a label that the recipe knows it."""
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
    """Expect of every image with a label that its box is a box, and inside it."""
    words = "every box lies inside its image (the rest is cut off)"
    return gx.ExpectationSuite(
        name="boxes",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(
                column="box_left", severity="critical", meta=_words("every image has a box")
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
    """Add how much of each box is inside its image, in square pixels, and how far it reaches out, in pixels."""
    far_right, far_bottom = manifest["box_left"] + manifest["box_width"], manifest["box_top"] + manifest["box_height"]
    outside = pd.concat(
        [-manifest["box_left"], -manifest["box_top"], far_right - manifest["width"], far_bottom - manifest["height"]]
    )
    return manifest.assign(box_inside=area_inside(manifest), box_outside=outside.groupby(level=0).max().clip(lower=0))


def class_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect enough images of every class."""
    return _suite(
        dataset,
        "classes",
        "minimum_per_class",
        lambda least: f"every class has at least {least} images in each part",
        lambda least: {"column": "count", "min_value": least},
    )


def balance_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect the classes to be of similar size."""
    return _suite(
        dataset,
        "balance",
        "maximum_imbalance",
        lambda most: f"the largest class has at most {most:g} times the images of the smallest",
        lambda most: {"column": "imbalance", "max_value": most},
    )


def quarantine_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect that no class loses more images to the quarantine than its budget."""
    budget = dataset.validation.quarantine
    words = _words(f"at most {budget:.3g} of each class is left out")
    expectation = gxe.ExpectColumnValuesToBeBetween(column="share", max_value=budget, severity="critical", meta=words)
    return gx.ExpectationSuite(name="quarantine", expectations=[expectation] if budget else [])


def leak_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect no validation or test image to duplicate one used for training or selection."""
    expectations = []
    for level, limits in _levels(dataset):
        for column, share, words in (
            (
                "exact_duplicate",
                limits.exact_duplicates,
                "no test or validation image is an exact duplicate of one used for training or selection",
            ),
            (
                "near_duplicate",
                limits.near_duplicates,
                "no test or validation image is a near-duplicate of one used for training or selection",
            ),
        ):
            if share is not None:
                expectations.append(_null(column, share, level, words))
    return gx.ExpectationSuite(name="leaks", expectations=expectations)


def conflict_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect near-duplicates to have the same label."""
    expectations = [
        _null("other_label", limits.label_conflicts, level, "no image is a near-duplicate of one with another label")
        for level, limits in _levels(dataset)
        if limits.label_conflicts is not None
    ]
    return gx.ExpectationSuite(name="conflicts", expectations=expectations)


def loss_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect every class to have kept its images since the accepted version."""
    return _suite(
        dataset,
        "losses",
        "lost_per_class",
        lambda share: f"no class lost more than {share:.3g} of its images since the accepted version",
        lambda share: {"column": "lost", "max_value": share},
    )


def drift_suite(dataset: Dataset) -> gx.ExpectationSuite:
    """Expect every measure to be spread as in the accepted version, chance aside."""
    return _suite(
        dataset,
        "drift",
        "drift",
        lambda share: f"no measure moved for more than {share:.3g} of the images since the accepted version",
        lambda share: {"column": "beyond_chance", "max_value": share},
    )


def count_by_part(manifest: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Count the images of each class in each part that the archive has: part, class, count."""
    manifest = manifest[has_label(manifest) & ~is_added(manifest)]
    counts = count_classes(manifest["label"], manifest["part"], dataset.classes)
    frame = counts.melt(var_name="part", value_name="count", ignore_index=False).reset_index()
    where = frame["part"].map(lambda part: f" in {part}" if part else "")
    frame["class"] = frame["label"].map(dataset.classes) + where
    return frame[["part", "class", "count"]]


def balance(manifest: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Compare the largest class with the smallest, for each part that the archive has: part, imbalance."""
    by_part = count_by_part(manifest, dataset).groupby("part")["count"]
    return (by_part.max() / by_part.min().clip(lower=1)).rename("imbalance").reset_index()


def _levels(dataset: Dataset) -> Iterator[tuple[str, Limits]]:
    for level in LEVELS:
        yield level, getattr(dataset.validation, level)


def _suite(
    dataset: Dataset,
    name: str,
    limit: str,
    say: Callable[[Any], str],
    bound: Callable[[Any], dict[str, Any]],
) -> gx.ExpectationSuite:
    """Make a suite that holds one column against one limit, at the levels that name it."""
    expectations = [
        gxe.ExpectColumnValuesToBeBetween(**bound(value), severity=level, meta=_words(say(value)))
        for level, limits in _levels(dataset)
        if (value := getattr(limits, limit)) is not None
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _null(column: str, share: float, level: str, words: str) -> gxe.ExpectColumnValuesToBeNull:
    """Expect a column to be empty, but for a share of its rows."""
    words += f", but for {share:.3g} of them" if share else ""
    return gxe.ExpectColumnValuesToBeNull(column=column, mostly=1 - share, severity=level, meta=_words(words))


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
    what = ", ".join(
        f"{column} {_short(value)}".replace("_", " ", 1) for column, value in row.items() if column != name
    )
    return f"{row[name]} ({what})" if what else str(row[name])


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else value
