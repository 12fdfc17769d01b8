"""A confusion matrix in matplotlib, for images. It looks as in `matrix`."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from podium.pages.lettering import write_all
from podium.pages.matrix import MAX_WITH_SHARES, Matrix, Shares, clip_name, tint

INK, SOFT, LINE, RIGHT, WRONG = "#1d2932", "#55646f", "#dde3e8", "#0b6e99", "#c2570c"
SMALLEST = 4.0
"""Points of a number that can be read."""


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
    axes.imshow(_blend(tint(matrix.shares)), interpolation="nearest", aspect="equal")
    if size >= SMALLEST:
        _write_counts(axes, matrix, size)
    names = [clip_name(name) for name in matrix.names]
    upright = max(map(len, names)) <= 3
    label = min(size + 1, side * 0.8, 10)
    near = 4 / side  # four points, in cells
    style: dict[str, Any] = {"fontsize": label, "parse_math": False}  # as text: ticks would take half a second
    for place, name in enumerate(names):
        axes.text(-0.5 - near, place, name, ha="right", va="center_baseline", color=INK, **style)
        turn: dict[str, Any] = {"rotation": 0 if upright else 90, "rotation_mode": "anchor"}
        ways: dict[str, Any] = {"ha": "center", "va": "bottom"} if upright else {"ha": "left", "va": "center_baseline"}
        axes.text(place, -0.5 - near, name, color=INK, **ways, **turn, **style)
    if totals:
        right = zip(np.diag(matrix.shares).tolist(), matrix.totals.tolist(), strict=True)
        told = [f"{share:.0%} of {total:,}" if total else "no image" for share, total in right]
        spots = np.column_stack([np.full(count, count - 0.5 + 1.5 * near), np.arange(count)])
        write_all(axes, spots, told, label, [SOFT] * count, 0)
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


def _write_counts(axes: Axes, matrix: Matrix, size: float) -> None:
    """Write the counts into their cells, where there is room with the shares below."""
    shares, large = matrix.shares, len(matrix.names) <= MAX_WITH_SHARES
    cells = np.argwhere(matrix.counts > 0)
    colours = np.where(tint(shares)[cells[:, 0], cells[:, 1]] > 0.6, "white", INK).tolist()
    places = cells[:, ::-1].astype(float)
    lines = [([f"{count}" for count in matrix.counts[cells[:, 0], cells[:, 1]]], -0.13 if large else 0.0)]
    if large:
        lines.append(([f"{share:.0%}" for share in shares[cells[:, 0], cells[:, 1]]], 0.17))
    for texts, down in lines:
        write_all(axes, places + np.array([0, down]), texts, size, colours, 0.5)


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
