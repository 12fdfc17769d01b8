"""From images as they arrived to arrays of one size, by split."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import PIL
from numpy.typing import NDArray

from podium.config.datasets import Dataset
from podium.datasets import arrays
from podium.datasets.arrays import SPLITS, SplitWriter
from podium.datasets.formats.example import Box, Example
from podium.errors import PodiumError
from podium.files import remove
from podium.images import decoding
from podium.images.decoding import OPENCV_FORMATS, decode
from podium.images.fitting import Placement, fit
from podium.images.opening import BadImageError
from podium.images.parallel import map_in_order
from podium.progress import show_progress

IMAGES_BETWEEN_MARKS = 4096
"""Images between two entries in the progress file."""
PROGRESS_FILE = "progress.json"

Prepared = tuple[NDArray[np.uint8], int, Box | tuple[()]]


def write_arrays(
    examples: Iterable[Example],
    manifest: pd.DataFrame,
    assigned: pd.DataFrame,
    dataset: Dataset,
    folder: Path,
    workers: int | None = None,
) -> None:
    """Write the arrays of every split, the class names and the split manifest.

    What an earlier call left half-done in the folder, from the same images in the same way, is used again.

    Args:
        examples: the dataset's images, in the archive's order.
        manifest: one row for each of them.
        assigned: the split manifest, one row for each of them.
        dataset: names the classes and the size of the images.
        folder: the processed folder to fill; see `podium.datasets.arrays` for what it holds.
        workers: how many images to decode at once; see `map_in_order`. The bytes do not depend on it.

    Raises:
        PodiumError: an image cannot be decoded, although it passed validation.
    """
    key = _resume_key(manifest, assigned, dataset)
    done = _read_progress(folder, key)
    if not done:
        remove(folder)
    positions = {label: position for position, label in enumerate(dataset.classes)}
    splits = assigned["split"].tolist()
    sizes = list(zip(manifest["width"].tolist(), manifest["height"].tolist(), strict=True))
    kinds = zip(manifest["format"], manifest["mode"], strict=True)
    written = Counter(splits[:done])

    def prepare(row: tuple[Example, str, tuple[int, int], tuple[str, str]]) -> Prepared | None:
        example, split, size, kind = row
        return _prepare(example, size, kind in OPENCV_FORMATS, dataset, positions) if split in SPLITS else None

    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                SplitWriter(
                    folder / name,
                    dataset.image.shape,
                    assigned.loc[assigned["split"] == name, "id"].tolist(),
                    boxes=dataset.target == "label_and_box",
                    written=written[name],
                )
            )
            for name in SPLITS
        }
        rows = islice(zip(examples, splits, sizes, kinds, strict=True), done, None)
        if not manifest["format"].any():  # pixels from tables: there is nothing to decode
            workers = 1
        prepared = map_in_order(prepare, rows, lambda row: row[0].nbytes, workers)
        shown = show_progress(prepared, "images", len(splits), done)
        for number, (one, split) in enumerate(zip(shown, splits[done:], strict=True), start=done + 1):
            if one is not None:
                writers[split].write(*one)
            if number % IMAGES_BETWEEN_MARKS == 0:
                for writer in writers.values():
                    writer.sync()
                _save_progress(folder, key, number)
    names = json.dumps(list(dataset.classes.values()), ensure_ascii=False)
    (folder / "classes.json").write_text(names + "\n", encoding="utf-8")
    assigned.to_csv(folder / "split.csv", index=False, lineterminator="\n")
    (folder / PROGRESS_FILE).unlink(missing_ok=True)


def _prepare(
    example: Example, size: tuple[int, int], proved: bool, dataset: Dataset, positions: dict[str, int]
) -> Prepared:
    size_of_arrays, image = dataset.image, example.image
    if image is None:
        raise PodiumError(f"{example.id} cannot be used ({example.fault}), although it passed validation. {_AGAIN}")
    try:
        if isinstance(image, bytes):
            pixels = decode(image, size_of_arrays, size if proved else None)
        else:
            pixels = fit(image, size_of_arrays)
    except BadImageError as error:
        raise PodiumError(f"{example.id}: {error}, although it passed validation. {_AGAIN}") from None
    if dataset.target == "label" or example.box is None:
        return pixels, positions[example.label], ()
    box = Placement.of(*size, size_of_arrays).move(example.box, size_of_arrays)
    return pixels, positions[example.label], box


_AGAIN = "Validate the dataset again: `dvc repro --force validate@NAME`."


def _resume_key(manifest: pd.DataFrame, assigned: pd.DataFrame, dataset: Dataset) -> str:
    """Sum up all that the arrays depend on: what a killed run wrote is used again only where this is the same."""
    digest = hashlib.sha256()
    for table in (manifest, assigned):
        for start in range(
            0, len(table), IMAGES_BETWEEN_MARKS
        ):  # by blocks, because hashing makes objects of all it reads
            block = table.iloc[start : start + IMAGES_BETWEEN_MARKS]
            digest.update(pd.util.hash_pandas_object(block).to_numpy().tobytes())
    images = sorted(Path(str(decoding.__file__)).parent.glob("*.py"))
    for code in (Path(str(arrays.__file__)), Path(__file__), *images):
        digest.update(code.read_bytes())
    facts = (dataset.image, dataset.classes, dataset.target, cv2.__version__, PIL.__version__, np.__version__)
    digest.update(repr(facts).encode())
    return digest.hexdigest()


def _read_progress(folder: Path, key: str) -> int:
    """Tell how many images a killed run wrote for certain; 0 if it was about other images, or did not get far."""
    try:
        progress = json.loads((folder / PROGRESS_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return 0
    return int(progress["images"]) if progress["key"] == key else 0


def _save_progress(folder: Path, key: str, count: int) -> None:
    beside = folder / f".{PROGRESS_FILE}"
    beside.write_text(json.dumps({"key": key, "images": count}), encoding="utf-8")
    beside.replace(folder / PROGRESS_FILE)
