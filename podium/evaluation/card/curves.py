"""The card's charts."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

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


def draw_more_images(table: pd.DataFrame, curve: Sequence[Mapping[str, float]], unit: str) -> Markup | None:
    """Draw the accuracy by how many images are trained on: every training, and the fitted curve with its band.

    Args:
        table: images and accuracy of each training.
        curve: images, value, low, high, as `podium.evaluation.learning_curve.extrapolate` gives them; it goes on to
            twice the images, dashed. Empty where nothing could be fitted.
        unit: what the accuracy is.
    """
    if table.empty:
        return None
    most = float(table["images"].max())
    ends = [*table["images"].astype(float), *(point["images"] for point in curve)]
    floor = floor_axis([*table["accuracy"], *(point["low"] for point in curve)])
    across = Axis(min(ends), max(ends), "training images", _spread_ticks(ends), "{:,.0f}".format, logarithmic=True)
    chart = Chart(across, Axis(floor, 1, unit, round_ticks(floor, 1), percent), 340, 200)
    if curve:
        keys = ("images", "value", "low", "high")
        images, value, low, high = ([float(point[key]) for point in curve] for key in keys)
        chart.band(images, low, high, "validation")
        known = sum(count <= most for count in images)
        chart.line(images[:known], value[:known], "validation")
        chart.line(images[max(known - 1, 0) :], value[max(known - 1, 0) :], "test", "dashed")
        chart.dots(images[-1:], value[-1:], "test")
    chart.dots(table["images"].tolist(), table["accuracy"].tolist(), "validation", 2)
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
