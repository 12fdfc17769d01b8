"""The report card as a page: one HTML file that needs nothing else."""

import csv
import io
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from podium.evaluation.card import numbers
from podium.evaluation.card.curves import draw_coverage, draw_more_images, draw_reliability, draw_training
from podium.evaluation.card.failures import show_boxes, show_errors, show_hits, show_suspects
from podium.evaluation.card.reading import Card
from podium.evaluation.card.sections import (
    MAX_LINES,
    MAX_PARAMS,
    list_classes,
    list_metrics,
    list_pairs,
    list_published,
    list_seeds,
    list_slices,
    show_matrix,
)
from podium.pages.html import printable, write_html
from podium.pages.matrix import SVG_STYLE


def write_card(card: Card, path: Path) -> None:
    """Write the page. The same card gives the same bytes."""
    report = card.report
    calibration = report.facts.get("calibration") or {}
    learned = report.facts.get("learning_curve") or {}
    suspects = report.tables["suspects"]
    values = {
        "card": card,
        "facts": report.facts,
        "test": report.facts["metrics"]["test"],
        "power": report.facts.get("power") or {},
        "calibration": calibration,
        "learned": learned,
        "failures": report.failures,
        "cost": report.cost,
        "published": list_published(card),
        "metrics": list_metrics(card),
        "classes": list_classes(card),
        "slices": list_slices(card),
        "seeds": list_seeds(card),
        "matrix": show_matrix(card.confusions),
        "matrix_style": SVG_STYLE,
        "pairs": list_pairs(card),
        "training": draw_training(card.histories),
        "reliability": draw_reliability(report.tables["reliability"]),
        "coverage": draw_coverage(report.tables["coverage"], calibration.get("threshold")),
        "more_images": draw_more_images(
            report.tables["learning_curve"], learned.get("curve", ()), learned.get("unit", "validation accuracy")
        ),
        "errors": show_errors(card),
        "hits": show_hits(card),
        "boxes": show_boxes(card),
        "suspects": show_suspects(card),
        "suspect_count": len(suspects),
        "suspect_lines": _write_lines(suspects),
        "params": list(card.params.items())[:MAX_PARAMS],
        "version": _version(),
    }
    names = ("decimal", "interval", "percent", "points", "promise", "spell_bytes", "spell_seconds")
    filters = {name: getattr(numbers, name) for name in names} | {"number": "{:,}".format}
    write_html(__package__, "card.html", values, filters, path)


def _write_lines(suspects: pd.DataFrame) -> list[str]:
    """Write the lines for the review file that can be copied from a page: those of a length, without odd characters."""
    lines = []
    for row in suspects.head(MAX_LINES).itertuples(index=False):
        file = io.StringIO()
        csv.writer(file, lineterminator="").writerow(row)
        lines.append(file.getvalue())
    return [line for line in lines if line == printable(line)]


def _version() -> str:
    try:
        return version("podium")
    except PackageNotFoundError:  # it runs from a folder and is not installed
        return numbers.DASH
