"""A confusion matrix as SVG: inline in a page, where it follows the page's colours, or as a file of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from podium.pages.html import clip, printable, shortened

MAX_NAME = 18
"""Characters of a class's name beside a matrix."""
MAX_WITH_SHARES = 6
"""Classes of a matrix whose cells have room for the share of the row below the count."""
MAX_TOLD = 80
"""Characters of a class's name where one points at a cell."""
LEVELS = 8
"""Shades of an overview."""

Ints = NDArray[np.int64]
Shares = NDArray[np.float64]

_STYLE = """
svg { --paper: #fff; --ink: #1d2932; --soft: #55646f; --right: #0b6e99; --wrong: #c2570c; --line: #dde3e8;
font-family: system-ui, sans-serif; background: var(--paper) }"""
SVG_STYLE = Markup("""
.matrix { font-variant-numeric: tabular-nums; } .matrix text { fill: var(--ink); font-size: 11px; }
.matrix .cell text { text-anchor: middle; } .matrix .name { font-size: 12px; }
.matrix .soft, .matrix .title { fill: var(--soft); } .matrix .title { font-size: 11px; }
.matrix .right { fill: var(--right); } .matrix .wrong { fill: var(--wrong); }
.matrix text.on { fill: var(--paper); } .matrix .block { fill: none; stroke: var(--soft); stroke-width: 1.2; }
.matrix .cells { fill: none; stroke: var(--line); stroke-width: .6; }""")
"""What a page's style needs for an inline matrix, beside the colours `right` and `wrong`."""


@dataclass(frozen=True)
class Matrix:
    """Some classes of a confusion matrix, in the order in which they are shown.

    Attributes:
        names: (k,) of the classes.
        counts: (k, k) how often each class (rows) was predicted as each (columns).
        totals: (k,) images of each class, those included that were predicted as a class that is not shown.
        blocks: how many classes each block has, in order; they sum to k.
    """

    names: tuple[str, ...]
    counts: Ints
    totals: Ints
    blocks: tuple[int, ...]

    @property
    def shares(self) -> Shares:
        """(k, k) the counts as shares of each true class, 0 for a class without images."""
        shares: Shares = self.counts / np.maximum(self.totals, 1)[:, None]
        return shares

    @property
    def frames(self) -> list[tuple[int, int]]:
        """The first class and the number of classes of each block of several, but not of one that is the whole."""
        starts = np.cumsum([0, *self.blocks[:-1]]).tolist()
        pairs = zip(starts, self.blocks, strict=True)
        return [(start, size) for start, size in pairs if 1 < size < len(self.names)]


def tint(shares: Shares) -> Shares:
    """Give the opacity of cells by their share of the row: a few in a hundred can be seen, too; 0 for none."""
    opacity: Shares = np.where(shares > 0, 0.1 + 0.9 * np.sqrt(shares), 0)
    return opacity


def draw_matrix(matrix: Matrix) -> Markup:
    """Draw the matrix for a page: counts in the cells, shares as shades and, for who points at them, in words."""
    width, height, body = _draw_matrix(matrix)
    label = f"confusion matrix of {len(matrix.names)} classes: rows are true, columns predicted"
    return Markup(  # noqa: S704  every text in it is escaped
        f'<svg class="matrix" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{label}">{body}</svg>'
    )


def draw_overview(shades: Shares, framed: float) -> Markup:
    """Draw a large matrix small: a square of 240 pixels.

    Args:
        shades: (m, m) from 0 to 1.
        framed: the share of its width, from the left top corner, that is enlarged elsewhere.
    """
    return Markup(  # noqa: S704  it holds numbers alone
        '<svg class="matrix" width="244" height="244" viewBox="-2 -2 244 244" role="img" '
        f'aria-label="the whole confusion matrix, small">{_draw_overview(shades, framed)}</svg>'
    )


def write_svg(matrix: Matrix, overview: tuple[Shares, float] | None, title: str) -> str:
    """Give an SVG file: the matrix, and beside it the overview (see `draw_overview`), if there is one."""
    width, height, body = _draw_matrix(matrix)
    left = width + 30
    small = f'<g transform="translate({left} 60)">{_draw_overview(*overview)}</g>' if overview else ""
    width, height = (left + 270, max(height, 320)) if overview else (width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="matrix" width="{width}" height="{height + 30}" '
        f'viewBox="0 -30 {width} {height + 30}"><style>{_STYLE}{SVG_STYLE}</style>'
        f'<rect y="-30" width="{width}" height="{height + 30}" fill="#fff"/>'
        f'<text class="name" x="8" y="-10">{_text(title, 120)}</text>{body}{small}</svg>\n'
    )


def clip_name(name: str) -> str:
    """Give a class's name as it stands beside a matrix."""
    return clip(name, MAX_NAME)


