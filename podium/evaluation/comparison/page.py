"""The page of a comparison: one HTML file that needs nothing else."""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from podium.evaluation.comparison.curves import HEIGHT, WIDTH, draw_curves, round_steps
from podium.evaluation.comparison.differing import Images, find_disagreements
from podium.evaluation.comparison.measuring import Comparison, Figure
from podium.pages.histograms import format_number
from podium.pages.html import write_html

MAX_NAME = 120
"""Characters of a page's name."""
STRIP = 240
"""How wide an interval's drawing is."""

COSTS = (
    ("Parameters", "parameters", "{:,.0f}"),
    ("File, MB", "model_megabytes", "{:,.1f}"),
    ("Milliseconds an image", "milliseconds_per_image", "{:,.2f}"),
    ("Images a second", "images_per_second", "{:,.0f}"),
    ("Training, seconds", "training_seconds", "{:,.0f}"),
)
"""Rows of the table of cost: title, key and how a number is written."""


def page_path(dataset: str, names: Sequence[str], split: str = "test") -> Path:
    """Give the place of the page that compares such models on a split, relative to the project's root.

    Example:
        >>> page_path("digits", ["digits-cnn", "models:/digits/3"]).as_posix()
        'reports/digits/compare/digits-cnn-vs-models-digits-3.html'
    """
    words = "-vs-".join(re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") for name in names)
    words += "" if split == "test" else f"-{split}"
    if len(words) > MAX_NAME:
        words = f"{words[:MAX_NAME]}-{sha256(words.encode()).hexdigest()[:8]}"
    return Path("reports") / dataset / "compare" / f"{words}.html"


def write_page(comparison: Comparison, processed: Path, path: Path) -> None:
    """Write the page.

    Args:
        comparison: what to show.
        processed: the folder of the dataset's arrays; where it has not the images, the page says so.
        path: the HTML file to be; its folder is made.
    """
    images = Images(processed, comparison.split)
    first = comparison.common.predictions[0]
    keys = zip(first.ids.tolist(), first.digests.tolist(), strict=True)
    values = {
        "comparison": comparison,
        "names": [one.name for one in comparison.contenders],
        "methods": _methods(comparison),
        "strips": {figure.name: draw_strips(figure) for figure in comparison.figures},
        "panels": draw_curves([one.curves for one in comparison.contenders]),
        "size": (WIDTH, HEIGHT, STRIP),
        "costs": _costs(comparison),
        "machines": list(
            dict.fromkeys(str(one.cost["machine"]) for one in comparison.contenders if one.cost.get("machine"))
        ),
        "disagreements": find_disagreements(comparison, images),
        "here": sum(key in images for key in keys),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    filters = {"number": format_number, "figure": lambda value: f"{value:.4f}", "signed": _signed, "chance": say_chance}
    write_html(__package__, "comparison.html", values, filters, path)


def say_chance(p_value: float) -> str:
    """Write a p-value.

    Example:
        >>> say_chance(0.0314), say_chance(0.00002)
        ('0.031', '< 0.001')
    """
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def draw_strips(figure: Figure) -> dict[str, Any]:
    """Give each contender's interval as places on one axis: low, value and high from the left, and the axis's ticks."""
    ends = [
        (one.value if one.low is None else one.low, one.value, one.value if one.high is None else one.high)
        for one in figure.estimates
    ]
    low, high = min(end[0] for end in ends), max(end[2] for end in ends)
    if low == high:
        low, high = low - 0.05, high + 0.05

    def place(value: float) -> float:
        return round((value - low) / (high - low) * STRIP, 1)

    ticks = [(place(value), f"{value:g}") for value in round_steps(low, high, 5)]
    return {"lines": [tuple(place(value) for value in end) for end in ends], "ticks": ticks}


def _methods(comparison: Comparison) -> dict[str, list[str]]:
    """Give the metrics of each method of comparison."""
    methods: dict[str, list[str]] = {}
    for figure in comparison.figures:
        methods.setdefault(figure.differences[0].method, []).append(figure.title)
    return methods


def _costs(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Give the rows of the table of cost that have a figure."""
    rows = []
    for title, key, form in COSTS:
        cells = []
        for one in comparison.contenders:
            figures = dict(one.cost)
            if isinstance(size := figures.get("model_bytes"), int | float):
                figures["model_megabytes"] = size / 1e6
            value = figures.get(key)
            cells.append(form.format(value) if isinstance(value, int | float) else "–")
        if set(cells) != {"–"}:
            rows.append((title, cells))
    return rows


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")
