"""Tables of text: how they are written, and their rows."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Literal

from podium.datasets.archive import Archive
from podium.errors import PodiumError

Separator = Literal[",", ";", "\t", "|", "blanks", "lines"]
"""`lines`: each line is one cell."""
SEPARATORS: tuple[Separator, ...] = (",", "\t", ";", "|", "blanks")
"""The likeliest first."""
SAMPLE_BYTES = 1 << 16
"""By so much of a table its encoding is guessed, and its separators."""
ENCODINGS = ("gb18030", "big5", "shift_jis", "cp949", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254")
"""Of text that is not Unicode, the likeliest first."""
MIN_LETTERS = 0.95
"""So large a share of what is not ASCII is letters, in the right encoding."""

Rows = Iterator[tuple[int, list[str]]]
"""Each with the line that it ends at."""


@dataclass(frozen=True)
class Writing:
    """How a table is written.

    Attributes:
        encoding: as Python names it.
        separator: between the cells.
        header: whether the first line names the columns.
    """

    encoding: str = "utf-8"
    separator: Separator = ","
    header: bool = True


@contextmanager
def open_table(archive: Archive, table: str, writing: Writing) -> Iterator[tuple[list[str], Rows]]:
    """Open a table; give its columns, and its rows one by one, each with the line it ends at.

    Raises:
        PodiumError: its text is not in this encoding, or a quote is never closed; or it is a damaged Parquet.
    """
    if is_parquet(table):
        from podium.datasets.formats.csv_index.parquet import open_parquet  # rarely needed

        with open_parquet(archive, table) as found:
            yield found
        return
    with archive.open(table) as file:
        lines = _lines(file, writing)
        yield _columns(lines, table, writing, archive.name)


def is_parquet(table: str) -> bool:
    """Say whether a table is in Parquet, by its name."""
    return table.lower().endswith(".parquet")


def _columns(lines: "_Lines", table: str, writing: Writing, dataset: str) -> tuple[list[str], Rows]:
    rows = _rows(lines, table, writing, dataset)
    first = next(rows, (0, []))
    if writing.header:
        return first[1], rows
    return [str(number) for number in range(1, len(first[1]) + 1)], _chain(first, rows)


def _chain(first: tuple[int, list[str]], rows: Rows) -> Rows:
    if first[1]:
        yield first
    yield from rows


class _Lines:
    """Rows of cells, and how many lines were read."""

    def __init__(self, text: io.TextIOWrapper, separator: Separator) -> None:
        self.line = 0
        if separator == "blanks":
            self._rows: Iterator[list[str]] = (line.split() for line in text)
            self._reader = None
        elif separator == "lines":
            self._rows = ([line.rstrip("\r\n")] for line in text)
            self._reader = None
        else:
            self._reader = csv.reader(text, delimiter=separator)
            self._rows = iter(self._reader)

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            self.line = self._reader.line_num if self._reader else self.line + 1
            yield row


def _lines(file: IO[bytes], writing: Writing) -> _Lines:
    encoding = "utf-8-sig" if writing.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else writing.encoding
    return _Lines(io.TextIOWrapper(file, encoding=encoding, newline=""), writing.separator)


def _rows(lines: _Lines, table: str, writing: Writing, dataset: str) -> Rows:
    correct = f"Correct datasets.{dataset}.format.encoding in params.yaml."
    try:
        for cells in lines:
            if any(cells):
                yield lines.line, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise PodiumError(f"{table}, line {lines.line}: {error}. Is there a quote that is never closed?") from None
    except UnicodeError as error:
        raise PodiumError(
            f"{table}, after line {lines.line}: the text is not {writing.encoding} ({error}). {correct}"
        ) from None


def find_encodings(archive: Archive, table: str) -> list[str]:
    """Tell how a table's text may be written: UTF-8 if all of it is, UTF-16 if it says so, else all that fit.

    Raises:
        PodiumError: it is no text.
    """
    if is_parquet(table):
        return ["utf-8"]
    with archive.open(table) as file:
        head = file.read(4)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return ["utf-16"]
    decoder, odd = codecs.getincrementaldecoder("utf-8")(), b""
    with archive.open(table) as file:
        try:
            while block := file.read(1 << 20):
                odd = block
                if b"\0" in block:
                    raise PodiumError(f"'{table}' is no text")
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _fitting(odd) or ["cp1252"]
    return ["utf-8"]


def _fitting(block: bytes) -> list[str]:
    """Give the encodings by which the bytes that are not ASCII are letters."""
    lines = [line for line in block.splitlines()[:-1] or [block] if not line.isascii()]
    sample = b"\n".join(islice(dict.fromkeys(lines), 2000))
    return [encoding for encoding in ENCODINGS if _are_letters(sample, encoding)]


def _are_letters(sample: bytes, encoding: str) -> bool:
    try:
        odd = [letter for letter in sample.decode(encoding) if not letter.isascii()]
    except UnicodeDecodeError:
        return False
    return bool(odd) and sum(letter.isalpha() for letter in odd) >= MIN_LETTERS * len(odd)


def find_separators(archive: Archive, table: str, encoding: str) -> list[Separator]:
    """Give the separators by which a table's first lines have equally many cells, the likeliest first.

    The last is for lines of one cell.
    """
    if is_parquet(table):
        return [","]
    with archive.open(table) as file:
        text = file.read(SAMPLE_BYTES).decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    lines = [line for line in text.splitlines()[:-1][:200] or text.splitlines() if line.strip()]
    found: list[Separator] = []
    for separator in SEPARATORS:
        try:
            rows = (
                [line.split() for line in lines] if separator == "blanks" else [*csv.reader(lines, delimiter=separator)]
            )
        except csv.Error:
            continue
        counts = [len(row) for row in rows if row]
        usual = max(set(counts), key=counts.count, default=0)
        if usual > 1 and counts.count(usual) >= 0.9 * len(counts):
            found.append(separator)
    return [*found, "lines" if any("," in line and '"' not in line for line in lines) else ","]
