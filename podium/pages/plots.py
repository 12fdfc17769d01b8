"""Plots for people, as PNG. The same data gives the same bytes."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from podium.pages.html import clip

INK, TRAIN, VALIDATION, WRONG = "#22303c", "#8a9ba8", "#0b6e99", "#c8442d"
TRUE_BOX, PREDICTED_BOX = "#35d07f", "#ffb000"


DPI = 120


def draw_learning_curves(histories: Sequence[pd.DataFrame], title: str, path: Path) -> None:
    """Draw loss, accuracy and, if there are boxes, their loss by epoch, with a line where a phase begins.

    Training stands beside validation. Further histories, of the same training with other seeds, are drawn faintly.
    """
    history = histories[0]
    names = [name for name in ("loss", "accuracy", "box_loss") if name in history]
    width, height = 4.5 * len(names), 3.6
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.suptitle(title, color=INK, fontsize=12, y=1 - 0.1 / height, va="top", parse_math=False)
    grid = {"left": 0.75 / width, "right": 1 - 0.15 / width, "bottom": 0.55 / height, "top": 1 - 0.55 / height}
    for axes, name in zip(figure.subplots(1, len(names), gridspec_kw={**grid, "wspace": 0.22}), names, strict=True):
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
    save_png(figure, path)


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
    columns, side, step, down = 6, 150, 180, 218
    rows = -(-len(images) // columns)
    above = 40 if boxes is None else 64
    figure, canvas = open_canvas(columns * step + 30, rows * down + above)
    words = title if boxes is None else f"{title}\ngreen: the true box, amber, dashed: the predicted one"
    canvas.text(15 + columns * step / 2, 8, words, ha="center", va="top", fontsize=12, color=INK, parse_math=False)
    for place, (image, (_, row)) in enumerate(zip(images, predictions.iterrows(), strict=False)):
        left, top = 30 + place % columns * step, above + 44 + place // columns * down
        both = () if boxes is None else (boxes[place], row[["left", "top", "width", "height"]])
        put_image(canvas, image, (left, top, side), *both)
        right = row["actual"] == row["predicted"]
        named = f"{clip(row['predicted'], 15)}  {row['confidence']:.0%}"
        text = named if right else f"{named}\nis {clip(row['actual'], 18)}"
        colour = INK if right else WRONG
        x = left + side / 2
        canvas.text(x, top - 6, text, ha="center", va="bottom", fontsize=9, color=colour, parse_math=False)
    save_png(figure, path)


def open_canvas(width: int, height: int) -> tuple[Figure, Axes]:
    """Give a figure of some pixels, and axes that are all of it, in pixels from its left top corner."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.axis("off")
    canvas.set(xlim=(0, width), ylim=(height, 0))
    return figure, canvas


def put_image(
    canvas: Axes,
    image: NDArray[np.uint8],
    square: tuple[float, float, float],
    true: Sequence[float] | NDArray[np.float32] | None = None,
    predicted: Sequence[float] | NDArray[np.float32] | pd.Series | None = None,
) -> None:
    """Draw an image with its boxes, if they are known, as large as it can be in a square.

    Args:
        canvas: see `open_canvas`.
        image: (height, width, 1 or 3) uint8.
        square: left, top and side in pixels of the canvas.
        true: left, top, width and height in pixels of the image, to be drawn in green.
        predicted: likewise, in amber and dashed.
    """
    left, top, side = square
    height, width = image.shape[:2]
    scale = side / max(height, width)
    left, top = left + (side - width * scale) / 2, top + (side - height * scale) / 2
    pixels = image.squeeze(axis=2) if image.shape[2] == 1 else image
    extent = (left, left + width * scale, top + height * scale, top)
    canvas.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    inside = Rectangle((left, top), width * scale, height * scale, transform=canvas.transData)
    for box, colour, line in ((true, TRUE_BOX, "-"), (predicted, PREDICTED_BOX, (0, (3, 1)))):
        if box is not None and np.isfinite(np.asarray(box, np.float64)).all():
            x, y, across, down = (float(value) * scale for value in box)
            place = (left + x, top + y)
            style: dict[str, Any] = {"edgecolor": colour, "linestyle": line, "linewidth": 1.2, "snap": True}
            canvas.add_patch(Rectangle(place, across, down, fill=False, **style)).set_clip_path(inside)
    canvas.set(xlim=canvas.figure.bbox.intervalx, ylim=canvas.figure.bbox.intervaly[::-1])


def choose_for_gallery(predictions: pd.DataFrame, count: int = 12) -> list[int]:
    """Choose rows for the gallery: the most confident errors, at most half, then the least confident hits."""
    wrong = predictions["actual"] != predictions["predicted"]
    mistakes = predictions[wrong].sort_values("confidence", ascending=False, kind="stable").index[: count // 2]
    hits = predictions[~wrong].sort_values("confidence", kind="stable").index[: count - len(mistakes)]
    return [*mistakes, *hits]


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e4e9ed", linewidth=0.8)
    axes.set_axisbelow(True)


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure in its own resolution; letters that the font lacks are boxes, and no warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(
            path, format="png", dpi=figure.dpi, metadata={"Software": None}, pil_kwargs={"compress_level": 4}
        )
