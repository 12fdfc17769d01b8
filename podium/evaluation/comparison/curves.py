"""The learning curves of several models over each other, as points for a page to draw."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

WIDTH, HEIGHT = 320, 140
"""Of the drawing, without its axes."""
MAX_POINTS = 400
"""Of one line; a longer history is thinned out."""
PANELS = (
    ("Validation accuracy", "validation_accuracy"),
    ("Validation loss", "validation_loss"),
    ("Validation loss of the box", "validation_box_loss"),
)


@dataclass(frozen=True)
class Panel:
    """One metric by epoch.

    Attributes:
        title: the metric's name.
        lines: of each model that has it, by its place among them: the corners (left, top) of its line.
        across: where on the horizontal axis an epoch is written (from the left), and the epoch.
        up: where on the vertical axis a value is written (from the top), and the value.
    """

    title: str
    lines: Mapping[int, list[tuple[float, float]]]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]


def draw_curves(histories: list[pd.DataFrame]) -> list[Panel]:
    """Draw the metrics that at least one of the models has."""
    panels = [_draw(title, column, histories) for title, column in PANELS]
    return [panel for panel in panels if panel is not None]


def round_steps(low: float, high: float, most: int = 4) -> list[float]:
    """Give at most so many round numbers from `low` to `high`, evenly apart; low must lie below high.

    Example:
        >>> round_steps(0.72, 0.99)
        [0.8, 0.9]
    """
    unit = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(unit * many for many in (1, 2, 5, 10, 20) if (high - low) / (unit * many) <= most)
    return [float(f"{place * step:.9g}") for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _draw(title: str, column: str, histories: list[pd.DataFrame]) -> Panel | None:
    lines = {place: _read(history, column) for place, history in enumerate(histories)}
    lines = {place: line for place, line in lines.items() if len(line)}
    if not lines:
        return None
    steps, values = np.concatenate([*lines.values()]).T
    last = max(float(steps.max()), 2.0)
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5

    def place(step: float, value: float) -> tuple[float, float]:
        return round((step - 1) / (last - 1) * WIDTH, 1), round((high - value) / (high - low) * HEIGHT, 1)

    epochs = sorted({1.0, *(step for step in round_steps(1, last) if step == round(step) and step > 1 + last / 10)})
    return Panel(
        title=title,
        lines={number: [place(*point) for point in line] for number, line in lines.items()},
        across=[(place(step, low)[0], f"{step:.0f}") for step in epochs],
        up=[(place(1, value)[1], f"{value:g}") for value in round_steps(low, high)],
    )


def _read(history: pd.DataFrame, column: str) -> list[tuple[float, float]]:
    if column not in history or "step" not in history:
        return []
    table = history[["step", column]].apply(pd.to_numeric, errors="coerce").dropna()
    table = table[np.isfinite(table).all(axis=1)]
    thin = table.iloc[:: max(1, len(table) // MAX_POINTS)]
    return [(float(step), float(value)) for step, value in thin.itertuples(index=False, name=None)]
