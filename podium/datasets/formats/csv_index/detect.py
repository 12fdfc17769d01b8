"""Tables that name image files and say what each of them shows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from podium.config.datasets import CsvIndexFormat, Part
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.csv_index.columns import MAX_CLASSES, Meaning, find_meaning
from podium.datasets.formats.csv_index.paths import MATCHES, Stems, Way, index, likely_ways, share_found
from podium.datasets.formats.csv_index.tables import Writing, find_encodings, find_separators, open_table
from podium.datasets.formats.image_files import EXTENSIONS, stem_of
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import GUESSED, WRITTEN_DOWN, Reading, agree_with_folders, spread
from podium.datasets.formats.survey.words import assign_tables, names_just_a_part, part_of, part_of_path
from podium.errors import PodiumError

MIN_FOUND_SHARE = 0.9
"""So large a share of a table's rows names an image of its own."""
SAMPLE_ROWS = 200
"""Rows by which a column of paths is guessed, before all are looked at."""
MAX_PARQUET_BYTES = 1 << 28
"""256 MiB: a larger Parquet holds images rather than their paths, and is copied each time it is opened."""
MAX_COLUMNS = 200
"""A table with more is no index."""
ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".lst", ".list", ".psv", ".parquet")
"""Of tables, in lower case; names without an ending are looked at, too."""
NO_TABLES = ("readme", "license", "licence", "citation", "changelog")
"""Texts for people."""
MAX_OTHERS = 3
"""Other columns of labels that are given as readings of their own."""
HOW = {
    "any_case": "in upper or lower case",
    "name": "by their last names, wherever the images lie",
    "stem": "without the names' endings",
}


@dataclass(frozen=True)
class _Index:
    """A table whose rows name images."""

    table: str
    writing: Writing
    path: str
    """The column of the paths."""
    way: Way
    folders: list[str]
    images: list[str]
    """Of each row; empty where there is none."""
    columns: dict[str, list[str]]
    """The cells of the others that have few values."""
    meaning: Meaning
    guessed: str = ""
    """Its encoding, if others give other labels."""

    @property
    def named(self) -> int:
        """How many images it names."""
        return len(set(self.images) - {""})


def find(contents: Contents) -> list[Reading]:
    """Find the tables that name images; each kind of table is a reading."""
    names = contents.distinct(name for name in contents.files if _may_be_table(contents.archive, name))
    found: list[_Index] = []
    kept = [*contents.tree.all_images()]
    for images in [kept, contents.images][: 1 + (len(contents.images) > len(kept))]:  # a table may name copies
        stems = Stems(images if names else ())
        done = {each.table for each in found}
        found += [each for name in names if stems and name not in done for each in _read(contents, name, images, stems)]
    if not contents.images:
        for name in names:
            _tell_missing(contents, name)
    kinds: dict[object, list[_Index]] = defaultdict(list)
    for each in found:
        if each.meaning.label:
            kinds[each.path, str(each.meaning.label), each.writing, each.guessed].append(each)
    readings = []
    for indexes in (alike for kind in kinds.values() for alike in _make_alike(contents, kind)):
        bare = [each for each in found if not each.meaning.label and each.path == indexes[0].path]
        reading = _reading(contents, indexes, bare)
        if reading:
            readings += [reading, *_others(contents, indexes, bare, reading)]
    lists = [each for each in found if not each.meaning.label]
    if readings or (readings := _by_lists(contents, lists)):
        return readings
    contents.notes.extend(_why_no_labels(each) for each in lists if each.columns)
    return []


def _why_no_labels(each: _Index) -> str:
    """Say why none of a table's columns are labels."""
    counts = [f"'{name}' has {len({*cells}):,}" for name, cells in each.columns.items()][:4]
    return (
        f"'{each.table}' names images, and none of its columns can be the labels: of {len(each.images):,} rows, "
        f"{', '.join(counts)} different values."
    )


def _make_alike(contents: Contents, indexes: list[_Index]) -> list[list[_Index]]:
    """Find one way in which all tables of a kind name their images; if there is none, part them by their ways."""
    ways = {replace(each.way, column=0) for each in indexes}
    if len(ways) > 1:
        by_stem = [Way(each.way.column, "", "", "stem") for each in indexes]
        again = [
            _read_all(contents, each.table, contents.images, each.writing, [], way, each.folders)
            for each, way in zip(indexes, by_stem, strict=True)
        ]
        alike = [each for each in again if each]
        if [each.named for each in alike] == [each.named for each in indexes]:
            return [alike]
    return [[each for each in indexes if replace(each.way, column=0) == way] for way in sorted(ways, key=str)]


