"""The card's charts, as inline SVG in the colours of the page."""

from collections.abc import Iterable

from markupsafe import Markup

from podium.config import Gate
from podium.pages.charts import Axis, round_ticks
from podium.registry.card.figures import Recall
from podium.registry.card.words import ends, gain, signed
from podium.registry.decision import Test

WIDTH, HEIGHT = 320, 112
"""Of the chart of the difference, with its words."""
EDGE = 16
"""Room on both sides of it, for half a tick's number."""
WORDS = 90
"""How wide a mark's words are, at most."""
BAR_WIDTH = 280
"""Of the longest bar of the counts."""


def draw_difference(test: Test, rules: Gate) -> Markup:
    """Draw what the challenger gains, with its interval, and where nothing, the worth and the margin lie.

    To the right the challenger is better, whatever the metric.
    """
    value = gain(test.metric, test.difference)
    both = [gain(test.metric, end) for end in (test.low, test.high) if end is not None]
    low, high = (min(both), max(both)) if both else (value, value)
    marks = [(0.0, "no difference", "zero"), (rules.worth, f"worth it: +{rules.worth:g}", "rule")]
    if rules.margin is not None:
        marks.append((-rules.margin, f"margin: −{rules.margin:g}", "rule"))
    ways = [number for number, _, _ in marks]
    least, most = min(low, value, *ways), max(high, value, *ways)
    room = (most - least) * 0.06
    axis = Axis(least - room, most + room)

    def place(number: float) -> str:
        return f"{axis.place(number) * WIDTH:.1f}"

    parts = [f'<path class="axis" d="M0 80H{WIDTH}"/>']
    for tick in round_ticks(axis.low, axis.high, 5):
        parts.append(f'<path class="axis" d="M{place(tick)} 80v3"/>')
        parts.append(f'<text x="{place(tick)}" y="94" text-anchor="middle">{_signed(tick)}</text>')
    parts += [
        f'<path class="{line}" d="M{place(number)} {14 * row}V80"/>' for row, (number, _, line) in enumerate(marks)
    ]
    for row, (number, words, _) in enumerate(marks):
        left = axis.place(number) * WIDTH
        after = left < WORDS or (number >= 0 and left < WIDTH - WORDS)
        side, shift = ("start", 4) if after else ("end", -4)
        parts.append(
            f'<text class="mark" x="{left + shift:.1f}" y="{14 * row + 9}" text-anchor="{side}">{words}</text>'
        )
    if both:
        parts.append(f'<path class="reach validation" d="M{place(low)} 61H{place(high)}"/>')
    parts.append(f'<circle class="dot validation" cx="{place(value)}" cy="61" r="5.5"/>')
    parts.append('<text class="title" x="0" y="109">← champion better</text>')
    parts.append(f'<text class="title" x="{WIDTH}" y="109" text-anchor="end">challenger better →</text>')
    label = f"the challenger's gain, {signed(value)}{', from ' + ends(low, high, sign=True) if both else ''}"
    return _svg(parts, WIDTH, HEIGHT, label, EDGE)


def draw_counts(counts: Iterable[tuple[str, int, str]], fair: float) -> Markup:
    """Draw how many there are of each kind as bars, and by a dotted line how many chance would give of each.

    Args:
        counts: words, the number and the class of the colour.
        fair: where the line is.
    """
    rows = list(counts)
    longest = max(max(number for _, number, _ in rows), fair, 1)
    parts = []
    for place, (words, number, kind) in enumerate(rows):
        top = 2 + place * 40
        width = number / longest * BAR_WIDTH
        parts.append(f'<text class="words" x="0" y="{top + 10}">{words}</text>')
        parts.append(f'<rect class="bar {kind}" x="0" y="{top + 15}" width="{width:.1f}" height="14" rx="2"/>')
        parts.append(f'<text class="value" x="{width + 6:.1f}" y="{top + 26}">{number:,}</text>')
    left = fair / longest * BAR_WIDTH
    for place in range(len(rows)):
        parts.append(f'<path class="rule" d="M{left:.1f} {2 + place * 40 + 13}v18"/>')
    label = ", ".join(f"{words}: {number:,}" for words, number, _ in rows)
    return _svg(parts, BAR_WIDTH + 50, 2 + 40 * len(rows), label)


def draw_dumbbell(recall: Recall, axis: Axis) -> Markup:
    """Draw the recalls of both models on a track, to stand in a table's row: a ring is the champion's."""
    first, second = (axis.place(value) * 100 for value in (recall.champion, recall.challenger))
    kind = "test" if recall.difference < 0 else "validation"
    return Markup(  # noqa: S704  numbers only
        '<svg class="interval" viewBox="-4 0 108 12" aria-hidden="true"><path class="track" d="M0 6H100"/>'
        f'<path class="whisker {kind}" d="M{first:.1f} 6H{second:.1f}"/>'
        f'<circle class="ring" cx="{first:.1f}" cy="6" r="2.9"/>'
        f'<circle class="dot {kind}" cx="{second:.1f}" cy="6" r="3.2"/></svg>'
    )


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+g}".replace("-", "−")


def _svg(parts: list[str], width: int, height: int, label: str, edge: int = 0) -> Markup:
    return Markup(  # noqa: S704  words of this module and numbers only
        f'<svg class="chart" viewBox="{-edge} 0 {width + 2 * edge} {height + 4}" '
        f'style="max-width:{(width + 2 * edge) * 1.2:.0f}px" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )
