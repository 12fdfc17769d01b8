"""The first layer at which a converted model differs from Keras, or which cannot be converted at all.

Found by halves: the model is cut off after a layer, converted in the same way, and asked; seven cuts suffice for a
hundred layers.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from podium.serving.export.source import as_float, convertible
from podium.serving.export.target import File, Runtime

logger = logging.getLogger(__name__)

TOLERANCE: Final = 1e-4
"""Of the greatest number that a layer gives: by how much its numbers may differ."""
_KINDS = {
    "Cast": "scale",
    "CenterCrop": "resize",
    "Flip": "scale",
    "Normalization": "scale",
    "Rescaling": "scale",
    "Resizing": "resize",
}
"""Layers that prepare pixels, by what they do."""

Step = tuple[str, str, Any]


def find_diverging(model: Any, file: File, runtime: Runtime, pixels: NDArray[np.uint8]) -> str:
    """Name the first layer at which a runtime differs from Keras.

    Args:
        model: the keras.Model, as it was trained.
        file: how it is converted.
        runtime: what answers from that file.
        pixels: (1, height, width, channels) uint8: an image about which they differ.

    Returns:
        `layer 'bn1' (BatchNormalization), the 5th of 90`; with `resize:` or `scale:` before it where a layer of
        preparation is the first; `model`, if no cut differs.
    """

    def differs(cut: Any) -> bool:
        with convertible(cut) as form, TemporaryDirectory(prefix="podium-export-") as folder:
            file.write(form, Path(folder) / file.name)
            with runtime.open(Path(folder) / file.name) as runner:
                said = as_float(runner.predict_on_batch(pixels))["label"]
        expected = as_float(cut.predict_on_batch(pixels))["label"]
        return not np.allclose(said, expected, rtol=0, atol=TOLERANCE * max(1.0, float(np.abs(expected).max())))

    return _find(model, differs)


def find_failing(model: Any, file: File) -> str:
    """Name the first layer with which a model cannot be converted, likewise."""

    def fails(cut: Any) -> bool:
        with convertible(cut) as form, TemporaryDirectory(prefix="podium-export-") as folder:
            try:
                file.write(form, Path(folder) / file.name)
            except Exception as error:  # noqa: BLE001 - every converter fails in its own way, and here that is the answer
                logger.debug("%s: %s", file.name, error)
                return True
        return False

    return _find(model, fails)


def _find(model: Any, is_wrong: Callable[[Any], bool]) -> str:
    """Find the first step after which something is wrong, if it stays wrong from there on."""
    from podium.models.portable import cut_after, steps, unfold

    flat = unfold(model)
    listed: list[Step] = [step for step in steps(flat) if step[1] != "Dropout"]
    low, high = 0, len(listed)
    while low < high:
        middle = (low + high) // 2
        if is_wrong(cut_after(flat, listed[middle][2])):
            high = middle
        else:
            low = middle + 1
    if low == len(listed):
        return "model"
    name, kind, _ = listed[low]
    what = f"layer '{name}' ({kind}), number {low + 1} of {len(listed)}"
    return f"{_KINDS[kind]}: {what}" if kind in _KINDS else what