def _by_lists(contents: Contents, lists: list[_Index]) -> list[Reading]:
    """Read lists of the images of each part, which lie in folders of classes."""
    parts: dict[Part, _Index] = {}
    for each in sorted(lists, key=lambda each: -len(each.images)):
        if (part := part_of_path(each.table)) and part != "unlabelled":
            parts.setdefault(part, each)
    if len(parts) < 2 or "train" not in parts:
        return []
    alike = [each for kind in _make_alike(contents, [*parts.values()]) for each in kind]
    named = [
        replace(each, meaning=replace(each.meaning, label="folder", said=True, labels=[*map(_folder_of, each.images)]))
        for each in alike
    ]
    listed = ", ".join(f"'{each.table}'" for each in parts.values())
    reading = _reading(contents, named, [])
    if reading is None or reading.doubts:
        contents.notes.append(f"{listed} list images: they may be the official split, which is not used.")
    if reading is None or not isinstance(reading.format, CsvIndexFormat) or not agree_with_folders(_pairs(named[0])):
        return []
    return [
        replace(
            reading,
            format=replace(reading.format, label_column=None),
            what=f"the lists {listed} are the parts, and the folders of the images are the classes",
            notes=[*reading.notes, f"The parts are the lists {listed}."],
            agrees=True,
        )
    ]


def _folder_of(image: str) -> str:
    return image.rpartition("/")[0].rpartition("/")[2]


def _may_be_table(archive: Archive, name: str) -> bool:
    base = name.rpartition("/")[2].lower()
    if base.endswith(".parquet") and archive.size(name) > MAX_PARQUET_BYTES:
        return False
    return (base.endswith(ENDINGS) or "." not in base) and not base.startswith(NO_TABLES) and "submission" not in base


def _others(contents: Contents, indexes: list[_Index], bare: list[_Index], reading: Reading) -> Iterator[Reading]:
    """Give readings by other columns, where it is not clear which has the labels."""
    if not reading.doubts:
        return
    for name in indexes[0].meaning.others[:MAX_OTHERS]:
        if all(name in each.columns for each in indexes):
            again = [replace(each, meaning=find_meaning(each.table, each.columns, name)) for each in indexes]
            if other := _reading(contents, again, bare):
                yield replace(other, doubts=[*reading.doubts])


def _reading(contents: Contents, indexes: list[_Index], bare: list[_Index]) -> Reading | None:
    first, notes, doubts = indexes[0], [*indexes[0].meaning.notes], [*indexes[0].meaning.doubts]
    tables = assign_tables(((each.table, len(each.images)) for each in indexes), notes)
    if not tables:
        return None
    chosen = {part: next(each for each in indexes if each.table == table) for part, table in tables.items()}
    for each in bare:
        if part_of_path(each.table) in ("test", "unlabelled") and "unlabelled" not in chosen:
            chosen["unlabelled"] = each
    named = {image for each in chosen.values() for image in each.images if image}
    words, column = first.meaning.words, first.meaning.split
    if len(chosen) > 1:
        words, column = {}, None
    elif not words and (words := _parts_by_folder(first)):
        notes.append(f"The parts are told by folders: {', '.join(map(repr, words))}.")
    for each in chosen.values():
        if each.guessed:
            doubts.append(f"'{each.table}' is not UTF-8, and may be written in several ways; so it has {_odd(each)}")
        doubts += _doubt_rows(each)
        notes += _tell_writing(each)
    layout = CsvIndexFormat(
        kind="csv_index",
        tables={"train": first.table} if words else {part: each.table for part, each in chosen.items()},
        path_column=first.path,
        label_column=first.meaning.label or "",
        folder=_folders(chosen),
        suffix=first.way.suffix,
        strip=first.way.strip or None,
        match=first.way.match,
        encoding=first.writing.encoding if first.writing.encoding != "utf-8" else None,
        separator=first.writing.separator if first.writing.separator != "," else None,
        header=None if first.writing.header else False,
        split_column=column,
        split_words=words or None,
    )
    left = [image for image in contents.tree.all_images() if image not in named]
    if left:
        notes.append(f"{len(left):,} images are named in no table; they are left aside.")
        stems = {stem_of(image) for image in named}
        versions = [image for image in left if stem_of(image) in stems]
        if versions:
            notes.append(
                f"{len(versions):,} of these have the names of images that are taken, such as '{versions[0]}'."
            )
        untold = [
            image for image in left if stem_of(image) not in stems and part_of_path(image) not in ("test", "unlabelled")
        ]
        if len(untold) > (1 - MIN_FOUND_SHARE) * len(named):
            doubts.append(
                f"the tables name {len(named):,} images, and not {len(untold):,} others such as '{untold[0]}'"
            )
    label = first.meaning.label if isinstance(first.meaning.label, str) else "', '".join(first.meaning.label or [])
    classes = len(set(first.meaning.labels) - {""})
    return Reading(
        format=layout,
        what=f"the table '{first.table}' has images in the column '{first.path}', and {classes:,} classes in '{label}'"
        + (f", read as {first.guessed}" if first.guessed else ""),
        images=len(named),
        strength=WRITTEN_DOWN if first.meaning.said else GUESSED,
        aside=contents.aside | {".": "images that no table names"},
        notes=notes,
        doubts=doubts,
        agrees=any(agree_with_folders(_pairs(each)) for each in indexes),
        names=first.meaning.names,
        samples=partial(_samples, first),
    )


