"""Models that say what a test wants, without TensorFlow."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from podium.images.given import Given
from podium.images.opening import BadImageError
from podium.serving.app.about import About
from podium.serving.app.shelf import Model
from podium.serving.finding import Facts, Found
from podium.serving.reading import read_image
from podium.tracking.classifier import Size


class StandIn:
    """A predictor that says the same of every image that can be read."""

    threshold = 0.5
    can_explain = True
    size = Size(4, 4, 1, "stretch")

    def __init__(self, found: Found, classes: Sequence[str], label: str, box: list[float] | None = None) -> None:
        self.found, self.classes, self.label, self.box = found, tuple(classes), label, box

    @property
    def classifier(self) -> "StandIn":
        return self

    def read(self, image: Any) -> Given | str:
        try:
            return read_image(image, self.size)
        except BadImageError as error:
            return str(error)

    def answer(self, images: Sequence[Given | str]) -> list[dict[str, Any]]:
        return [self._say(image) for image in images]

    def explain(self, image: Any, label: str, longest: int) -> np.ndarray:
        return np.ones((4, 4), np.float32)

    def _say(self, image: Given | str) -> dict[str, Any]:
        if isinstance(image, str):
            return {"label": None, "probability": None, "unsure": None, "probabilities": None, "error": image}
        rest = 0.4 / (len(self.classes) - 1)
        shares = {name: 0.6 if name == self.label else rest for name in self.classes}
        answer = {"label": self.label, "probability": 0.6, "unsure": False, "probabilities": shares, "error": ""}
        return answer if self.box is None else answer | {"box": self.box}


def make_model(version: str, label: str = "one", *, name: str = "digits", **facts: Any) -> Model:
    found = Found(Path("nowhere") / version, name, version, Facts(dataset=name, **facts))
    return Model(StandIn(found, ("zero", "one", "two"), label), About())  # type: ignore[arg-type]


def draw(side: int = 12, seed: int = 0, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind)
    return file.getvalue()
