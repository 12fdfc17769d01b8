"""Example images: some of the test split's, as its arrays hold them; without these, the model's golden images."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.datasets.arrays import open_split
from podium.files import file_digest
from podium.paths import DatasetPaths
from podium.serving.app.shelf import Model
from podium.serving.golden import ARTIFACTS, FaultError, read_golden

MOST = 12
"""Examples, one of a class."""


@dataclass(frozen=True)
class Examples:
    """Some images, and what they are.

    Attributes:
        images: each as a PNG file, with its class.
        note: where they come from, for people.
    """

    images: tuple[tuple[bytes, str], ...]
    note: str


def choose_examples(root: Path, model: Model) -> Examples:
    """Choose a handful of images that a model was not trained on."""
    processed = root / DatasetPaths(model.found.facts.dataset or model.found.name).processed
    size = model.predictor.size
    try:
        split = open_split(processed / "test")
        digest = file_digest(processed / "split.csv")
    except (OSError, ValueError):
        return _golden(model)
    labels, classes = np.asarray(split.labels), model.predictor.classes
    if split.images.shape[1:] != size.shape or labels.max(initial=0) >= len(classes):
        return _golden(model)
    _, rows = np.unique(labels, return_index=True)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).round().astype(int))]
    images = tuple((_encode(np.asarray(split.images[row])), classes[labels[row]]) for row in rows)
    note = f"From the test split, at the model's own size of {size.width} × {size.height} pixels."
    known = model.found.facts.tags.get("podium.splits")
    if known is not None and known != digest:
        note += f" {model.title} is of another version of the data: it may have been trained on some of them."
    return Examples(images, note)


def _golden(model: Model) -> Examples:
    try:
        golden = read_golden(model.found.folder.resolve())[:MOST]
    except FaultError:  # somebody has cleared the folder that it was loaded from
        return Examples((), "There are no example images.")
    files = [model.found.folder / ARTIFACTS / image["image"] for image in golden]
    images = tuple((file.read_bytes(), str(one["label"])) for file, one in zip(files, golden, strict=True))
    return Examples(images, "From the validation split, at the model's own size; named as the model named them.")


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()