def _pairs(each: _Index) -> Iterator[tuple[str, str]]:
    return ((image, label) for image, label in zip(each.images, each.meaning.labels, strict=True) if image)


def _samples(each: _Index) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for image, label in _pairs(each):
        found.setdefault(label, []).append(image)
    return {label: spread(images) for label, images in found.items()}


def _folders(chosen: dict[Part, _Index]) -> str | list[str] | dict[Part, str | list[str]]:
    """Give the folder of all parts, or of each."""
    places: dict[Part, str | list[str]] = {
        part: each.folders[0] if len(each.folders) == 1 else each.folders for part, each in chosen.items()
    }
    distinct = [*places.values()]
    return distinct[0] if all(place == distinct[0] for place in distinct) else places


def _parts_by_folder(each: _Index) -> dict[str, Part]:
    """Tell parts by the folders that the images of a table lie in."""
    counts = Counter(folder for image in each.images if image for folder in set(image.split("/")[:-1]))
    words = {name: part for name in counts if names_just_a_part(name) and (part := part_of(name))}
    covered = sum(counts[name] for name in words)
    rows = len(each.images) - each.images.count("")
    return words if len(set(words.values())) > 1 and 0.95 * rows <= covered <= rows else {}


def _doubt_rows(each: _Index) -> list[str]:
    """Doubt a table that names other images, too, or each several times."""
    rows, missing = len(each.images), each.images.count("")
    if rows - missing < MIN_FOUND_SHARE * rows:
        return [f"{missing:,} of the {rows:,} rows of '{each.table}' name images that the archive does not have"]
    if rows - missing > each.named / MIN_FOUND_SHARE:
        return [
            f"'{each.table}' has {rows:,} rows for {each.named:,} images, and podium gives each image one label; are "
            "they boxes?"
        ]
    return []


def _odd(each: _Index) -> str:
    """Give some labels with other letters than English ones."""
    return ", ".join(f"'{value}'" for value in [*dict.fromkeys(each.meaning.labels)] if not value.isascii())[:100]


def _tell_writing(each: _Index) -> list[str]:
    """Say what is unusual about how a table is written, and how it names images."""
    notes = []
    if each.writing.encoding not in ("utf-8", "utf-16"):
        shown = f": {odd}" if (odd := _odd(each)) else ""
        notes.append(f"'{each.table}' is not UTF-8; it was read as {each.writing.encoding}, which is a guess{shown}.")
    if each.writing.separator != ",":
        separator = {"\t": "tabs", "blanks": "blanks", "lines": "ends of lines"}.get(
            each.writing.separator, f"'{each.writing.separator}'"
        )
        notes.append(f"The cells of '{each.table}' are separated by {separator}.")
    if not each.writing.header:
        notes.append(f"'{each.table}' has no header; its columns are named 1, 2, 3 from the left.")
    if each.way.match:
        notes.append(f"The paths of '{each.table}' find their images {HOW[each.way.match]}.")
    if each.way.strip:
        notes.append(f"'{each.way.strip}' is taken away from the start of the paths of '{each.table}'.")
    return notes


