"""What is exported: a version that answers, and its model on the way into other forms."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from podium.models.quiet import hushed
from podium.serving.predictor import Predictor

OPSET: Final = 17
"""Of the operators in an ONNX file: runtimes from 2022 on read it."""


class Convertible:
    """A model of which forms are made; those that several targets need are made once."""

    def __init__(self, model: Any, folder: Path) -> None:
        """Take a model.

        Args:
            model: the keras.Model, as it was trained.
            folder: an empty one, for forms on the way; it goes with the caller.
        """
        from podium.models.portable import inference_form

        self.trained, self.model, self._folder = model, inference_form(model), folder

    @property
    def spec(self) -> Any:
        """The tf.TensorSpec of its input: `image`, (n, height, width, channels) uint8."""
        import tensorflow as tf

        (entrance,) = self.model.inputs
        return tf.TensorSpec((None, *entrance.shape[1:]), entrance.dtype, name=entrance.name)

    @cached_property
    def saved_model(self) -> Path:
        """It as a SavedModel, a folder; only to be read."""
        path = self._folder / "saved_model"
        with hushed():
            self.model.export(path, format="tf_saved_model", input_signature=[self.spec], verbose=False)
        return path

    @cached_property
    def onnx(self) -> Path:
        """It as an ONNX file, its outputs by their names, float32; only to be read."""
        path = self._folder / "model.onnx"
        with hushed():
            self.model.export(path, format="onnx", opset_version=OPSET, input_signature=[self.spec], verbose=False)
        return path


@dataclass(frozen=True)
class Source:
    """A version that is exported.

    Attributes:
        predictor: it, ready to answer: the reference.
        convertible: its model.
    """

    predictor: Predictor
    convertible: Convertible


@contextmanager
def convertible(model: Any) -> Iterator[Convertible]:
    """Give a model to be converted; what is made on the way is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="podium-export-") as folder:
        yield Convertible(model, Path(folder))


def as_float(heads: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Give heads as NumPy's arrays."""
    return {name: np.asarray(head, np.float32) for name, head in heads.items()}
