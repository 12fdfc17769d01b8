"""Golden images: a few of the validation split with what the training framework said of them.

They travel with a model, so that anyone can check that it still says the same, without the data.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.predictions import Predictions
from podium.files import save_json

GOLDEN = "golden.json"
COUNT = 8


def save_golden(validation: Split, predictions: Predictions, folder: Path) -> None:
    """Write golden images as PNG into `folder/golden`, and what was said of them into `folder/golden.json`.

    Args:
        validation: the split.
        predictions: for it.
        folder: must be there.

    Raises:
        PodiumError: the predictions are of other images.
    """
    places = {name: row for row, name in enumerate(predictions.ids.tolist())}
    images, digests = folder / "golden", []
    images.mkdir()
    for number, row in enumerate(choose_golden(np.asarray(validation.labels))):
        name = str(validation.ids[row])
        if name not in places:
            raise PodiumError(f"There is no prediction for the validation image {name}. Run `dvc repro`.")
        file = images / f"{number}.png"
        pixels = np.asarray(validation.images[row])
        Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file)
        digests.append({"image": f"golden/{file.name}", "id": name, **_describe(predictions, places[name])})
    save_json({"images": digests}, folder / GOLDEN)


def choose_golden(labels: NDArray[np.int64], count: int = COUNT) -> list[int]:
    """Choose rows that are spread over the classes: (n,) labels. The same labels give the same rows."""
    order = np.argsort(labels, kind="stable")
    _, first, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    turns = np.empty(len(labels), np.int64)  # the how-manieth of its class each image is
    turns[order] = np.arange(len(labels)) - np.repeat(first, sizes)
    rows = np.lexsort((labels, turns))[: max(count, len(first))]
    picked = np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(np.int64))
    return [int(row) for row in rows[picked]]


def _describe(predictions: Predictions, row: int) -> dict[str, object]:
    said = {"label": predictions.classes[predictions.predicted[row]]}
    probabilities = dict(zip(predictions.classes, predictions.probabilities[row].astype(float).tolist(), strict=True))
    if predictions.predicted_boxes is None:
        return said | {"probabilities": probabilities}
    left, top, width, height = predictions.predicted_boxes[row].astype(float).tolist()
    return said | {"probabilities": probabilities, "box": [left, top, left + width, top + height]}
