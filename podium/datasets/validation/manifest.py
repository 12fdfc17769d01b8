"""The manifest: one row an image, made in one pass over the dataset, small enough to keep in memory."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import cv2
import pandas as pd
from pyarrow import parquet

from podium.datasets.formats.example import Example
from podium.errors import PodiumError
from podium.images import measures
from podium.images.decoding import BadImageError, inspect
from podium.images.measures import MEASURES, measure
from podium.images.parallel import map_in_order
from podium.progress import show_progress

_TYPES = {
    **dict.fromkeys(("id", "part", "label", "format", "mode"), "str"),
    **dict.fromkeys(("height", "width", "channels", "bytes"), "int64"),
    **dict.fromkeys(MEASURES, "float32"),
    **dict.fromkeys(("darkest", "brightest"), "int64"),
    **dict.fromkeys(("hash", "sha256"), "str"),
    **dict.fromkeys(("box_left", "box_top", "box_width", "box_height"), "float64"),
    **dict.fromkeys(("notice", "fault"), "str"),
}
SEEN = [*_TYPES]
"""What one pass over the images finds."""
COLUMNS = [*SEEN, "group", "left_out"]
"""A whole manifest: what was seen, who looks like whom, and what is left out."""

BLOCK = 4096
"""Rows that are Python's objects at a time."""


def build_manifest(examples: Iterable[Example]) -> pd.DataFrame:
    """Look at every image once, decode it in full, and note what validation and splitting need to know.

    Args:
        examples: the dataset's images.

    Returns:
        A table with the columns `SEEN`, in the order of the images. `format` and `mode` are Pillow's names,
        empty for images from tables. Sizes and boxes are in pixels, `bytes` and `sha256` are of the file or, for
        images from tables, of the pixels; `podium.images.measures` explains the measures between. `notice`
        says what is odd about a usable image. One that cannot be used has a `fault`, and zeros.
    """
    rows = show_progress(map_in_order(_row, examples, weigh=lambda example: example.nbytes), "images")
    batches = iter(lambda: list(islice(rows, BLOCK)), [])
    blocks = [pd.DataFrame(batch, columns=SEEN).astype(_TYPES) for batch in batches]
    return pd.concat(blocks or [pd.DataFrame(columns=SEEN).astype(_TYPES)], ignore_index=True)


def as_seen(seen: pd.DataFrame) -> pd.DataFrame:
    """Give a whole manifest of what was seen in which no image is like another and none is left out."""
    return seen.assign(group=range(len(seen)), left_out=pd.Series(pd.NA, index=seen.index, dtype="str"))


def _row(example: Example) -> tuple[object, ...]:
    image, fault, notice, data = example.image, example.fault, "", b""
    facts: tuple[object, ...] = ("", "", 0, 0, 0)
    seen = measures.NOTHING
    if isinstance(image, bytes):
        data = image
        try:
            found = inspect(data, example.id)
        except BadImageError as error:
            fault = str(error)
        else:
            facts = (found.format, found.mode, found.height, found.width, found.channels)
            seen, notice = measure(found.gray, found.colour), found.notice
    elif image is not None:
        data = image.tobytes()
        facts = ("", "", *image.shape)
        gray = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        mean = cv2.mean(image)
        seen = measure(gray, (mean[0], mean[0], mean[0]) if image.shape[2] == 1 else mean[:3])
    digest = hashlib.sha256(data).hexdigest() if data else ""
    return (
        *(example.id, example.part, example.label, *facts, len(data), *seen, digest),
        *(*(example.box or (None,) * 4), notice or None, fault or None),
    )


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
