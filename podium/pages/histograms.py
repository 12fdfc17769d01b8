"""Histograms of a table's columns, as numbers and points for a page to draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WIDTH, HEIGHT = 240, 90
"""Of the drawing, without its axis."""
BINS = 24
TAIL_SHARE = 0.005
"""Share of the images at either end that go into the outermost bin."""

Measure = tuple[str, str, str, bool]
"""A measure's title, its column, its unit, and whether its axis is logarithmic."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """One measure, a line for each split.

    Attributes:
        title: the measure's name.
        unit: what its numbers are.
        lines: by split, the corners (left, top) of a line in a drawing of `WIDTH` by `HEIGHT`, from the bottom's left
            to the bottom's right.
        ticks: where on the axis (from the left) a number is written, and the number.
        top: the share of a split's images (0–1) that reaches the drawing's top.
        least, middle, greatest: the least value, the median and the greatest, of all images.
    """

    title: str
    unit: str
    lines: dict[str, list[tuple[float, float]]]
    ticks: list[tuple[float, str]]
    top: float
    least: float
    middle: float
    greatest: float


def draw_histograms(
    table: pd.DataFrame, members: dict[str, NDArray[np.bool_]], measures: Sequence[Measure]
) -> tuple[list[tuple[str, float, str]], list[Histogram]]:
    """Draw the measures of a table, its groups over each other as shares of their rows.

    Args:
        table: has a column of numbers for each measure.
        members: the rows of each group. Where all are empty, all rows are one line.
        measures: what to draw.

    Returns:
        The measures that are the same for all rows (name, value, unit), and a histogram of each other one.
    """
    members = {name: some for name, some in members.items() if some.any()} or {"all": np.ones(len(table), bool)}
    constants, histograms = [], []
    for title, column, unit, logarithmic in measures if len(table) else ():
        values = table[column].to_numpy(np.float64)
        if values.min() == values.max():
            constants.append((title.lower(), float(values[0]), unit))
        else:
            histograms.append(_draw(title, unit, values, members, logarithmic))
    return constants, histograms


def format_number(value: float) -> str:
    """Write a number with three digits at least, and as many as it has before its point: 0.0123, 4.57, 1,234.

    Example:
        >>> [format_number(value) for value in (0.01234, 4.567, 1234.0)]
        ['0.0123', '4.57', '1,234']
    """
    if not math.isfinite(value):
        return "–"
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _draw(
    title: str, unit: str, values: Numbers, members: dict[str, NDArray[np.bool_]], logarithmic: bool
) -> Histogram:
    scaled = np.log10(np.maximum(values, 1)) if logarithmic else values
    low, high = np.quantile(scaled, [TAIL_SHARE, 1 - TAIL_SHARE])
    if low == high:
        low, high = scaled.min(), max(scaled.max(), scaled.min() + 1)
    whole = not logarithmic and bool((values == np.round(values)).all())
    if whole:  # as many whole numbers in every bin
        low, high = np.floor(low), np.ceil(high)
        step = math.ceil((high - low + 1) / BINS)
        edges = np.arange(low, high + step + 1, step) - 0.5
    else:
        edges = np.linspace(low, high, BINS + 1)
    held = np.clip(scaled, edges[0], edges[-1])
    shares = {split: np.histogram(held[some], edges)[0] / some.sum() for split, some in members.items()}
    top = max(float(share.max()) for share in shares.values())
    across = (edges - edges[0]) / (edges[-1] - edges[0]) * WIDTH
    return Histogram(
        title=title,
        unit=unit,
        lines={split: _outline(across, (1 - share / top) * HEIGHT) for split, share in shares.items()},
        ticks=_ticks(float(edges[0]), float(edges[-1]), logarithmic),
        top=top,
        least=float(values.min()),
        middle=float(np.median(values)),
        greatest=float(values.max()),
    )


def _outline(across: Numbers, down: Numbers) -> list[tuple[float, float]]:
    """Give the corners of a histogram's outline."""
    lefts, tops = np.repeat(across, 2), np.concatenate([[HEIGHT], np.repeat(down, 2), [HEIGHT]])
    return list(zip(lefts.round(1).tolist(), tops.round(1).tolist(), strict=True))


def _ticks(low: float, high: float, logarithmic: bool) -> list[tuple[float, str]]:
    """Choose two to five round numbers on an axis; a logarithmic one is given as powers of ten."""
    if logarithmic:
        mantissas = (1,) if high - low > 2 else (1, 3) if high - low > 1.3 else (1, 2, 5)
        powers = range(math.floor(low), math.ceil(high) + 1)
        values = [mantissa * 10.0**power for power in powers for mantissa in mantissas]
        places = np.log10(values)
    else:
        unit = 10.0 ** math.floor(math.log10((high - low) / 2))
        step = next(unit * many for many in (1, 2, 5, 10, 20) if (high - low) / (unit * many) <= 4)
        places = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        values = places.round(9).tolist()
    inside = [(place, value) for place, value in zip(places, values, strict=True) if low <= place <= high]
    return [(round((place - low) / (high - low) * WIDTH, 1), format_number(value)) for place, value in inside]
