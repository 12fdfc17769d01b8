"""One image of a run, to paste into a chat: headline, learning curves, confusion matrix, reliability, errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from podium.evaluation.card.numbers import decimal, interval, percent, promise
from podium.evaluation.card.reading import Card
from podium.evaluation.card.sections import arrange_matrix
from podium.pages.charts import floor_axis
from podium.pages.html import clip
from podium.pages.matrix import clip_name
from podium.pages.matrix_plot import INK, LINE, RIGHT, SOFT, WRONG, plot_matrix
from podium.pages.plots import TRAIN, VALIDATION, put_image, save_png

WIDTH, HEIGHT = 1600, 1000
"""Pixels."""
MAX_ERRORS = 8
_DPI = 100
_ROOM = 450.0
"""Pixels of the confusion matrix's height, with its names."""


def draw_results(card: Card, path: Path) -> None:
    """Write the image as PNG; the same card gives the same bytes."""
    figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI)
    _draw_headline(figure, card)
    _draw_curves(figure, card.histories)
    _draw_matrix(figure, card)
    _draw_reliability(figure, card.report.tables["reliability"])
    _draw_errors(figure, card)
    save_png(figure, path)


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Give axes at a place in pixels from the left top."""
    return figure.add_axes((left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT))


def _write(figure: Figure, left: float, top: float, text: str, size: float, **style: Any) -> None:
    """Write a line of text whose base is `top` pixels below the image's top; sizes are points."""
    keys: dict[str, Any] = {"color": INK, "fontsize": size, "parse_math": False} | style
    figure.text(left / WIDTH, 1 - top / HEIGHT, text, **keys)


def _draw_headline(figure: Figure, card: Card) -> None:
    test = card.report.facts["metrics"]["test"]
    accuracy, iou = test["accuracy"], test.get("mean_iou")
    figure.add_artist(Rectangle((0, 1 - 132 / HEIGHT), 1, 132 / HEIGHT, color="#f5f7f9", transform=figure.transFigure))
    figure.add_artist(Rectangle((0, 1 - 132 / HEIGHT), 10 / WIDTH, 132 / HEIGHT, color=RIGHT))
    _write(figure, 48, 82, percent(accuracy["value"]), 42, weight="bold", color=RIGHT)
    ends = f"{percent(accuracy['low'])} to {percent(accuracy['high'])}" if interval(accuracy) else "no interval"
    _write(figure, 48, 114, f"of test images named right, {ends}", 11.5, color=SOFT)
    left = 420.0
    if iou:
        _write(figure, left, 82, decimal(iou["value"]), 42, weight="bold", color=RIGHT)
        _write(figure, left, 114, f"mean IoU of the boxes, {interval(iou)}", 11.5, color=SOFT)
        left += 330
    images = card.report.facts["splits"]["test"]["images"]
    count = len(card.predictions.classes)
    _write(figure, left, 56, f"{clip(card.name, 40)}", 19, weight="bold")
    _write(figure, left, 86, promise(accuracy), 13.5)
    words = (
        f"dataset {clip(card.dataset, 40)}, {images:,} test images, {count:,} {'class' if count == 1 else 'classes'}"
    )
    _write(figure, left, 114, words, 11.5, color=SOFT)