def _read(contents: Contents, table: str, images: list[str], stems: Stems) -> list[_Index]:
    """Look whether a table names images, and what its columns mean; once for each encoding that gives other labels."""
    try:
        encodings = find_encodings(contents.archive, table)
    except (DamagedFile, PodiumError):
        return []
    found = [index for encoding in encodings if (index := _read_as(contents, table, encoding, images, stems))]
    best = max((index.named for index in found), default=0)
    distinct: list[_Index] = []
    for each in found:
        if each.named == best and all(each.meaning.labels != other.meaning.labels for other in distinct):
            distinct.append(each)
    western = [each for each in distinct if each.writing.encoding == "cp1252"]
    if western:  # where its letters fit, those of its neighbours do so by chance
        distinct = [each for each in distinct if not each.writing.encoding.startswith("cp125")] + western
    return [replace(each, guessed=each.writing.encoding) for each in distinct] if len(distinct) > 1 else distinct


def _read_as(contents: Contents, table: str, encoding: str, images: list[str], stems: Stems) -> _Index | None:
    best: tuple[float, Writing, list[str], Way, list[str]] | None = None
    try:
        separators = find_separators(contents.archive, table, encoding)
        for separator in separators:
            writing = Writing(encoding, separator)
            with open_table(contents.archive, table, writing) as (columns, rows):
                sample = [cells for _, cells in islice(rows, SAMPLE_ROWS)]
            if not sample or len(columns) > MAX_COLUMNS:
                continue
            for way, folders, share in likely_ways(sample, table, stems):
                if best is None or _fits(share, way) > _fits(best[0], best[3]):
                    best = share, writing, columns, way, folders
    except (DamagedFile, PodiumError):
        return None
    if best is None or best[0] == 0:
        _tell_missing(contents, table)
        return None
    return _read_all(contents, table, images, *best[1:])


def _fits(share: float, way: Way) -> tuple[int, int]:
    """Say how well a way fits: the more rows find an image, and the more exactly, the better."""
    return round(10 * share), -MATCHES.index(way.match)


def _tell_missing(contents: Contents, table: str) -> None:
    """Say so if a table names image files that are not there."""
    try:
        encoding = find_encodings(contents.archive, table)[0]
        writing = Writing(encoding, find_separators(contents.archive, table, encoding)[0])
        with open_table(contents.archive, table, writing) as (_, rows):
            cells = [cell for _, row in islice(rows, SAMPLE_ROWS) for cell in row]
    except (DamagedFile, PodiumError):
        return
    paths = [cell for cell in cells if cell.lower().endswith(tuple(EXTENSIONS))]
    if paths:
        contents.notes.append(f"'{table}' names images such as '{paths[0]}', and the archive has none of them.")


def _read_all(
    contents: Contents,
    table: str,
    images: list[str],
    writing: Writing,
    columns: list[str],
    way: Way,
    folders: list[str],
) -> _Index | None:
    """Hold all rows against a guess."""
    known = index(images, folders, way)
    if way.column < len(columns) and share_found([columns[way.column]], way, known)[0]:
        writing = replace(writing, header=False)
    pool: dict[str, str] = {}
    paths: list[str] = []
    try:
        with open_table(contents.archive, table, writing) as (columns, rows):
            if way.column >= len(columns) or columns.count(columns[way.column]) > 1:
                return None
            cells: dict[int, list[str]] = {place: [] for place in range(len(columns)) if place != way.column}
            distinct: dict[int, set[str]] = {place: set() for place in cells}
            for _, row in rows:
                paths += share_found(row[way.column : way.column + 1] or [""], way, known)
                for place in [*cells]:
                    cell = row[place] if place < len(row) else ""
                    cells[place].append(pool.setdefault(cell, cell))
                    distinct[place].add(cell)
                    if len(distinct[place]) > MAX_CLASSES:
                        del cells[place], distinct[place]
    except (DamagedFile, PodiumError) as error:
        contents.notes.append(f"The table '{table}' is left aside: {error}")
        return None
    usable = {columns[place]: column for place, column in cells.items() if columns.count(columns[place]) == 1}
    meaning = find_meaning(table, usable)
    return _Index(table, writing, columns[way.column], way, folders, paths, usable, meaning)
