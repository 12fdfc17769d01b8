"""Image files, and CSV tables that say what each of them shows.

    train.csv:  id_code,diagnosis      tables: train: train.csv
                000c1434d8d7,2         path_column: id_code
                001639a390f0,4         label_column: diagnosis
    train_images/000c1434d8d7.png      folder: train_images
    train_images/001639a390f0.png      suffix: .png

Most competitions on Kaggle are laid out like this.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import CsvIndexFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED, load
from podium.errors import PodiumError, nearest


def read(raw: Path, layout: CsvIndexFormat) -> Iterator[Example]:
    """Read the tables one after the other, the images in the order of their rows. See `formats.read`."""
    with Archive(raw) as archive:
        files = set(archive.files(layout.folder))
        folder = "" if layout.folder == "." else f"{layout.folder.removeprefix('./').rstrip('/')}/"
        for part, table in layout.tables.items():
            rows = 0
            for line, path, label in _rows(archive, table, layout):
                rows += 1
                name = f"{folder}{path.removeprefix('./')}{layout.suffix}"
                label = "" if part == UNLABELLED else label
                if name not in files:
                    missing = f"{table}, line {line}: there is no image '{name}' in the archive"
                    yield Example(f"{table}:{line}", part, label, None, missing)
                else:
                    yield load(archive, name, part, label)
            if not rows:
                raise PodiumError(f"{table} has a header and no rows. Expected one row an image.")


def _rows(archive: Archive, table: str, layout: CsvIndexFormat) -> Iterator[tuple[int, str, str]]:
    """Give the line, the path and the label of every row."""
    with archive.open(table) as file:
        lines = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=""))
        columns = lines.fieldnames or []
        for key in ("path_column", "label_column"):
            column = getattr(layout, key)
            if column not in columns and not (key == "label_column" and layout.tables.get(UNLABELLED) == table):
                raise PodiumError(
                    f"{table} has no column '{column}'. {nearest(column, columns[:20])} "
                    f"Correct datasets.{archive.name}.format.{key} in params.yaml."
                )
        try:
            for row in lines:
                path, label = (row.get(column) or "" for column in (layout.path_column, layout.label_column))
                yield lines.line_num, path.strip(), label.strip()
        except csv.Error as error:
            where = f"{table}, line {lines.line_num}"
            raise PodiumError(f"{where}: {error}. Is there a quote that is never closed?") from None
