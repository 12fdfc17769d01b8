"""CSV tables that name image files and say what each of them shows."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from podium.config.datasets import CsvIndexFormat
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import is_image
from podium.datasets.formats.survey.contents import Contents, Survey
from podium.datasets.formats.survey.words import assign_tables, part_of, part_of_path, words_of
from podium.errors import PodiumError

MIN_FOUND_SHARE = 0.9
"""So large a share of a table's rows names an image of its own."""
SAMPLE_ROWS = 200
"""Rows by which a column of paths is guessed, before all are looked at."""
MAX_COLUMNS = 200
"""A table with more is no index."""
MAX_CLASSES = 2000
"""Distinct values that a column of labels may have."""
LABEL_WORDS = ("label", "labels", "class", "classes", "category", "target", "diagnosis", "dx", "species", "breed")
"""Words in the names of columns of labels, the likeliest first."""

Row = dict[str, str]


@dataclass(frozen=True)
class _Paths:
    """How a column names images."""

    column: str
    folder: str
    suffix: str

    def name(self, row: Row) -> str:
        """Give the path of a row's image, in the archive."""
        prefix = "" if self.folder == "." else f"{self.folder}/"
        return f"{prefix}{row[self.column].removeprefix('./')}{self.suffix}"


@dataclass(frozen=True)
class _Index:
    """A table whose rows name images."""

    table: str
    rows: int
    images: int
    """How many images it names."""
    paths: _Paths
    labels: list[str]
    """The columns that may be the label, the likeliest first."""
    sure: bool


def find(contents: Contents, *, alone: bool) -> Survey | None:
    """Find the tables that name the most images.

    Args:
        contents: the archive's.
        alone: whether no folders named train and test tell the classes as well.

    Raises:
        PodiumError: a table would do, but its images lie in several folders, and nothing else tells their classes.
    """
    stems = defaultdict(list)
    for name in filter(is_image, contents.files):  # a table may name the copies
        stems[name.rpartition("/")[2].rpartition(".")[0]].append(name)
    tables = [table for table in contents.tables() if stems and "submission" not in table.lower()]
    indexes = [index for table in tables if (index := _read(contents.archive, table, stems, alone=alone))]
    kinds: dict[tuple[_Paths, str], list[_Index]] = defaultdict(list)
    for index in indexes:
        if index.labels:
            kinds[index.paths, index.labels[0]].append(index)
    if not kinds:
        return None
    chosen = max(kinds.values(), key=lambda kind: (kind[0].sure, sum(index.rows for index in kind)))
    bare = [index for index in indexes if not index.labels and index.paths == chosen[0].paths]
    return _survey(chosen, bare, contents.tree.count)


def _survey(indexes: list[_Index], without_labels: list[_Index], images: int) -> Survey | None:
    notes, (label, *others), paths = [], indexes[0].labels, indexes[0].paths
    if others:
        columns = ", ".join(f"'{name}'" for name in others[:5])
        notes.append(f"The labels are the column '{label}' of '{indexes[0].table}'; they could also be {columns}.")
    tables = assign_tables(((index.table, index.rows) for index in indexes), notes)
    if not tables:
        return None
    bare = [index.table for index in without_labels if part_of_path(index.table) in ("test", "unlabelled")]
    if bare:
        tables["unlabelled"] = bare[0]
    left = images - sum(index.images for index in indexes + without_labels if index.table in tables.values())
    if left > 0:
        notes.append(f"{left:,} images are named in no table; they are left aside.")
    layout = CsvIndexFormat(
        kind="csv_index",
        tables=tables,
        path_column=paths.column,
        label_column=label,
        folder=paths.folder,
        suffix=paths.suffix,
    )
    return Survey(layout, notes, indexes[0].sure)


def _read(archive: Archive, table: str, stems: dict[str, list[str]], *, alone: bool) -> _Index | None:
    """Look whether a table names images, and which columns may be their labels."""
    try:
        with _open(archive, table) as rows:
            sample = [*islice(rows, SAMPLE_ROWS)]
        votes = Counter(paths for row in sample for column in row for paths, _ in _guess(row, column, stems))
        likely = [paths for paths, count in votes.items() if count >= MIN_FOUND_SHARE / 2 * len(sample)]
        likely.sort(
            key=lambda paths: (
                -votes[paths],
                part_of_path(paths.folder) != part_of_path(table),
                bool(paths.suffix),
                len(paths.folder),
            )
        )
        for paths in likely[:8]:
            with _open(archive, table) as rows:
                if index := _check(archive, table, rows, paths):
                    return index
    except (DamagedFile, csv.Error):
        return None
    if alone:
        _refuse_scattered(table, sample, stems)
    return None


