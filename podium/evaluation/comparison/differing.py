"""The images on which models differ, those first of which all were sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.config.datasets import Image
from podium.datasets.arrays import Split, open_split
from podium.evaluation.comparison.measuring import Comparison
from podium.images.fitting import fit
from podium.pages.thumbnails import draw_thumbnail, thumbnail_size

MAX_SHOWN = 48
"""Images on a page; of each kind of disagreement a third of them, for each pair of models."""
MIN_OF_KIND = 4


@dataclass(frozen=True)
class Answer:
    """What one model says of an image; its confidence is 0–1."""

    model: str
    predicted: str
    confidence: float
    right: bool


@dataclass(frozen=True)
class Shown:
    """An image on the page; its thumbnail is a WebP file, None where the image is not here."""

    id: str
    actual: str
    answers: tuple[Answer, ...]
    thumbnail: bytes | None


@dataclass(frozen=True)
class Disagreement:
    """One kind of disagreement between two models: how many images, of how many groups, and some of them."""

    title: str
    count: int
    groups: int
    images: tuple[Shown, ...]


class Images:
    """The images of a split as they lie in the project, found by id and content."""

    def __init__(self, processed: Path, split: str) -> None:
        """Open the arrays of a split; there may be none."""
        self._split: Split | None = None
        self._rows: dict[tuple[str, str], int] = {}
        manifest = processed / "split.csv"
        if (processed / split / "ids.npy").is_file() and manifest.is_file():
            self._split = open_split(processed / split)
            known = pd.read_csv(manifest, dtype=str, keep_default_na=False, usecols=["id", "sha256"])
            digests = dict(zip(known["id"], known["sha256"], strict=True))
            self._rows = {(str(id_), digests.get(str(id_), "")): row for row, id_ in enumerate(self._split.ids)}

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._rows

    def thumbnail(self, id_: str, digest: str, box: NDArray[np.float32] | None = None) -> bytes | None:
        """Draw an image small, as a WebP file, its box in it; None if it is not here.

        Args:
            id_: the image's id.
            digest: its sha256.
            box: left, top, width, height in pixels of the arrays' images.
        """
        row = self._rows.get((id_, digest))
        if row is None or self._split is None:
            return None
        image = np.asarray(self._split.images[row])
        height, width = thumbnail_size(*image.shape[:2])
        small = fit(image, Image(height=height, width=width, channels=image.shape[2], resize="stretch"))
        if box is None:
            return draw_thumbnail(small)
        left, top, across, down = (box * np.tile(np.array([width, height]) / image.shape[1::-1], 2)).tolist()
        return draw_thumbnail(small, (left, top, across, down))

    def are_of(self, shape: tuple[int, int, int]) -> bool:
        """Say whether the images here have a shape: height, width, channels."""
        return self._split is not None and self._split.images.shape[1:] == shape


def find_disagreements(comparison: Comparison, images: Images) -> list[Disagreement]:
    """Find where the first model and each other one differ: who is right alone, and where both are wrong differently.

    The images come in the order of the confidence of the less sure of the two, so that those on which both were sure
    come first.
    """
    contenders, predictions = comparison.contenders, comparison.common.predictions
    first, found = predictions[0], []
    most = max(MIN_OF_KIND, MAX_SHOWN // 3 // (len(contenders) - 1))
    for place in range(1, len(contenders)):
        other, pair = predictions[place], (0, place)
        one, two = contenders[0].name, contenders[place].name
        sure = np.minimum(first.confidence, other.confidence)
        for title, which in (
            (f"{one} is right, {two} is wrong", first.right & ~other.right),
            (f"{two} is right, {one} is wrong", ~first.right & other.right),
            (
                "both are wrong, and say different things",
                ~first.right & ~other.right & (first.predicted != other.predicted),
            ),
        ):
            rows = np.flatnonzero(which)
            chosen = rows[np.argsort(-sure[rows], kind="stable")][:most]
            shown = tuple(_show(comparison, pair, int(row), images) for row in chosen)
            found.append(Disagreement(title, len(rows), len(np.unique(comparison.common.groups[rows])), shown))
    return found


def _show(comparison: Comparison, pair: Sequence[int], row: int, images: Images) -> Shown:
    first = comparison.common.predictions[0]
    answers = []
    for place in pair:
        some = comparison.common.predictions[place]
        name, confidence = comparison.contenders[place].name, float(some.confidence[row])
        answers.append(Answer(name, some.classes[some.predicted[row]], confidence, bool(some.right[row])))
    id_ = str(first.ids[row])
    box = None if first.boxes is None or not images.are_of(first.shape) else first.boxes[row]
    thumbnail = images.thumbnail(id_, str(first.digests[row]), box)
    return Shown(id_, first.classes[first.labels[row]], tuple(answers), thumbnail)
