"""Images of the confusion matrix, PNG for people and SVG to enlarge; and of errors."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from podium.evaluation.card.reading import Card
from podium.evaluation.card.sections import arrange_matrix
from podium.evaluation.confusions import Confusions
from podium.pages.matrix import MAX_WITH_SHARES, clip_name, write_svg
from podium.pages.matrix_plot import INK, SOFT, plot_matrix, plot_overview
from podium.pages.plots import choose_for_gallery, draw_gallery, save_png

CELL_INCHES, WIDE_CELL_INCHES = 0.3, 0.55
DPI = 120


def draw_confusions(confusions: Confusions, title: str, folder: Path) -> None:
    """Write `confusion_matrix.png` and `.svg`: the classes grouped by what they are taken for.

    Of more than forty classes they show the most confused blocks, and beside them the whole, small.
    """
    matrix, overview = arrange_matrix(confusions)
    (folder / "confusion_matrix.svg").write_text(write_svg(matrix, overview, title), encoding="utf-8", newline="\n")
    count = len(matrix.names)
    side = max((WIDE_CELL_INCHES if count <= MAX_WITH_SHARES else CELL_INCHES) * count, 1.8)
    longest = max(len(clip_name(name)) for name in matrix.names)
    room = 0.3 + 0.085 * longest
    width, height = room + 0.4 + side + 1.2 + (2.6 if overview else 0), 0.75 + room + side + 0.2
    width = max(width, 4.2)
    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = figure.add_axes((((room + 0.4) / width), 0.2 / height, side / width, side / height))
    plot_matrix(axes, matrix)
    figure.text(0.15 / width, 1 - 0.3 / height, title, color=INK, fontsize=11, parse_math=False)
    top = 1 - 0.62 / height
    figure.text((room + 0.4) / width, top, "predicted →", color=SOFT, fontsize=9)
    figure.text(0.12 / width, (0.2 + side) / height, "← true", color=SOFT, fontsize=9, rotation=90, va="top")
    if overview:
        left = (room + 0.4 + side + 1.3) / width
        small = figure.add_axes((left, (0.2 + side - 2.2) / height, 2.2 / width, 2.2 / height))
        plot_overview(small, *overview)
        words = f"all {len(confusions.classes):,} classes:\nthe frame is shown enlarged"
        figure.text(left, (0.2 + side + 0.1) / height, words, color=SOFT, fontsize=9)
    save_png(figure, folder / "confusion_matrix.png")


def draw_errors(card: Card, path: Path) -> None:
    """Write the gallery: the most confident errors and the least confident hits of the test images."""
    test, split = card.predictions, card.splits["test"]
    names = np.array(test.classes, dtype=object)
    table = pd.DataFrame(
        {"actual": names[test.labels], "predicted": names[test.predicted], "confidence": test.confidence}
    )
    if test.predicted_boxes is not None:
        table[["left", "top", "width", "height"]] = test.predicted_boxes
    chosen = choose_for_gallery(table)
    title = f"{card.name}: most confident errors and least confident hits on test images"
    boxes = None if test.boxes is None else test.boxes[chosen]
    draw_gallery(split.images[chosen], table.loc[chosen], title, path, boxes)
