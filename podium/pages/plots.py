"""Plots for people, as PNG. The same data gives the same bytes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

INK, TRAIN, VALIDATION, WRONG = "#22303c", "#8a9ba8", "#0b6e99", "#c8442d"
TRUE_BOX, PREDICTED_BOX = "#35d07f", "#ffb000"


def draw_learning_curves(histories: Sequence[pd.DataFrame], title: str, path: Path) -> None:
    """Draw loss, accuracy and, if there are boxes, their loss by epoch, with a line where a phase begins.

    Training stands beside validation. Further histories, of the same training with other seeds, are drawn faintly.
    """
    history = histories[0]
    names = [name for name in ("loss", "accuracy", "box_loss") if name in history]
    figure = Figure(figsize=(4.5 * len(names), 3.6), layout="constrained")
    figure.suptitle(title, color=INK)
    for axes, name in zip(figure.subplots(1, len(names)), names, strict=True):
        for column, colour, label in ((name, TRAIN, "training"), (f"validation_{name}", VALIDATION, "validation")):
            axes.plot(history["step"], history[column], color=colour, marker=".", label=label)
            for number, other in enumerate(histories[1:]):
                named = "other seeds" if not number and column != name else None
                axes.plot(other["step"], other[column], color=colour, linewidth=0.8, alpha=0.5, label=named)
        starts = history.index[history["phase"] != history["phase"].shift()]
        if len(starts) > 1:
            for start in starts:
                step = history["step"][start]
                axes.axvline(step, color=TRAIN, linewidth=0.8, linestyle=":")
                axes.annotate(history["phase"][start], (step, 1), xycoords=("data", "axes fraction"), fontsize=8)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name.replace("_", " "))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _plain(axes)
    axes.legend(frameon=False)
    _save(figure, path)


def draw_confusion_matrix(counts: pd.DataFrame, shares: pd.DataFrame, title: str, path: Path) -> None:
    """Draw a confusion matrix: colour is the share of the actual class, the numbers are counts."""
    size = max(4.5, 1.8 + 0.36 * len(counts))
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    numbers, parts = counts.to_numpy(), shares.to_numpy()
    for row, column in np.argwhere(numbers > 0):
        dark = parts[row, column] > 0.5
        right = row == column
        axes.text(
            *(column, row, str(numbers[row, column])),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else INK if right else WRONG,
        )
    ticks = range(len(counts))
    longest = max(len(name) for name in counts.columns)
    axes.set_xticks(ticks, counts.columns, rotation=90 if longest > 3 else 0, parse_math=False)
    axes.set_yticks(ticks, counts.index, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.set_title(title, color=INK)
    axes.tick_params(length=0)
    _save(figure, path)


def draw_gallery(
    images: NDArray[np.uint8],
    predictions: pd.DataFrame,
    title: str,
    path: Path,
    boxes: NDArray[np.float32] | None = None,
) -> None:
    """Draw images with their predicted class, and in red the actual class where the prediction is wrong.

    Args:
        images: (n, height, width, channels) uint8.
        predictions: n rows with actual, predicted and confidence; with boxes also left, top, width and height.
        title: stands above.
        path: the PNG to write.
        boxes: (n, 4) the true left, top, width, height in pixels, to be drawn in green; the predicted in amber.
    """
    columns = 6
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(1.5 * columns, 1.9 * rows + 0.4), layout="constrained")
    figure.suptitle(title if boxes is None else f"{title}\ngreen: the true box, amber: the predicted one", color=INK)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    for place, (axes, image, (_, row)) in enumerate(zip(grid, images, predictions.iterrows(), strict=False)):
        axes.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
        if boxes is not None:
            _draw_box(axes, boxes[place], TRUE_BOX)
            _draw_box(axes, row[["left", "top", "width", "height"]], PREDICTED_BOX)
        right = row["actual"] == row["predicted"]
        text = f"{row['predicted']}  {row['confidence']:.0%}" + ("" if right else f"\nis {row['actual']}")
        axes.set_title(text, fontsize=9, color=INK if right else WRONG, parse_math=False)
    _save(figure, path)


def choose_for_gallery(predictions: pd.DataFrame, count: int = 12) -> list[int]:
    """Choose rows for the gallery: the most confident errors, at most half, then the least confident hits."""
    wrong = predictions["actual"] != predictions["predicted"]
    mistakes = predictions[wrong].sort_values("confidence", ascending=False, kind="stable").index[: count // 2]
    hits = predictions[~wrong].sort_values("confidence", kind="stable").index[: count - len(mistakes)]
    return [*mistakes, *hits]


def _draw_box(axes: Axes, box: Sequence[float] | NDArray[np.float32] | pd.Series, colour: str) -> None:
    left, top, width, height = map(float, box)
    # Matplotlib counts from the middle of the first pixel, a box from its outer edge.
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=colour, linewidth=1))


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e9ed", linewidth=0.8)
    axes.set_axisbelow(True)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=120, metadata={"Software": None})
