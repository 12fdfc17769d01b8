"""The table of an export: what each form weighs, how fast it answers, and how well it agrees with Keras."""

import csv
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from podium.files import save_json
from podium.pages.markdown import code, sentence

SAME, AGREES, LEFT_OUT, DIFFERS, SKIPPED, UNFIT, REFERENCE, WRITTEN = (
    *("same", "agrees", "left out", "DIFFERS", "skipped", "not possible", "reference", "written"),
)
"""Verdicts: within the tolerance; lossy, within the limit or below it; not; not asked; no such form; Keras; unasked."""
STEM, MARK = "export", "podium export"
HEADERS: Final = ("target", "runtime", "size", "ms", "difference", "same class", "images", "verdict")


@dataclass(frozen=True)
class Row:
    """One form in one runtime.

    Attributes:
        target: its name; empty for the model as it is.
        file: of that target.
        runtime: that answered.
        verdict: one of this module's.
        note: why, if not `SAME`; a sentence.
        bytes: of the file or folder.
        ms: median milliseconds for one image alone, decoding not included; None if none was timed.
        ms_low: its lower quartile.
        ms_high: its upper quartile.
        greatest: see `parity.Parity`; None if nothing was compared.
        agreement: likewise.
        images: likewise.
    """

    target: str
    file: str
    runtime: str
    verdict: str
    note: str = ""
    bytes: int | None = None
    ms: float | None = None
    ms_low: float | None = None
    ms_high: float | None = None
    greatest: float | None = None
    agreement: float | None = None
    images: int = 0

    def cells(self) -> list[str]:
        """Give it as texts, under `HEADERS`."""
        return [
            self.target or "–",
            self.runtime,
            "–" if self.bytes is None else show_bytes(self.bytes),
            "–" if self.ms is None else f"{self.ms:.2g} ({self.ms_low:.2g}–{self.ms_high:.2g})",
            "–" if self.greatest is None else f"{self.greatest:.1e}" if self.greatest else "0",
            "–" if self.agreement is None else _percent(self.agreement),
            f"{self.images:,}" if self.images else "–",
            f"{self.verdict}: {self.note}" if self.note else self.verdict,
        ]


def show_bytes(count: int) -> str:
    """Give a size for people: `13.9 MB`, of 10^6 bytes."""
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _percent(share: float) -> str:
    """Give a share so that 100% means all."""
    return f"{math.floor(share * 1000) / 10:.1f}%" if share < 1 else "100%"


@dataclass(frozen=True)
class Report:
    """All rows, and where they come from.

    Attributes:
        title: of the version.
        sha256: of its model file.
        images: that it was compared on, for people.
        threads: of every runtime but those in browsers, which have one.
        machine: its name.
        command: that made it.
        rows: in the order of the targets.
    """

    title: str
    sha256: str
    images: str
    threads: int
    machine: str
    command: str
    rows: tuple[Row, ...]

    def caption(self) -> str:
        """Say in a few sentences what the table shows."""
        return (
            f"Each runtime was compared with Keras's predict on {self.images}. The difference is the greatest of a "
            "probability, or of a box's edge as a share of the image; ms are those for one image alone, median and "
            f"quartiles, decoding not included, with {self.threads} threads ({self.machine}); in browsers one thread, "
            "the way there and back included."
        )


def save_report(report: Report, folder: Path) -> None:
    """Write `export.md`, `export.csv` and `export.json` into a folder."""
    rows = [[*row.cells()[:-1], sentence(row.cells()[-1])] for row in report.rows]
    lines = "\n".join(f"| {' | '.join(cells)} |" for cells in ([*HEADERS], ["---"] * len(HEADERS), *rows))
    title = sentence(f"{report.title}, exported")
    text = f"# {title}\n\n{code(report.command)}\n\n{lines}\n\n{report.caption()}\n"
    (folder / f"{STEM}.md").write_text(text, encoding="utf-8")
    with (folder / f"{STEM}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*Row.__dataclass_fields__], lineterminator="\n")
        writer.writeheader()
        writer.writerows(_finite(asdict(row)) for row in report.rows)
    content = asdict(report) | {"made by": MARK, "rows": [_finite(asdict(row)) for row in report.rows]}
    save_json(content, folder / f"{STEM}.json")


def _finite(row: dict[str, object]) -> dict[str, object]:
    """Give a row that JSON can hold: without infinity."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
