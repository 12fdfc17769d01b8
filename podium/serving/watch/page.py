"""The report on what is asked of a champion: one HTML file, and the same in short as Markdown."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from podium.images.opening import BadImageError
from podium.pages.histograms import Measure, draw_histograms, format_number
from podium.pages.html import write_html
from podium.pages.markdown import sentence
from podium.pages.thumbnails import THUMBNAIL_SIDE_PIXELS, draw_thumbnail
from podium.serving.reading import read_upright
from podium.serving.watch.comparison import ANSWERS, Watched

MAX_SHOWN = 24
"""Images of requests."""
MAX_CLASSES = 40
"""Rows of the table of classes: those whose share moved most."""
MEASURES: tuple[Measure, ...] = (
    ("Confidence", "probability", "probability of the answer", False),
    ("Brightness", "brightness", "mean gray value, 0 to 255", False),
    ("Contrast", "contrast", "standard deviation of gray", False),
    ("Sharpness", "sharpness", "variance of the Laplacian", True),
    ("Width", "width", "pixels, as it came", True),
    ("Height", "height", "pixels, as it came", True),
)


def write_report(watched: Watched, path: Path, dropped: int = 0) -> None:
    """Write the page.

    Args:
        watched: what became of the comparison.
        path: the HTML file to be; its folder is there.
        dropped: requests that were not written down in time.
    """
    served = watched.served
    shares = watched.shares.assign(apart=(watched.shares["served"] - watched.shares["accepted"]).abs())
    ordered = shares.sort_values("apart", ascending=False, kind="stable")
    values = {
        "watched": watched,
        "dropped": dropped,
        "since": _date(served["when"].min()),
        "until": _date(served["when"].max()),
        "unsure": float((served["unsure"] == True).mean()) if len(served) else 0.0,  # noqa: E712 - None is neither
        "constants": [],
        "histograms": _draw(watched),
        "classes": ordered.head(MAX_CLASSES),
        "doubtful": _show_doubtful(served),
    }
    write_html(
        __package__,
        "watch.html",
        values,
        {"number": format_number, "of": lambda value, measure: _write(measure, value)},
        path,
    )


def describe(watched: Watched) -> str:
    """Give the report in short, as Markdown."""
    sign = {"moved": "⚠️", "as accepted": "✅", "too few": "❔"}[watched.verdict]
    lines = [f"## {sign} {watched.accepted.title}: {watched.verdict}", "", sentence(watched.text), ""]
    if watched.moved:
        lines += ["| measure | accepted | requests | moved | 99 % interval |", "| --- | ---: | ---: | ---: | ---: |"]
        for one in watched.moved:
            change = one.change
            before, after = (_write(change.measure, value) for value in (change.before, change.after))
            interval = f"{one.low:.0%} to {one.high:.0%}"
            lines.append(f"| {change.measure} | {before} | {after} | {change.moved:.0%} | {interval} |")
        lines += ["", f"Refused, as no image could be read: {watched.refused:,}."]
    return "\n".join(lines)


def to_json(watched: Watched) -> dict[str, Any]:
    """Give the figures for other programs."""
    return {
        "model": watched.accepted.title,
        "verdict": watched.verdict,
        "text": watched.text,
        "requests": len(watched.served),
        "refused": watched.refused,
        "limit": watched.limit,
        "needed": watched.needed,
        "measures": [
            {
                "measure": one.change.measure,
                "accepted": _number(one.change.before),
                "requests": _number(one.change.after),
                "moved": _number(one.change.moved),
                "low": _number(one.low),
                "high": _number(one.high),
                "counts": one.counts,
            }
            for one in watched.moved
        ],
    }


def _write(measure: str, value: float) -> str:
    """Write a measure's mean; of the answers it is a share."""
    return f"{value:.0%}" if measure == ANSWERS else format_number(value)


def _draw(watched: Watched) -> list[Any]:
    """Draw each measure of the accepted images and of the requests over each other."""
    drawn = []
    for measure in MEASURES if len(watched.served) else ():
        source = watched.accepted.said if measure[1] == "probability" else watched.accepted.seen
        values = pd.concat([source[measure[1]], watched.served[measure[1]]], ignore_index=True).to_frame(measure[1])
        is_served = np.arange(len(values)) >= len(source)
        drawn += draw_histograms(values, {"accepted": ~is_served, "served": is_served}, [measure])[1]
    return drawn


def _show_doubtful(served: pd.DataFrame) -> list[tuple[bytes, str, float]]:
    """Show the requests that the model is least sure of, as far as their images were kept."""
    kept = served[served["image"] != ""].sort_values("probability", kind="stable")
    shown = []
    for row in kept.head(MAX_SHOWN).itertuples():
        try:
            pixels = read_upright(Path(str(row.image)), THUMBNAIL_SIDE_PIXELS).pixels
        except BadImageError:
            continue  # old images make room
        shown.append((draw_thumbnail(pixels), str(row.label), float(str(row.probability))))
    return shown


def _date(when: float) -> str:
    return "" if np.isnan(when) else datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