def _draw_matrix(matrix: Matrix) -> tuple[int, int, str]:
    """Give width and height in pixels, and the SVG's content."""
    count = len(matrix.names)
    large = count <= MAX_WITH_SHARES
    side = 52 if large else 34 if count <= 12 else 26
    names = [clip_name(name) for name in matrix.names]
    longest = max(map(len, names))
    upright = longest <= 3
    room = 14 + round(7.2 * longest)
    left, top = room + 20, (24 if upright else room) + 20
    right, bottom = left + side * count, top + side * count
    shares, numbers = matrix.shares, matrix.counts.tolist()
    opacity = tint(shares)
    parts = [f'<text class="title" x="{left}" y="12">predicted →</text>']
    parts.append(f'<text class="title" transform="translate(12 {top}) rotate(-90)" text-anchor="end">← true</text>')
    parts.append(f'<text class="title" x="{right + 8}" y="{top - 8}">right</text>')
    for place, name in enumerate(names):
        middle = place * side + side / 2
        whole = f"<title>{_text(matrix.names[place])}</title>"
        parts.append(
            f'<text class="name" x="{left - 6}" y="{top + middle + 4:g}" text-anchor="end">{_text(name)}{whole}</text>'
        )
        turned = "" if upright else " rotate(-90)"
        anchor = "middle" if upright else "start"
        spot = f"translate({left + middle + (0 if upright else 4):g} {top - 6}){turned}"
        parts.append(f'<text class="name" transform="{spot}" text-anchor="{anchor}">{_text(name)}{whole}</text>')
        total = int(matrix.totals[place])
        told = f"{shares[place, place]:.0%} of {total:,}" if total else "no image"
        parts.append(f'<text class="soft" x="{right + 8}" y="{top + middle + 4:g}">{told}</text>')
    for row, column in np.argwhere(matrix.counts > 0).tolist():
        kind, shade = "right" if row == column else "wrong", opacity[row, column]
        on = ' class="on"' if shade > 0.6 else ""
        x, y = left + column * side, top + row * side
        centre, base = f"{x + side / 2:g}", y + side / 2
        share = f'<text{on} x="{centre}" y="{base + 15:g}">{shares[row, column]:.0%}</text>' if large else ""
        true, guess = (shortened(matrix.names[place], MAX_TOLD) for place in (row, column))
        taken = f"{true} taken for {guess}" if row != column else true
        told = f"{taken}: {numbers[row][column]:,} of {matrix.totals[row]:,} ({shares[row, column]:.1%})"
        parts.append(
            f'<g class="cell"><title>{_text(told, 500)}</title>'
            f'<rect class="{kind}" x="{x}" y="{y}" width="{side}" height="{side}" fill-opacity="{shade:.2f}"/>'
            f'<text{on} x="{centre}" y="{base + (-1 if large else 4):g}">{_short(numbers[row][column])}</text>'
            f"{share}</g>"
        )
    lines = "".join(
        f"M{left + step * side} {top}V{bottom}M{left} {top + step * side}H{right}" for step in range(count + 1)
    )
    parts.append(f'<path class="cells" d="{lines}"/>')
    for start, size in matrix.frames:
        parts.append(
            f'<rect class="block" x="{left + start * side}" y="{top + start * side}" '
            f'width="{size * side}" height="{size * side}"/>'
        )
    return right + 96, bottom + 10, "".join(parts)


def _draw_overview(shades: Shares, framed: float) -> str:
    side = 240 / len(shades)
    levels = np.ceil(shades * LEVELS).astype(int)
    parts = ['<rect class="cells" width="240" height="240"/>']
    for level in range(1, LEVELS + 1):
        places = np.argwhere(levels == level).tolist()
        if places:
            path = "".join(f"M{x * side:.1f} {y * side:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z" for y, x in places)
            parts.append(f'<path class="wrong" fill-opacity="{level / LEVELS:.2f}" d="{path}"/>')
    parts.append(f'<rect class="block" width="{framed * 240:.1f}" height="{framed * 240:.1f}"/>')
    return "".join(parts)


def _short(count: int) -> str:
    """Give a count in at most four characters."""
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k" if count < 10**6 else f"{count / 10**6:.0f}M"


def _text(text: str, longest: int = 200) -> str:
    return str(escape(printable(text, longest)))


def arrange(blocks: Sequence[Ints], largest: int) -> tuple[Ints, tuple[int, ...]]:
    """Take the first blocks that have no more than so many things together, at least the first one.

    Returns:
        Their things, and the size of each block.
    """
    taken: list[Ints] = []
    for block in blocks:
        if taken and sum(map(len, taken)) + len(block) > largest:
            break
        taken.append(block)
    return np.concatenate(taken), tuple(map(len, taken))
