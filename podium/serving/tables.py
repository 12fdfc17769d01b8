"""Answers as a file for other programs: CSV, JSON or Parquet, written row by row."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

from podium.files import atomic_write
from podium.tracking.classifier import Answer

Format = Literal["csv", "json", "parquet"]
FORMATS: Final = ("csv", "json", "parquet")
Row = tuple[str, Answer]
"""An image's name, and the answer about it."""

EDGES: Final = ("left", "top", "right", "bottom")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ROWS_AT_ONCE = 1000


def harmless_cell(text: str) -> str:
    """Give a text that a spreadsheet takes for a text: one that begins as a formula does gets an apostrophe before it.

    Example:
        >>> harmless_cell("=1+1.jpg"), harmless_cell("cat.jpg")
        ("'=1+1.jpg", 'cat.jpg')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def columns_of(classes: Sequence[str], *, boxes: bool) -> list[str]:
    """Give the columns of CSV and Parquet: `p_` and a class's name is its probability; edges are in pixels."""
    return [
        "file",
        "label",
        "probability",
        "unsure",
        *(EDGES if boxes else ()),
        "error",
        *(f"p_{one}" for one in classes),
    ]


def flatten(name: str, answer: Answer, classes: Sequence[str], *, boxes: bool) -> list[Any]:
    """Give an answer as the cells of `columns_of`; None where there is nothing."""
    box = (answer["box"] or [None] * 4) if boxes else ()
    known = answer["probabilities"] or {}
    first = [name, *(answer[one] for one in ("label", "probability", "unsure"))]
    return [*first, *box, answer["error"], *(known.get(one) for one in classes)]


@contextmanager
def write_to(path: Path | None, standard: IO[str]) -> Iterator[IO[str]]:
    """Give what a text is written to: a file, which appears when it is whole, or the standard output."""
    if path is None:
        yield standard
        return
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


def write_csv(rows: Iterable[Row], classes: Sequence[str], *, boxes: bool, file: IO[str]) -> None:
    """Write a table with a line for each image; nothing is an empty cell, and no name becomes a formula."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns_of(classes, boxes=boxes))
    for name, answer in rows:
        cells = flatten(name, answer, classes, boxes=boxes)
        writer.writerow([harmless_cell(cell) if isinstance(cell, str) else cell for cell in cells])


def write_json(rows: Iterable[Row], file: IO[str]) -> None:
    """Write a list with an object for each image, one a line: `file`, and the answer as `Predictor` gives it."""
    between = "[\n"
    for name, answer in rows:
        file.write(f"{between}{json.dumps({'file': name, **answer}, ensure_ascii=False, allow_nan=False)}")
        between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


def write_parquet(rows: Iterable[Row], classes: Sequence[str], *, boxes: bool, path: Path) -> None:
    """Write the columns of `columns_of` as a Parquet file."""
    import pyarrow as pa  # a second
    from pyarrow import parquet

    names = columns_of(classes, boxes=boxes)
    kinds = {"file": pa.string(), "label": pa.string(), "error": pa.string(), "unsure": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
    waiting = (flatten(name, answer, classes, boxes=boxes) for name, answer in rows)
    with atomic_write(path) as part, parquet.ParquetWriter(part, schema) as writer:
        while some := list(islice(waiting, _ROWS_AT_ONCE)):
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
