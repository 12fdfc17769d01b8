"""Names of classes that an archive gives beside its labels."""

import csv
import io
import json

from podium.datasets.archive import DamagedFile
from podium.datasets.formats.survey.contents import Contents

MAX_BYTES = 1 << 20
"""1 MiB: larger files are no lists of names."""
MAX_FILES = 100
"""Files that are looked at."""


def find_class_names(contents: Contents, labels: set[str]) -> tuple[dict[str, str], str]:
    """Find a small JSON or CSV file that gives every label a name of its own.

    Args:
        contents: the archive's.
        labels: as the archive writes them. Names are looked for only if they are numbers or codes, with a digit each.

    Returns:
        The names by their labels, and the file; none if there is no such file.
    """
    if len(labels) < 2 or not all(any(letter.isdigit() for letter in label) for label in labels):
        return {}, ""
    files = [name for name in contents.files if name.lower().endswith((".json", ".csv", ".tsv", ".txt"))]
    for name in sorted(files, key=len)[:MAX_FILES]:
        if contents.archive.size(name) > MAX_BYTES:
            continue
        try:
            text = contents.archive.read(name).decode("utf-8-sig")
        except (DamagedFile, UnicodeDecodeError):
            continue
        for names in _pairs(name, text):
            found = {label: names[label] for label in labels if names.get(label)}
            distinct = {each.casefold() for each in found.values()}
            if len(found) == len(labels) == len(distinct) and not distinct & {label.casefold() for label in labels}:
                return found, name
    return {}, ""


def _pairs(name: str, text: str) -> list[dict[str, str]]:
    """Give what a file may say: names by labels."""
    if name.lower().endswith(".json"):
        try:
            content = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            return []
        if not isinstance(content, dict) or not all(isinstance(each, str | int) for each in content.values()):
            return []
        return [
            {str(key): str(value).strip() for key, value in content.items()},
            {str(value): str(key).strip() for key, value in content.items()},
        ]
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    ]
    width = len(rows[0]) if rows else 0
    if not 2 <= width <= 6:
        return []
    return [{row[0]: row[place] for row in rows if len(row) == width} for place in range(1, width)]


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",\t;", key=first.count)
