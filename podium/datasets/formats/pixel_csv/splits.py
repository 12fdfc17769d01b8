"""The column that says which part an image belongs to, and its words."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.csv as pa_csv

from podium.config.datasets import Part
from podium.datasets.archive import Archive
from podium.datasets.formats.pixel_csv.sample import Sample
from podium.datasets.formats.survey.words import part_of, words_of

MAX_WORDS = 8
BLOCK_BYTES = 1 << 23


def find_split(archive: Archive, sample: Sample, columns: Sequence[str]) -> tuple[str | None, dict[str, Part]]:
    """Find a column all of whose words stand for parts.

    The whole column is read, because a table often has all of train first.

    Returns:
        The column and what its words stand for; None if there is no such column.
    """
    for column in columns:
        if sample.rows and all(part_of(value) for value in sample.values(column)):
            words = _all_words(archive, sample, column)
            if words and all(part_of(word) for word in words):
                return column, _parts(words)
    return None, {}


def _parts(words: Iterable[str]) -> dict[str, Part]:
    """Give each word its part. Of a public and a private test, the public one is there to choose by."""
    parts: dict[str, Part] = {word: part for word in sorted(words) if (part := part_of(word))}
    tests = [word for word, part in parts.items() if part == "test"]
    public = [word for word in tests if "public" in words_of(word)]
    if public and len(public) < len(tests) and "validation" not in parts.values():
        parts |= dict.fromkeys(public, "validation")
    order = ("train", "validation", "test", "unlabelled")
    return dict(sorted(parts.items(), key=lambda pair: order.index(pair[1])))


def _all_words(archive: Archive, sample: Sample, column: str) -> set[str]:
    """Read one column; none if it has many words, or the table is not one of as many cells in each row."""
    words: set[str] = set()
    try:
        with (
            archive.open(sample.table) as file,
            pa_csv.open_csv(
                file,
                read_options=pa_csv.ReadOptions(
                    block_size=BLOCK_BYTES, column_names=sample.columns, skip_rows=int(sample.header)
                ),
                parse_options=pa_csv.ParseOptions(delimiter=sample.separator),
                convert_options=pa_csv.ConvertOptions(column_types={column: pa.string()}, include_columns=[column]),
            ) as batches,
        ):
            for batch in batches:
                words |= {str(word).strip() for word in batch.column(column).unique().to_pylist()}
                if len(words) > MAX_WORDS:
                    return set()
    except pa.ArrowInvalid:
        return set()
    return words