@contextmanager
def _open(archive: Archive, table: str) -> Iterator[Iterator[Row]]:
    """Read a table's rows as the format does; none if it has no columns to choose from."""
    with archive.open(table) as file:
        lines = csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=""))
        header = next(lines, [])
        usable = len(header) <= MAX_COLUMNS and len(set(header)) == len(header)
        empty = [""] * len(header)
        yield (
            dict(zip(header, [cell.strip() for cell in cells] + empty, strict=False))
            for cells in (lines if usable else ())
            if cells
        )


def _guess(row: Row, column: str, stems: dict[str, list[str]]) -> Iterator[tuple[_Paths, str]]:
    """Give the ways in which a cell may name an image, and the image."""
    path = row[column].removeprefix("./")
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0]
    for image in [*stems.get(name, ())[:20], *(stems.get(stem, ())[:20] if stem else ())]:
        ending = image.rpartition("/")[2].removeprefix(name)
        if image == path + ending:
            yield _Paths(column, ".", ending), image
        elif image.endswith(f"/{path}{ending}"):
            yield _Paths(column, image.removesuffix(f"/{path}{ending}"), ending), image


def _check(archive: Archive, table: str, rows: Iterable[Row], paths: _Paths) -> _Index | None:
    """Hold all rows against a guess."""
    count, named = 0, set()
    values: dict[str, set[str]] = {}
    crowded = {paths.column}
    for row in rows:
        count += 1
        named.add(paths.name(row))
        for column, value in row.items():
            if value and column not in crowded:
                distinct = values.setdefault(column, set())
                distinct.add(value)
                if len(distinct) > MAX_CLASSES:
                    crowded.add(column)
    images = len(named.intersection(archive.files(paths.folder)))
    if not count or images < MIN_FOUND_SHARE * count:
        return None
    few = {column: len(distinct) for column, distinct in values.items() if _may_be_labels(distinct, count)}
    ranked = sorted((_rank(column), few[column], column) for column in few.keys() - crowded)
    sure = bool(ranked) and ranked[0][0] < 2 * len(LABEL_WORDS)
    labels = [column for rank, _, column in ranked if not sure or rank < 2 * len(LABEL_WORDS)]
    return _Index(table, count, images, paths, labels, sure)


def _may_be_labels(distinct: set[str], rows: int) -> bool:
    return 2 <= len(distinct) <= max(2, rows // 2) and not all(part_of(value) for value in distinct)


def _rank(column: str) -> int:
    """Say how likely a column's name is one of labels: less is likelier."""
    words = words_of(column)
    places = [
        LABEL_WORDS.index(word) + (len(LABEL_WORDS) if len(words) > 1 else 0) for word in words if word in LABEL_WORDS
    ]
    return min(places, default=2 * len(LABEL_WORDS))


def _refuse_scattered(table: str, sample: list[Row], stems: dict[str, list[str]]) -> None:
    """Refuse a table that names images in several folders, unless a folder's images all have one label.

    Raises:
        PodiumError: it is such a table.
    """
    for column in sample[0] if sample else ():
        found = [(row, image) for row in sample for _, image in [*_guess(row, column, stems)][:1]]
        folders = {image.rpartition("/")[0] for _, image in found}
        labels = [name for name in sample[0] if name != column and _rank(name) < 2 * len(LABEL_WORDS)]
        if len(found) < MIN_FOUND_SHARE * len(sample) or len({image for _, image in found}) < len(found) or not labels:
            continue
        pairs = {(image.rpartition("/")[0], row[labels[0]]) for row, image in found}
        if len(pairs) > len(folders) > 1:
            raise PodiumError(
                f"'{table}' names images, and its column '{labels[0]}' has labels, but the images lie in "
                f"{len(folders)} folders: {', '.join(sorted(folders)[:3])}. Expected all of a table's images in "
                "one folder, or paths from one folder on. Unpack the archive, put them together, and `podium init "
                "FOLDER`."
            )
