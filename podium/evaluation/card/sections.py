"""The card's tables, and what the sentences of its sections are made of: bounded, whatever was measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from podium.evaluation.card.numbers import MAIN, known, title
from podium.evaluation.card.reading import Card, Facts
from podium.evaluation.confusions import Confusions
from podium.pages.charts import Axis, draw_interval, floor_axis
from podium.pages.matrix import Matrix, arrange, draw_matrix, draw_overview, tint

MAX_ROWS = 60
"""Classes in a table."""
MAX_PAIRS, MAX_SLICES, MAX_LINES, MAX_PARAMS = 20, 20, 200, 120
"""Rows of other tables."""
MAX_WHOLE = 40
"""Classes of a matrix that is drawn as a whole; of a larger one its most confused blocks are."""
MAX_PART = 24
"""Classes of the part that is drawn of a larger one."""
OVERVIEW_CELLS = 120
SPLITS = {"validation": "validation", "test": "test", "test_clean": "test, not seen"}
"""The splits that metrics are of, and what the card calls them."""


@dataclass(frozen=True)
class Bar:
    """A value of a table with its interval.

    Attributes:
        estimate: value, low and high.
        drawing: the same as an image; None where there is no value.
    """

    estimate: Facts
    drawing: Markup | None


def list_metrics(card: Card) -> dict[str, Any]:
    """Give the metrics by split, those first that most people ask for."""
    metrics: dict[str, dict[str, Facts]] = card.report.facts.get("metrics", {})
    splits = [split for split in SPLITS if split in metrics]
    names = list(dict.fromkeys(name for split in splits for name in metrics[split]))
    rows = [(title(name), [metrics[split].get(name) for split in splits]) for name in names]
    first = [row for name, row in zip(names, rows, strict=True) if name in MAIN or name.startswith("top_")]
    rest = [row for name, row in zip(names, rows, strict=True) if not (name in MAIN or name.startswith("top_"))]
    return {"splits": [SPLITS[split] for split in splits], "main": first, "rest": rest}


def list_published(card: Card) -> list[dict[str, Any]]:
    """Give ours and what is published, metric by metric, each value as a bar on the metric's own axis."""
    table = card.report.tables["comparison"]
    rows = []
    for row in _records(table):
        same = table[(table["metric"] == row["metric"]) & (table["split"] == row["split"])]
        ends = [value for column in ("value", "low", "high") for value in same[column] if known(value)]
        axis = Axis(*_ends(ends)) if ends else Axis(0, 1)
        rows.append(row | {"metric": title(row["metric"]), "bar": _bar(row, "value", axis, "low", "high")})
    return rows


def list_classes(card: Card) -> dict[str, Any]:
    """Give the classes with their metrics, the worst first, those without test images last."""
    table = card.report.tables["per_class"]
    if table.empty:
        return {"rows": [], "left": 0, "floor": 0.0}
    order = table.assign(none=table["support"] == 0).sort_values(["none", "f1"], kind="stable")
    shown = order.head(MAX_ROWS)
    ends = shown.loc[shown["support"] > 0, ["precision_low", "recall_low", "precision", "recall"]]
    floor = floor_axis(ends.to_numpy(float).ravel())
    axis = Axis(floor, 1)
    rows = [
        row | {name: _bar(row, name, axis, f"{name}_low", f"{name}_high") for name in ("recall", "precision")}
        for row in _records(shown)
    ]
    return {"rows": rows, "left": len(table) - len(rows), "floor": floor}


def list_slices(card: Card) -> dict[str, Any]:
    """Give the slices, those first that are worse than the whole, then by how little is right."""
    table = card.report.tables["slices"]
    if table.empty:
        return {"rows": [], "left": 0, "worse": 0}
    order = table.assign(worse=table["worse"].astype(bool)).sort_values(
        ["worse", "accuracy"], ascending=[False, True], kind="stable"
    )
    axis = Axis(*_ends([value for value in (*order["low"], *order["accuracy"], 1.0) if known(value)]))
    worse = int(order["worse"].sum())
    shown = order.head(max(MAX_SLICES, min(worse, MAX_ROWS)))
    rows = [row | {"bar": _bar(row, "accuracy", axis, "low", "high")} for row in _records(shown)]
    return {"rows": rows, "left": len(order) - len(rows), "worse": worse}


def list_seeds(card: Card) -> dict[str, Any]:
    """Give the main metrics of each training, their mean and their sample standard deviation."""
    table = card.report.tables["seeds"]
    wanted = [f"{split}_{name}" for name in ("accuracy", "mean_iou", "macro_f1") for split in ("validation", "test")]
    columns = [name for name in wanted if name in table]
    titles = [title(name).replace("validation ", "validation, ").replace("test ", "test, ") for name in columns]
    rows = [[int(row["seed"]), *(row[name] for name in columns)] for row in _records(table.head(MAX_PAIRS))]
    means = [float(table[name].mean()) for name in columns]
    deviations = [float(table[name].std(ddof=1)) for name in columns]
    return {"titles": titles, "rows": rows, "means": means, "deviations": deviations, "count": len(table)}


def arrange_matrix(confusions: Confusions) -> tuple[Matrix, tuple[np.ndarray, float] | None]:
    """Give the matrix that is drawn, and of a large one the whole in small with the share that is drawn of it."""
    blocks, count = confusions.blocks(), len(confusions.classes)
    order, sizes = arrange(blocks, count if count <= MAX_WHOLE else MAX_PART)
    names = tuple(confusions.classes[number] for number in order)
    matrix = Matrix(names, confusions.dense(order), confusions.support[order], sizes)
    if count <= MAX_WHOLE:
        return matrix, None
    shades = tint(confusions.shrink(np.concatenate(blocks), OVERVIEW_CELLS))
    return matrix, (shades, len(order) / count)


def show_matrix(confusions: Confusions) -> dict[str, Any]:
    """Give the drawings of the confusion matrix."""
    matrix, overview = arrange_matrix(confusions)
    wrong = confusions.wrong
    return {
        "drawing": draw_matrix(matrix),
        "overview": draw_overview(*overview) if overview else None,
        "shown": len(matrix.names),
        "wrong": int(confusions.counts[wrong].sum()),
        "inside": int(matrix.counts.sum() - np.trace(matrix.counts)),
        "idle": int((confusions.support == 0).sum()),
    }


def list_pairs(card: Card) -> list[Facts]:
    """Give the pairs of classes that are confused most."""
    pairs: list[Facts] = card.report.failures.get("pairs", [])[:MAX_PAIRS]
    return pairs


def _bar(row: Facts, value: str, axis: Axis, low: str, high: str) -> Bar:
    estimate = {"value": row[value], "low": row[low], "high": row[high]}
    drawn = draw_interval(row[value], row[low], row[high], axis) if known(row[value]) else None
    return Bar(estimate, drawn)


def _records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Give each row as a mapping; what is missing is None."""
    for row in table.to_dict("records"):
        yield {str(name): None if value != value else value for name, value in row.items()}


def _ends(values: list[float]) -> tuple[float, float]:
    """Give the ends of an axis on which these stand with a little room."""
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, 1e-6)
    return max(low - room, 0.0) if low >= 0 else low - room, min(high + room, 1.0) if high <= 1 else high + room
