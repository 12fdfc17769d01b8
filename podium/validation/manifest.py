"""The manifest: one row a picture, made in one pass over the dataset, small enough to keep in memory."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from podium.errors import PodiumError
from podium.formats.example import Example

COLUMNS = ["id", "part", "label", "height", "width", "channels", "darkest", "brightest", "sha256", "fault"]


def build_manifest(examples: Iterable[Example]) -> pd.DataFrame:
    """Look at every picture once and note what validation and splitting need to know.

    Args:
        examples: the dataset's pictures.

    Returns:
        A table with the columns `COLUMNS`, in the order of the pictures. Sizes are in pixels, `darkest` and
        `brightest` are the least and the greatest pixel value (0–255), `sha256` is of the decoded pixels. A
        picture that cannot be used has a `fault` and zeros.
    """
    rows = [_row(example) for example in examples]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(example: Example) -> tuple[str, str, str, int, int, int, int, int, str, str | None]:
    pixels = example.pixels
    if pixels is None:
        return (example.id, example.part, example.label, 0, 0, 0, 0, 0, "", example.fault)
    data = pixels.tobytes()
    digest = hashlib.sha256(data).hexdigest()
    return (example.id, example.part, example.label, *pixels.shape, min(data), max(data), digest, None)


def save_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest as Parquet; the same manifest gives the same bytes."""
    manifest.to_parquet(path, engine="pyarrow", index=False, compression="zstd")


def load_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest; raise PodiumError if there is none."""
    if not path.is_file():
        raise PodiumError(f"There is no manifest at {path}: the dataset is not validated. Run `dvc repro`.")
    return pd.read_parquet(path, engine="pyarrow")
