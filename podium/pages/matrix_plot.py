"""A confusion matrix in matplotlib, for images. It looks as in `matrix`."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from podium.pages.matrix import MAX_WITH_SHARES, Matrix, Shares, clip_name, tint

INK, SOFT, LINE, RIGHT, WRONG = "#1d2932", "#55646f", "#dde3e8", "#0b6e99", "#c2570c"


def plot_matrix(axes: Axes, matrix: Matrix, *, size: float = 9, totals: bool = True) -> None:
    """Draw the matrix: shades are shares of the rows, numbers counts.

    Args:
        axes: where; its place is square.
        matrix: what.
        size: points of the numbers in the cells, at most.
        totals: whether the share that is right and the number of images stand beside each row.
    """
    count = len(matrix.names)
    side = axes.get_window_extent().width / axes.figure.dpi * 72 / count
    size = min(size, side * 0.45)
    shares, opacity = matrix.shares, tint(matrix.shares)
    axes.imshow(_blend(opacity), interpolation="nearest", aspect="equal")
    for row, column in np.argwhere(matrix.counts > 0).tolist() if size >= 4 else ():
        colour = "white" if opacity[row, column] > 0.6 else INK
        text = str(matrix.counts[row, column]) + (f"\n{shares[row, column]:.0%}" if count <= MAX_WITH_SHARES else "")
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour, parse_math=False)
    names = [clip_name(name) for name in matrix.names]
    upright = max(map(len, names)) <= 3
    label = min(size + 1, side * 0.8, 10)
    near = 4 / side  # four points, in cells
    style = {"fontsize": label, "parse_math": False}  # as text: ticks would take half a second
    for place, name in enumerate(names):
        axes.text(-0.5 - near, place, name, ha="right", va="center_baseline", color=INK, **style)
        turn = {"rotation": 0 if upright else 90, "rotation_mode": "anchor"}
        ways = {"ha": "center", "va": "bottom"} if upright else {"ha": "left", "va": "center_baseline"}
        axes.text(place, -0.5 - near, name, color=INK, **ways, **turn, **style)
        if totals:
            total = int(matrix.totals[place])
            told = f"{shares[place, place]:.0%} of {total:,}" if total else "no image"
            axes.text(count - 0.5 + 1.5 * near, place, told, va="center_baseline", color=SOFT, **style)
    edges = np.arange(count + 1) - 0.5
    axes.hlines(edges, -0.5, count - 0.5, color=LINE, linewidth=0.5)
    axes.vlines(edges, -0.5, count - 0.5, color=LINE, linewidth=0.5)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))
    axes.axis("off")
    for start, width in matrix.frames:
        corner = (start - 0.5, start - 0.5)
        axes.add_patch(
            Rectangle(corner, width, width, fill=False, edgecolor=SOFT, linewidth=1, zorder=3, clip_on=False)
        )


def plot_overview(axes: Axes, shades: Shares, framed: float) -> None:
    """Draw a large matrix's errors small, with a frame around the share that is enlarged elsewhere."""
    image = np.ones((*shades.shape, 3)) * (1 - shades[..., None]) + shades[..., None] * np.array(to_rgb(WRONG))
    axes.imshow(image, interpolation="nearest", extent=(0, 1, 1, 0))
    axes.add_patch(Rectangle((0, 0), framed, framed, fill=False, edgecolor=SOFT, linewidth=1))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(LINE)


def _blend(opacity: Shares) -> NDArray[np.float64]:
    """Give the cells' colours on white: the diagonal's, and that of errors."""
    diagonal = np.eye(len(opacity), dtype=bool)[..., None]
    colours = np.where(diagonal, to_rgb(RIGHT), to_rgb(WRONG))
    blended: NDArray[np.float64] = 1 + (colours - 1) * opacity[..., None]
    return blended
