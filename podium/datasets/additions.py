"""Accepted labels: images that people labelled in the app and that a person accepted, as a part of their dataset.

`data/additions.csv` is small and lies in git, a line an image. The images lie in `data/additions/<dataset>/`, named by
their sha256, and DVC keeps that folder: its `.dvc` file is in git.

    dataset,label,sha256,file
    digits,7,9f86…,9f86….png

The label is said here alone: to correct one, or to take an image back, edit its line. The images train, and never
choose or measure: they are the images that somebody was moved to label, and no fair sample.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from podium.config.datasets import Format
from podium.datasets.formats import Example, read
from podium.datasets.masks import ADDED
from podium.errors import PodiumError
from podium.paths import ADDITIONS, ADDITIONS_COLUMNS, DatasetPaths

PREFIX = f"{ADDED}/"
"""What the ids of added images begin with: `additions/9f86….png`."""
REASON = "an accepted label"
"""Why such an image is in the train split."""

_FILE = re.compile(r"([0-9a-f]{64})\.[a-z0-9]{1,8}")
_MEND = f"Correct the line in {ADDITIONS}, or take it out."


def load_additions(path: Path, name: str) -> pd.DataFrame:
    """Read which images people added to one dataset.

    Returns:
        The columns id, label and sha256, in the order of the file.

    Raises:
        PodiumError: the file has other columns, or a line that cannot be followed.
    """
    first = ",".join(ADDITIONS_COLUMNS)
    if not path.is_file():
        raise PodiumError(
            f"There is no {path}. Restore it (`git checkout {path}`), or make it: its only line at first is `{first}`."
        )
    try:
        table = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (OSError, ValueError) as error:
        raise PodiumError(f"{path} cannot be read: {error}. Its first line is {first}.") from None
    if [*table.columns] != ADDITIONS_COLUMNS:
        raise PodiumError(f"{path} has the columns {', '.join(table.columns)}. Expected {first}, in this order.")
    if not isinstance(table.index, pd.RangeIndex):
        raise PodiumError(f"{path}, line 2 has more than {len(ADDITIONS_COLUMNS)} values. Expected {first}. {_MEND}")
    table["line"] = table.index + 2
    table = table[table["dataset"] == name]
    for row in table.itertuples():
        found = _FILE.fullmatch(str(row.file))
        if found is None or found[1] != row.sha256:
            raise PodiumError(
                f"{path}, line {row.line}: the file is '{row.file}' and the sha256 '{row.sha256}'. Expected the file's "
                f"name to be the image's sha256 and an ending, such as 9f86….png. {_MEND}"
            )
    for row in table[table.duplicated("sha256")].head(1).itertuples():
        raise PodiumError(f"{path}, line {row.line}: that image is in {name} already. Keep one of the two lines.")
    return table.assign(id=PREFIX + table["file"])[["id", "label", "sha256"]].reset_index(drop=True)


def read_dataset(name: str, layout: Format, root: Path = Path()) -> Iterator[Example]:
    """Read all images of a dataset: those of the archive, then those that people added.

    Args:
        name: the dataset's.
        layout: how the archive's files are laid out.
        root: the project's root; by default the current folder.

    Raises:
        PodiumError: the files are not laid out like this, or an added one is not as expected.
    """
    paths = DatasetPaths(name)
    yield from read(root / paths.raw, layout)
    yield from read_additions(paths, load_additions(root / ADDITIONS, name), root)


def read_additions(paths: DatasetPaths, rows: pd.DataFrame, root: Path = Path()) -> Iterator[Example]:
    """Read added images, each held against its sha256.

    Args:
        paths: of their dataset.
        rows: id, label and sha256 of each.
        root: the project's root; by default the current folder.

    Raises:
        PodiumError: a file is not here, or is another one.
    """
    for id_, label, digest in zip(rows["id"], rows["label"], rows["sha256"], strict=True):
        file = paths.additions / id_.removeprefix(PREFIX)
        try:
            data = (root / file).read_bytes()
        except OSError as error:
            wrong = "is not here" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
            raise PodiumError(_not_as_expected(file, wrong, paths)) from None
        if (found := hashlib.sha256(data).hexdigest()) != digest:
            raise PodiumError(_not_as_expected(file, f"is another image: its sha256 is {found}", paths))
        yield Example(id_, ADDED, label, data)


def check_additions(paths: DatasetPaths, rows: pd.DataFrame) -> None:
    """Make sure that all added images are here, before a long pass over a dataset begins.

    Raises:
        PodiumError: a file is not here, or is another one.
    """
    for _ in read_additions(paths, rows):
        pass


def _not_as_expected(file: Path, wrong: str, paths: DatasetPaths) -> str:
    pointer = f"{paths.additions}.dvc"
    return (
        f"{file} {wrong}, and {ADDITIONS} names it as a part of {paths.name}. Restore it: `dvc checkout {pointer}`, or "
        f"`dvc pull {pointer}` if a colleague accepted it. Or take its line out of {ADDITIONS}."
    )
