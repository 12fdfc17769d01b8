"""Image files, and tables that say what each of them shows.

    train.csv:  id_code,diagnosis      tables: train: train.csv
                000c1434d8d7,2         path_column: id_code
                001639a390f0,4         label_column: diagnosis
    train_images/000c1434d8d7.png      folder: train_images
    train_images/001639a390f0.png      suffix: .png

Most competitions on Kaggle are laid out like this.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from podium.config.datasets import CsvIndexFormat, Part
from podium.datasets.archive import Archive
from podium.datasets.formats.csv_index.matching import Matcher
from podium.datasets.formats.csv_index.tables import Writing, open_table
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED, load
from podium.errors import PodiumError, nearest

Row = tuple[int, str, str, str]
"""The line, the path, the label, and the word of the split column."""


def read(raw: Path, layout: CsvIndexFormat) -> Iterator[Example]:
    """Read the tables one after the other, the images in the order of their rows. See `formats.read`."""
    with Archive(raw) as archive:
        for part, table in layout.tables.items():
            matcher = Matcher(archive, folders_of(layout, part), layout.suffix, layout.strip, layout.match)
            rows = 0
            for line, path, label, word in _rows(archive, table, layout):
                rows += 1
                yield _example(archive, layout, matcher, part, f"{table}:{line}", path, label, word)
            if not rows:
                raise PodiumError(f"{table} has a header and no rows. Expected one row an image.")


def folders_of(layout: CsvIndexFormat, part: Part) -> list[str]:
    """Give the folders of a part's images."""
    folder = layout.folder
    if isinstance(folder, Mapping):
        folder = folder.get(part, ".")
    return [folder] if isinstance(folder, str) else [*folder]


def writing_of(layout: CsvIndexFormat) -> Writing:
    """Give how a layout's tables are written."""
    return Writing(layout.encoding or "utf-8", layout.separator or ",", layout.header is not False)


def _example(
    archive: Archive, layout: CsvIndexFormat, matcher: Matcher, part: Part, row: str, path: str, label: str, word: str
) -> Example:
    name, fault = matcher.find(path)
    where: str = part
    if layout.split_words is not None and not fault:
        words = [word] if layout.split_column else name.split("/")[:-1]
        where = next((layout.split_words[each] for each in words if each in layout.split_words), "")
        if not where:
            fault = (
                f"its part is '{word}', which split_words does not name" if word else "split_words names no part of it"
            )
            where = part
    if layout.label_column is None and not fault:
        label = name.rpartition("/")[0].rpartition("/")[2]
    label = "" if where == UNLABELLED else label
    if fault:
        return Example(row, where, label, None, f"{row.rpartition(':')[0]}, line {row.rpartition(':')[2]}: {fault}")
    return load(archive, name, where, label)


def _rows(archive: Archive, table: str, layout: CsvIndexFormat) -> Iterator[Row]:
    """Give every row."""
    one_hot = [layout.label_column] if isinstance(layout.label_column, str) else layout.label_column or []
    unlabelled = layout.tables.get(UNLABELLED) == table
    with open_table(archive, table, writing_of(layout)) as (columns, rows):
        path = _place(archive, table, columns, "path_column", layout.path_column)
        labels = [] if unlabelled else [_place(archive, table, columns, "label_column", name) for name in one_hot]
        word = _place(archive, table, columns, "split_column", layout.split_column) if layout.split_column else None
        for line, cells in rows:
            cells += [""] * (len(columns) - len(cells))
            label = _label([cells[place] for place in labels], one_hot)
            yield line, cells[path], label, "" if word is None else cells[word]


def _label(cells: list[str], names: list[str]) -> str:
    """Give the cell of a label; of one column a class, the name of the only one with the largest number."""
    return highest(cells, names) if len(cells) > 1 else "".join(cells)


def highest(cells: Sequence[str], names: Sequence[str]) -> str:
    """Give the name of the only column with the largest number above 0; empty if there is none, or several.

    Example:
        >>> highest(["0", "1", "0"], ["cat", "dog", "cow"]), highest(["0.7", "0.2", "0.1"], ["cat", "dog", "cow"])
        ('dog', 'cat')
    """
    try:
        values = [float(is_one(cell)) if cell.isalpha() else float(cell or 0) for cell in cells]
    except ValueError:
        return ""
    most = max(values)
    return names[values.index(most)] if most > 0 and values.count(most) == 1 else ""


def is_one(cell: str) -> bool:
    """Say whether a cell of a column a class says yes."""
    return cell.lower() in ("1", "1.0", "1.00", "true", "yes")


def _place(archive: Archive, table: str, columns: list[str], key: str, column: str) -> int:
    if column not in columns:
        raise PodiumError(
            f"{table} has no column '{column}'. {nearest(column, columns[:20])} "
            f"Correct datasets.{archive.name}.format.{key} in params.yaml."
        )
    return columns.index(column)
