"""The manifest: one row a picture, made in one pass over the dataset, small enough to keep in memory."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from podium.errors import PodiumError
from podium.formats.example import Example
from podium.pictures import BadPictureError, Facts, inspect
from podium.progress import show_progress
from podium.workers import map_in_order

COLUMNS = [
    *("id", "part", "label", "format", "mode", "height", "width", "channels", "darkest", "brightest", "sha256"),
    *("box_left", "box_top", "box_width", "box_height", "notice", "fault"),
]

_UNUSABLE = Facts("", "", 0, 0, 0, 0, 0, "")


def build_manifest(examples: Iterable[Example]) -> pd.DataFrame:
    """Look at every picture once, decode it in full, and note what validation and splitting need to know.

    Args:
        examples: the dataset's pictures.

    Returns:
        A table with the columns `COLUMNS`, in the order of the pictures. `format` and `mode` are Pillow's names,
        empty for pictures from tables. Sizes and boxes are in pixels, `darkest` and `brightest` are the least and
        the greatest gray value (0–255), `sha256` is of the file or, for pictures from tables, of the pixels.
        `notice` says what is odd about a usable picture. One that cannot be used has a `fault`, and zeros.
    """
    rows = map_in_order(_row, examples, weigh=lambda example: example.nbytes)
    return pd.DataFrame(show_progress(rows, "pictures"), columns=COLUMNS)


def _row(example: Example) -> tuple[object, ...]:
    picture, facts, data, fault = example.picture, _UNUSABLE, b"", example.fault
    if isinstance(picture, bytes):
        data = picture
        try:
            facts = inspect(data, example.id)
        except BadPictureError as error:
            fault = str(error)
    elif picture is not None:
        data = picture.tobytes()
        height, width, channels = picture.shape
        facts = Facts("", "", height, width, channels, min(data), max(data), "")
    digest = hashlib.sha256(data).hexdigest() if data else ""
    box = example.box or (None,) * 4
    return (
        *(example.id, example.part, example.label, facts.format, facts.mode, facts.height, facts.width),
        *(facts.channels, facts.darkest, facts.brightest, digest, *box, facts.notice or None, fault or None),
    )


def save_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest as Parquet; the same manifest gives the same bytes."""
    manifest.to_parquet(path, engine="pyarrow", index=False, compression="zstd")


def load_manifest(path: Path, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Read a manifest, or some columns of it; raise PodiumError if there is none."""
    if not path.is_file():
        raise PodiumError(f"There is no manifest at {path}: the dataset is not validated. Run `dvc repro`.")
    return pd.read_parquet(path, engine="pyarrow", columns=[*columns])