def _draw_curves(figure: Figure, histories: Sequence[pd.DataFrame]) -> None:
    _write(figure, 48, 178, "Training", 13, weight="bold")
    for top, name in ((200, "accuracy"), (425, "loss")):
        axes = _axes(figure, 95, top, 350, 185)
        _plain(axes)
        for place, history in enumerate(histories):
            style: dict[str, Any] = {"linewidth": 1.8} if not place else {"linewidth": 0.8, "alpha": 0.5}
            axes.plot(history["step"], history[name], color=TRAIN, label=None if place else "training", **style)
            column = history[f"validation_{name}"]
            axes.plot(history["step"], column, color=VALIDATION, label=None if place else "validation", **style)
        own = histories[0]
        if name == "accuracy":
            axes.set_ylim(floor_axis(own[["accuracy", "validation_accuracy"]].to_numpy(float)), 1)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            axes.legend(frameon=False, loc="lower right", fontsize=10)
            axes.tick_params(labelbottom=False)
        else:
            both = own[[name, f"validation_{name}"]].to_numpy(float).ravel()
            both = both[np.isfinite(both)]
            axes.set_ylim(0, max(float(np.quantile(both, 0.98)) * 1.05, 1e-6) if len(both) else 1)
            axes.set_xlabel("epoch", fontsize=10, color=SOFT)
        axes.set_ylabel(name, fontsize=10, color=SOFT)
        axes.set_xlim(0 if len(own) == 1 else 1, max(len(own), 2))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))


def _draw_matrix(figure: Figure, card: Card) -> None:
    matrix, overview = arrange_matrix(card.confusions)
    longest, count = max(len(clip_name(name)) for name in matrix.names), len(matrix.names)
    side = _ROOM
    for _ in range(3):  # the larger the cells, the larger the names beside them
        points = min(10.0, side / count * 72 / _DPI * 0.8)
        side = _ROOM - 12 - points * _DPI / 72 * 0.62 * longest
    label = f"Confusions: the most confused {len(matrix.names)} of {len(card.predictions.classes):,} classes"
    _write(figure, 510, 178, label if overview else "Confusions: rows true, columns predicted", 13, weight="bold")
    axes = _axes(figure, 1080 - side, 650 - side, side, side)
    plot_matrix(axes, matrix, size=13 if count <= 12 else 9, totals=False)


def _draw_reliability(figure: Figure, table: pd.DataFrame) -> None:
    axes = _axes(figure, 1200, 200, 340, 410)
    _write(figure, 1150, 178, "How often it is right, by how sure it is", 13, weight="bold")
    _plain(axes)
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1)
    bins = table[(table["split"] == "test") & (table["images"] > 0)] if len(table) else table
    if len(bins):
        axes.vlines(bins["confidence"], bins["low"], bins["high"], color=VALIDATION, linewidth=1.6, clip_on=False)
        sizes = 16 + 110 * bins["images"] / bins["images"].max()
        axes.scatter(bins["confidence"], bins["accuracy"], s=sizes, color=VALIDATION, zorder=3, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("how sure the model is", fontsize=10, color=SOFT)


def _draw_errors(figure: Figure, card: Card) -> None:
    """Draw the most confident errors; where there are few, the least confident hits stand beside them."""
    failures, predictions, test = card.report.failures, card.predictions, card.splits["test"]
    errors = failures.get("errors", [])[:MAX_ERRORS]
    hits = failures.get("hits", [])[: MAX_ERRORS - len(errors)]
    title = ", then the ".join(words for words, some in (("surest errors", errors), ("least sure hits", hits)) if some)
    boxes = "; green: true box, dashed amber: predicted box" if predictions.boxes is not None else ""
    _write(figure, 48, 738, title[:1].upper() + title[1:] + boxes, 13, weight="bold")
    canvas = _axes(figure, 0, 0, WIDTH, HEIGHT)
    canvas.axis("off")
    canvas.set_zorder(-1)
    for place, item in enumerate([*errors, *hits]):
        left, row, wrong = 48 + place * 190, int(item["row"]), item["predicted"] != item["actual"]
        both = [None if some is None else some[row] for some in (predictions.boxes, predictions.predicted_boxes)]
        put_image(canvas, np.asarray(test.images[row]), (left, 756, 164), *both)
        _write(figure, left, 940, clip(item["predicted"], 18), 10.5, color=WRONG if wrong else RIGHT, weight="bold")
        _write(figure, left, 961, f"is {clip(item['actual'], 18)}" if wrong else "right", 10.5)
        _write(figure, left, 981, f"{item['confidence']:.0%} sure", 9.5, color=SOFT)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(labelsize=10, colors=SOFT, length=3)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
