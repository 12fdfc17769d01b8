"""A logged model that answers about raw images. This file travels with the model, and runs where no podium is.

So it imports nothing of podium but the decoder, `podium.images`, and the log of requests, whose files travel with it as
well (`podium.tracking.packing`), and TensorFlow only as a model is loaded.

What it takes, by MLflow's signature: a table with the column `image`, or `{"image": [...]}`. By itself also the images
alone: one, or a list of them, or an array (n, height, width, channels). An image is an array (height, width, channels)
uint8, the bytes of an image file, or these as base64 text.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.images.given import Given, read_given
from podium.images.opening import BadImageError
from podium.tracking.request_log import RequestLog

MAX_IMAGES: Final = 1024
"""Of a call."""
BATCH: Final = 32
"""Images that are decoded, and that the model sees, at once."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """The images of the model: see `podium.config.datasets.Image`."""

    height: int
    width: int
    channels: Literal[1, 3]
    resize: Literal["stretch", "pad", "crop"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.height, self.width, self.channels)


class Classifier:
    """A model with the names of its classes, and what it takes to read an image and to say unsure.

    Many threads may ask it at once.

    Attributes:
        model: the keras.Model.
        classes: their names, in the order of the output `label`.
        size: of the images that the model sees.
        threshold: below which probability it is unsure; None if there is none.
        has_boxes: whether it says where, too.
        log: takes note of what `predict` is asked; None if nobody wants that.
    """

    log: RequestLog | None = None
    name = ""
    """Of the model, in the log."""

    def __init__(self, model: Any, known: Answer) -> None:
        """Make it ready to answer.

        Args:
            model: the keras.Model; its outputs are those of the zoo (`podium.models.zoo`).
            known: `classes`, their names in the order of the output `label`; `image`, a `Size`; `threshold`, below
                which probability it is unsure, or None; `boxes`, whether it has the output `box`.
        """
        self.model, self.classes, self.size = model, known["classes"], Size(**known["image"])
        self.threshold, self.has_boxes = known["threshold"], known["boxes"]
        for count in (1, 2):  # the graphs of one image and of several are made here, not by the first that ask
            self.model.predict_on_batch(np.zeros((count, *self.size.shape), np.uint8))

    def predict(self, model_input: Any) -> list[Answer]:
        """Answer about images.

        Args:
            model_input: see the module's docstring.

        Returns:
            For each image, in order: `label`, `probability` of it, `unsure` (None if there is no threshold),
            `probabilities` by class, `error`, which is empty, and, if the model knows boxes, `box`: left, top, right
            and bottom in the image's own pixels, upright. Of an image that cannot be read, `error` says why and all
            else is None. Of more than `MAX_IMAGES` there is one such answer to all: MLflow's server shows whoever asks
            the traceback of an exception.

        Raises:
            ValueError: they came in a table without a column `image`.
        """
        images = _list_images(model_input)
        if len(images) > MAX_IMAGES:
            return [_refuse(f"{len(images):,} images at once; ask for at most {MAX_IMAGES:,}", self.has_boxes)]
        waiting, answers = iter(images), list[Answer]()
        while some := list(islice(waiting, BATCH)):
            read = [self._read(image) for image in some]
            told = self.answer(read)
            if self.log:
                for image, answer in zip(read, told, strict=True):
                    self.log.note(self.name, image, answer)
            answers += told
        return answers

    def _read(self, image: Any) -> Given | str:
        try:
            return read_given(image, self.size)
        except BadImageError as error:
            return str(error)

    def answer(self, images: Sequence[Given | str]) -> list[Answer]:
        """Answer about images that are read already; the model sees all of them at once.

        Args:
            images: read to the model's size; or why one cannot be read.

        Returns:
            As `predict` does.
        """
        good = [image for image in images if isinstance(image, Given)]
        heads = self.model.predict_on_batch(np.stack([image.pixels for image in good])) if good else {}
        boxes = heads["box"] if good and self.has_boxes else [None] * len(good)
        told = iter([*zip(good, heads.get("label", ()), boxes, strict=True)])
        return [
            _refuse(image, self.has_boxes) if isinstance(image, str) else self._tell(*next(told)) for image in images
        ]

    def _tell(self, image: Given, probabilities: NDArray[np.float32], box: NDArray[np.float32] | None) -> Answer:
        if not np.isfinite(probabilities).all():
            return _refuse("the model's probabilities of it are no numbers", self.has_boxes)
        best = int(probabilities.argmax())
        probability = float(probabilities[best])
        answer: Answer = {
            "label": self.classes[best],
            "probability": probability,
            "unsure": None if self.threshold is None else probability < self.threshold,
            "probabilities": dict(zip(self.classes, map(float, probabilities), strict=True)),
            "error": "",
        }
        if box is not None:
            limits = np.array([image.width, image.height] * 2)
            array = np.array([self.size.width, self.size.height] * 2)
            answer["box"] = np.clip(image.placement.move_back(box * array), 0, limits).tolist()
        return answer


def _refuse(reason: str, has_boxes: bool) -> Answer:
    nothing = dict.fromkeys(("label", "probability", "unsure", "probabilities"))
    return {**nothing, "error": reason, **({"box": None} if has_boxes else {})}


def _list_images(given: Any) -> list[Any]:
    """Give the images that were handed over, whatever they came in.

    Raises:
        ValueError: they came in a table without a column `image`.
    """
    if isinstance(given, dict | pd.DataFrame):
        columns = list(given)
        if "image" not in columns and len(columns) != 1:
            raise ValueError(f"the columns are {columns}; expected one that is named image")
        cells = _list_images(given["image" if "image" in columns else columns[0]])
        # MLflow makes one row of {"image": ["text", "text"]}.
        return cells[0] if len(cells) == 1 and _is_list_of_files(cells[0]) else cells
    if isinstance(given, np.ndarray):
        return [given] if given.ndim in (0, 3) else [*given]
    return [*given] if isinstance(given, list | tuple | pd.Series) else [given]


def _is_list_of_files(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(one, str | bytes) for one in cell)


def _load_pyfunc(path: str) -> Classifier:
    """Load the model from its folder of artifacts; MLflow asks for it by this name."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    import keras  # TensorFlow: seconds

    folder = Path(path)
    known = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    model = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
    classifier = Classifier(model, known)
    classifier.name, classifier.log = _find_name(folder.parent), RequestLog.from_environment()
    return classifier


def _find_name(folder: Path) -> str:
    """Give the version's name, which MLflow puts beside what it took from the registry; else that of the logged model.

    Example:
        `digits/3`, `models:/m-0123abcd`
    """
    known: dict[str, str] = {}
    for name in ("MLmodel", "registered_model_meta"):
        if (folder / name).is_file():
            lines = (folder / name).read_text(encoding="utf-8").splitlines()
            known |= {key: value.strip(" '\"") for key, _, value in (line.partition(":") for line in lines)}
    if "model_name" in known and "model_version" in known:
        return f"{known['model_name']}/{known['model_version']}"
    return f"models:/{known.get('model_id', '')}"
