"""What validation found and what changed, as Markdown."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from podium.datasets.validation.drift import Drift
from podium.pages.markdown import MAX_ITEMS, code, say

MAX_TABLE_ROWS = 30
"""Rows of a table."""

_SIGNS = {"passed": "✅", "failed": "❌"}
_LEVELS = {"critical": "❌", "warning": "⚠️"}


def read_summary(folder: Path) -> dict[str, Any]:
    """Give the metrics that `validate` left in its folder; none if it was not done."""
    path = folder / "summary.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def describe_validation(name: str, folder: Path) -> str:
    """Describe what `validate` found: the verdict, the metrics, and what does not hold, critical ones first.

    Args:
        name: the dataset's.
        folder: where `validate` left its reports; they are there.
    """
    summary = read_summary(folder)
    verdict = str(summary["verdict"])
    added = f"; {summary['added']:,} are accepted labels" if summary.get("added") else ""
    lines = [
        f"## {_SIGNS.get(verdict, '⚠️')} {name}: {verdict}",
        "",
        f"{summary['images']:,} images in {summary['classes']:,} classes, {summary['left_out']:,} left out{added}.",
        "",
    ]
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    failed = [finding for finding in findings if not finding["success"]]
    for finding in sorted(failed, key=lambda one: str(one["level"]) != "critical"):
        examples = _list(finding["examples"], finding["count"])
        lines.append(
            f"- {_LEVELS[finding['level']]} {finding['level']}, does not hold: {say(finding['expectation'])} "
            f"({finding['count']:,}){f': {examples}' if examples else ''}"
        )
    return "\n".join(lines if failed else [*lines, "Everything that is expected holds."])


def describe_changes(drift: Drift, classes: Mapping[str, str]) -> str:
    """Describe what changed: how many, in which classes, and the first of each list.

    Args:
        drift: the changes.
        classes: the classes' names by their labels.
    """
    if drift.nothing:
        return "Nothing changed: the same images, with the same labels, in the same parts."
    lines = [
        f"**{len(drift.added):,} added, {len(drift.removed):,} removed, {len(drift.relabelled):,} relabelled, "
        f"{len(drift.moved_parts):,} moved to another part.**",
        "",
    ]
    counts = drift.classes[drift.classes["before"] != drift.classes["after"]]
    if len(counts):
        lines += ["| part | class | before | after |", "| --- | --- | ---: | ---: |"]
        for row in counts.head(MAX_TABLE_ROWS).itertuples():
            part = say(row.part) if row.part else "–"
            lines.append(f"| {part} | {_name(row.label, classes)} | {row.before:,} | {row.after:,} |")
        lines += [
            "",
            *([f"and {len(counts) - MAX_TABLE_ROWS:,} more classes", ""] if len(counts) > MAX_TABLE_ROWS else []),
        ]
    for title, rows in (("Added", drift.added), ("Removed", drift.removed)):
        if len(rows):
            lines.append(f"- {title}: {_list(rows['id'], len(rows))}")
    parts = {"": "no part"}
    for title, rows, names in (("Relabelled", drift.relabelled, classes), ("Moved", drift.moved_parts, parts)):
        if len(rows):
            first = [
                f"{code(row.id)} from {_name(row.before, names)} to {_name(row.after, names)}"
                for row in rows.head(MAX_ITEMS).itertuples()
            ]
            lines.append(f"- {title}: {', '.join(first)}{_more(len(rows) - len(first))}")
    return "\n".join(lines)


def _name(label: object, names: Mapping[str, str]) -> str:
    return say(names.get(str(label), label) or "no label")


def _list(texts: Iterable[str], count: int) -> str:
    shown = [code(text) for text in list(texts)[:MAX_ITEMS]]
    return ", ".join(shown) + _more(count - len(shown)) if shown else ""


def _more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""
