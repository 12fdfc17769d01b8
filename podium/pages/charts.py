"""Charts for a page, as inline SVG: they follow the page's colours, in the dark and on paper, and need no script.

Colours are classes that the page's style knows: train, validation, test, wrong, soft.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from podium.pages.html import printable

Numbers = Sequence[float]
TICK_PIXELS = 46
"""Room for the numbers on the left."""


@dataclass(frozen=True)
class Axis:
    """One direction of a chart.

    Attributes:
        low, high: the values at its ends.
        title: what its numbers are.
        ticks: where a number is written.
        write: gives the number's text.
        logarithmic: whether equal factors take equal room.
    """

    low: float
    high: float
    title: str = ""
    ticks: Numbers = ()
    write: Callable[[float], str] = "{:g}".format
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Say where a value is, from 0 at the low end to 1; what lies outside goes to the end."""
        low, high, value = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


@dataclass
class Chart:
    """A chart that is drawn mark by mark, the later over the earlier.

    Attributes:
        across: the axis from left to right.
        down: the axis from bottom to top.
        width, height: of the drawing without its axes, in pixels of the SVG.
    """

    across: Axis
    down: Axis
    width: int = 300
    height: int = 180
    _parts: list[str] = field(default_factory=list)

    def line(self, xs: Iterable[float], ys: Iterable[float], kind: str, more: str = "") -> None:
        """Join points by a line; where a value is NaN it is broken. `more` are further classes: faint, dashed."""
        paths, open_ = [], False
        for x, y in zip(xs, ys, strict=True):
            known = math.isfinite(x) and math.isfinite(y)
            if known:
                paths.append(f"{'L' if open_ else 'M'}{self._point(x, y)}")
            open_ = known
        self._parts.append(f'<path class="line {kind} {more}" d="{"".join(paths)}"/>')

    def band(self, xs: Numbers, lows: Numbers, highs: Numbers, kind: str) -> None:
        """Fill the room between two lines; points of which one value is NaN are left out."""
        known = [row for row in zip(xs, lows, highs, strict=True) if all(math.isfinite(value) for value in row)]
        if known:
            round_ = [self._point(x, high) for x, _, high in known] + [self._point(x, low) for x, low, _ in known[::-1]]
            self._parts.append(f'<path class="band {kind}" d="M{"L".join(round_)}Z"/>')

    def dots(self, xs: Numbers, ys: Numbers, kind: str, radius: float = 3) -> None:
        """Put a dot at each point."""
        for x, y in zip(xs, ys, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                left, top = self._point(x, y).split(" ")
                self._parts.append(f'<circle class="dot {kind}" cx="{left}" cy="{top}" r="{radius:g}"/>')

    def bars(self, xs: Numbers, lows: Numbers, highs: Numbers, kind: str) -> None:
        """Draw an interval upright at each x."""
        for x, low, high in zip(xs, lows, highs, strict=True):
            if math.isfinite(low) and math.isfinite(high):
                self._parts.append(f'<path class="whisker {kind}" d="M{self._point(x, low)}L{self._point(x, high)}"/>')

    def rule(self, x: float, text: str = "") -> None:
        """Draw an upright dotted line with a word at its top."""
        left, _ = self._point(x, self.down.low).split(" ")
        side = "end" if float(left) > self.width * 0.7 else "start"
        shift = -3 if side == "end" else 3
        self._parts.append(
            f'<path class="rule" d="M{left} 0V{self.height}"/>'
            f'<text x="{float(left) + shift:.1f}" y="8" text-anchor="{side}">{_text(text)}</text>'
        )

    def draw(self, label: str) -> Markup:
        """Give the SVG; `label` says in words what is to be seen."""
        axes = []
        for value in self.down.ticks:
            _, top = self._point(self.across.low, value).split(" ")
            axes.append(f'<path class="grid" d="M0 {top}H{self.width}"/>')
            axes.append(
                f'<text x="-6" y="{float(top) + 3.5:.1f}" text-anchor="end">{_text(self.down.write(value))}</text>'
            )
        axes.append(f'<path class="axis" d="M0 {self.height}H{self.width}"/>')
        for value in self.across.ticks:
            left, _ = self._point(value, self.down.low).split(" ")
            axes.append(f'<path class="axis" d="M{left} {self.height}v3"/>')
            written = _text(self.across.write(value))
            axes.append(f'<text x="{left}" y="{self.height + 15}" text-anchor="middle">{written}</text>')
        axes.append(
            f'<text class="title" x="{self.width / 2:g}" y="{self.height + 30}" text-anchor="middle">'
            f"{_text(self.across.title)}</text>"
            f'<text class="title" x="{2 - TICK_PIXELS}" y="-9">{_text(self.down.title)}</text>'
        )
        width, height = self.width + TICK_PIXELS + 16, self.height + 54
        return Markup(  # noqa: S704  every text in it is escaped
            f'<svg class="chart" viewBox="{-TICK_PIXELS} -20 {width} {height}" style="max-width:{width * 1.15:.0f}px" '
            f'role="img" aria-label="{_text(label)}">'
            f"{''.join(axes)}{''.join(self._parts)}</svg>"
        )

    def _point(self, x: float, y: float) -> str:
        left, top = self.across.place(x) * self.width, (1 - self.down.place(y)) * self.height
        return f"{left:.1f} {top:.1f}"


def draw_interval(value: float, low: float | None, high: float | None, axis: Axis, kind: str = "validation") -> Markup:
    """Draw a value and its interval on a track, to stand in a table's row."""
    place = axis.place(value) * 100
    parts = ['<path class="track" d="M0 6H100"/>']
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        left, right = axis.place(low) * 100, axis.place(high) * 100
        parts.append(f'<path class="whisker {kind}" d="M{left:.1f} 6H{max(right, left + 0.5):.1f}"/>')
    parts.append(f'<circle class="dot {kind}" cx="{place:.1f}" cy="6" r="3.2"/>')
    return Markup(f'<svg class="interval" viewBox="-4 0 108 12" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704


def round_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Choose at most `count` + 1 round numbers from `low` to `high`.

    Example:
        >>> round_ticks(0, 0.9)
        [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    if not high > low:
        return [low]
    unit = 10.0 ** math.floor(math.log10((high - low) / count))
    step = next(unit * many for many in (1, 2, 5, 10, 20) if (high - low) / (unit * many) <= count + 1e-9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def floor_axis(shares: Numbers | NDArray[np.float64]) -> float:
    """Give where an axis of shares begins: the tenth below all of them, at most 0.9; what is no number is left out.

    Example:
        >>> floor_axis([0.93, 0.87])
        0.8
    """
    values = np.asarray(shares, np.float64)
    values = values[np.isfinite(values)]
    return min(max(math.floor(float(values.min()) * 10) / 10, 0.0), 0.9) if len(values) else 0.0


def percent(share: float) -> str:
    """Write a share in hundreds, without digits that say nothing: 0.5 is 50%, 0.985 is 98.5%."""
    return f"{share * 100:.4g}%"


def _text(text: str) -> str:
    return str(escape(printable(text)))
