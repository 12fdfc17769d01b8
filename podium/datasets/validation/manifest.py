"""The manifest: one row an image, small enough to keep in memory. `scan` makes it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pyarrow import parquet

from podium.errors import PodiumError

TYPES = {
    **dict.fromkeys(("id", "part", "label", "format", "mode"), "str"),
    **dict.fromkeys(("height", "width", "channels", "bytes", "darkest", "brightest"), "int64"),
    **dict.fromkeys(("brightness", "contrast", "sharpness", "red", "green", "blue"), "float32"),
    **dict.fromkeys(("hash", "sha256"), "str"),
    **dict.fromkeys(("box_left", "box_top", "box_width", "box_height"), "float64"),
    **dict.fromkeys(("notice", "fault"), "str"),
}
"""The columns that one pass over the images fills, and their types; `podium.images.measures` explains the measures."""
SEEN = [*TYPES]
COMPARED = [*SEEN, "group", "left_out"]
"""What versions are compared by: what was seen, the group of near-duplicates, and why an image is left out."""
COLUMNS = [*COMPARED, "split", "reason"]
"""Of a whole manifest: also the split of each image, and why it is in it."""


def as_seen(seen: pd.DataFrame) -> pd.DataFrame:
    """Give a whole manifest of what was seen: no image is like another, none is left out, parts are splits."""
    nothing = pd.Series(pd.NA, index=seen.index, dtype="str")
    return seen.assign(group=range(len(seen)), left_out=nothing, split=seen["part"], reason="the archive's own")


def save_manifest(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest as Parquet; the same manifest gives the same bytes."""
    manifest.to_parquet(path, engine="pyarrow", index=False, compression="zstd")


def load_manifest(path: Path, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Read a manifest, or some columns of it.

    Raises:
        PodiumError: there is none, or it lacks a column.
    """
    if not path.is_file():
        raise PodiumError(f"There is no manifest at {path}: the dataset is not validated. Run `dvc repro`.")
    lacking = set(columns) - set(parquet.read_schema(path).names)
    if lacking:
        raise PodiumError(
            f"{path} was written by another version of podium: it lacks {', '.join(sorted(lacking))}. Write it anew: "
            "`dvc repro --force validate@NAME`."
        )
    # On one thread: Arrow's own may abort the process when it ends (https://github.com/apache/arrow/issues/34314).
    table = parquet.read_table(path, columns=[*columns], use_threads=False)
    manifest: pd.DataFrame = table.to_pandas(use_threads=False)
    return manifest
