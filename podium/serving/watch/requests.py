"""The log of requests, read: see `podium.tracking.request_log` for who writes it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from podium.errors import PodiumError
from podium.tracking.request_log import LINE

COLUMNS = [*LINE, "image"]
_TYPES = {
    **dict.fromkeys(("model", "label", "image"), "str"),
    **dict.fromkeys(("refused",), "bool"),
    **dict.fromkeys(("when", "probability", "width", "height", "brightness", "contrast", "sharpness"), "float64"),
}


@dataclass(frozen=True)
class Requests:
    """What was asked.

    Attributes:
        table: a row an image, the oldest first: `LINE`, and `image`, the file with its pixels, empty if none is
            kept.
        dropped: requests that were answered, but not written down in time.
        spoiled: lines that are none, such as the last one before a power cut.
    """

    table: pd.DataFrame
    dropped: int = 0
    spoiled: int = 0

    def of(self, models: set[str]) -> pd.DataFrame:
        """Give the rows of a model, by all its names."""
        return self.table[self.table["model"].isin(models)]


def read_requests(folder: Path, since: datetime | None = None) -> Requests:
    """Read a log that processes may be writing to.

    Args:
        folder: where it is.
        since: what was asked before is left out; None: nothing is.

    Raises:
        PodiumError: there is none.
    """
    files = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not files:
        raise PodiumError(
            f"There is no log of requests in {folder}: nobody asked, or it is not switched on. `podium serve --log` "
            f"does it; for `mlflow models serve` set PODIUM_REQUEST_LOG={folder} before."
        )
    rows: list[dict[str, Any]] = []
    dropped = spoiled = 0
    for path in files:
        for number, line in enumerate(_lines(path)):
            try:
                row = json.loads(line)
                image = path.with_suffix("") / f"{number}.png"
                rows.append({name: row.get(name) for name in LINE} | {"image": str(image) if image.is_file() else ""})
                dropped += int(row.get("dropped", 0))
            except (ValueError, TypeError, AttributeError):
                spoiled += 1
    table = pd.DataFrame(rows, columns=COLUMNS).astype(_TYPES).sort_values("when", kind="stable", ignore_index=True)
    if since is not None:
        table = table[table["when"] >= since.astimezone(UTC).timestamp()].reset_index(drop=True)
    return Requests(table, dropped, spoiled)


def _lines(path: Path) -> list[str]:
    """Give the whole lines of a file; it may be gone, as old ones make room."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
