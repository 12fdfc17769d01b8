"""The card's charts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from podium.evaluation.card.reading import Facts
from podium.pages.charts import Axis, Chart, floor_axis, percent, round_ticks

COLUMNS = {"accuracy": "accuracy", "loss": "loss", "box_loss": "loss of the boxes"}
MAX_STEPS = 400
"""Epochs of a drawn line; of a longer training every so many."""


def draw_training(histories: Sequence[pd.DataFrame]) -> list[Markup]:
    """Draw accuracy, loss and, if there are boxes, their loss by epoch, with a line where a phase begins."""
    own = histories[0]
    if own.empty:
        return []
    return [_draw_training(histories, name, title) for name, title in COLUMNS.items() if name in own]


def draw_reliability(table: pd.DataFrame, split: str = "test") -> Markup | None:
    """Draw how often the model is right by how sure it is, with intervals; on the dashed line it says the truth."""
    bins = table[(table["split"] == split) & (table["images"] > 0)] if len(table) else table
    if bins.empty:
        return None
    chart = Chart(_share_axis("how sure the model is"), _share_axis("how often it is right"), 230, 230)
    chart.line([0, 1], [0, 1], "soft", "dashed")
    sure, right = bins["confidence"].tolist(), bins["accuracy"].tolist()
    chart.bars(sure, bins["low"].tolist(), bins["high"].tolist(), "validation")
    largest = max(bins["images"])
    for x, y, images in zip(sure, right, bins["images"], strict=True):
        chart.dots([x], [y], "validation", 2.5 + 4 * float(np.sqrt(images / largest)))
    return chart.draw(f"reliability: how often the model is right by how sure it is, in {len(bins)} bins")


def draw_coverage(table: pd.DataFrame, threshold: float | None, split: str = "test") -> Markup | None:
    """Draw how often the model is right by how many images it answers, with a band and the kept threshold."""
    curve = table[table["split"] == split].dropna(subset=["accuracy"]) if len(table) else table
    if curve.empty:
        return None
    curve = curve.sort_values("coverage", kind="stable")
    floor = floor_axis(curve["low"].to_numpy(float))
    right = Axis(floor, 1, "how often it is right", round_ticks(floor, 1), percent)
    chart = Chart(_share_axis("images that it answers"), right, 300, 230)
    columns = {name: curve[name].tolist() for name in ("coverage", "accuracy", "low", "high")}
    chart.band(columns["coverage"], columns["low"], columns["high"], "validation")
    chart.line(columns["coverage"], columns["accuracy"], "validation")
    if threshold:
        nearest = int(np.argmin(np.abs(curve["threshold"].to_numpy(float) - threshold)))
        chart.rule(columns["coverage"][nearest], f"sure by {threshold:.2f}")
    return chart.draw("how often the model is right by the share of the images that it answers")


def draw_more_images(table: pd.DataFrame, learned: Facts) -> Markup | None:
    """Draw the accuracy of each training by how many images it had, and the curve through them, with its band.

    Args:
        table: images, accuracy, a row a training.
        learned: `curve` among its keys, see `podium.evaluation.learning_curve.extrapolate`: what lies beyond the
            images that there are is drawn dashed. Without it the dots stand alone.
    """
    if table.empty:
        return None
    images, accuracies = table["images"].astype(float).tolist(), table["accuracy"].astype(float).tolist()
    curve: list[dict[str, float]] = learned.get("curve") or []
    ends = sorted({*images, *(point["images"] for point in curve[-1:])})
    unit, most = learned.get("unit", "validation accuracy"), max(images)
    floor = floor_axis([*accuracies, *(point["low"] for point in curve)])
    across = Axis(ends[0], ends[-1], "training images", _spread_ticks(ends), "{:,.0f}".format, logarithmic=True)
    chart = Chart(across, Axis(floor, 1, unit, round_ticks(floor, 1), percent), 340, 200)
    inside = [point for point in curve if point["images"] <= most]
    beyond = [*inside[-1:], *(point for point in curve if point["images"] > most)]
    for part, kind, more in ((inside, "validation", ""), (beyond, "test", "dashed")):
        if len(part) > 1:
            where, value, low, high = ([point[name] for point in part] for name in ("images", "value", "low", "high"))
            chart.band(where, low, high, kind)
            chart.line(where, value, kind, more)
    chart.dots(images, accuracies, "validation", 2)
    return chart.draw(f"{unit} by the number of training images")


def _draw_training(histories: Sequence[pd.DataFrame], name: str, title: str) -> Markup:
    own = _thinned(histories[0])
    drawn = [_thinned(history) for history in histories]
    both = np.concatenate([history[[name, f"validation_{name}"]].to_numpy(float).ravel() for history in drawn])
    both = both[np.isfinite(both)]
    low, high = (0.0, 1.0) if not len(both) else (float(both.min()), float(both.max()))
    if name == "accuracy":
        low, high = floor_axis([low]), 1.0
    else:
        low, high = 0.0, max(float(np.quantile(both, 0.98)) if len(both) else 1.0, 1e-9)
    steps = own["step"].tolist()
    last = max(int(history["step"].iloc[-1]) for history in drawn)
    whole = [tick for tick in round_ticks(1, last) if tick == int(tick)]
    write = percent if name == "accuracy" else "{:g}".format
    chart = Chart(Axis(1, last, "epoch", [1, *whole]), Axis(low, high, title, round_ticks(low, high), write))
    starts = own.loc[own["phase"] != own["phase"].shift(), ["step", "phase"]]
    for step, phase in starts.itertuples(index=False, name=None) if len(starts) > 1 else ():
        chart.rule(step, str(phase))
    for history in drawn[1:]:
        chart.line(history["step"].tolist(), history[name].tolist(), "train", "faint")
        chart.line(history["step"].tolist(), history[f"validation_{name}"].tolist(), "validation", "faint")
    chart.line(steps, own[name].tolist(), "train")
    chart.line(steps, own[f"validation_{name}"].tolist(), "validation")
    if len(steps) == 1:
        chart.dots(steps, own[name].tolist(), "train")
        chart.dots(steps, own[f"validation_{name}"].tolist(), "validation")
    return chart.draw(f"{title} of training and validation by epoch")


def _thinned(history: pd.DataFrame) -> pd.DataFrame:
    """Take every so many epochs of a long training, and its last."""
    step = -(-len(history) // MAX_STEPS)
    return history if step <= 1 else history.iloc[[*range(0, len(history) - 1, step), len(history) - 1]]


def _share_axis(title: str) -> Axis:
    return Axis(0, 1, title, [0, 0.25, 0.5, 0.75, 1], percent)


def _spread_ticks(ends: Sequence[float]) -> list[float]:
    """Take the numbers that stand apart on a logarithmic axis, the greatest always."""
    taken: list[float] = []
    for number in sorted(set(ends), reverse=True):
        if not taken or taken[-1] / number > (max(ends) / min(ends)) ** 0.15:
            taken.append(number)
    return taken[::-1]
