"""LiteRT (TensorFlow Lite): small files for phones and boards, as they are, with half floats, or with whole numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from podium.images.parallel import count_processors
from podium.models.quiet import hushed
from podium.serving.export.source import Convertible
from podium.serving.export.target import File, Heads, Runner, Runtime, Target, UnfitError

_INTERPOLATIONS = ("bilinear", "nearest")


def write_litert(source: Convertible, path: Path, weights: Literal["float32", "float16", "int8"] = "float32") -> None:
    """Write a model as LiteRT reads it.

    Args:
        source: the model.
        path: the file.
        weights: how they are written. `int8` is the dynamic kind: it needs no images to be measured on, inputs and
            outputs stay as they are.

    Raises:
        UnfitError: it resizes in a way that LiteRT does not know.
    """
    import tensorflow as tf

    from podium.models.portable import steps, unfold

    for name, kind, tensor in steps(unfold(source.trained)):
        layer = tensor._keras_history.operation
        if kind == "Resizing" and (layer.interpolation not in _INTERPOLATIONS or layer.antialias):
            how = f"{layer.interpolation}{' with antialias' if layer.antialias else ''}"
            raise UnfitError(f"LiteRT does not resize {how}, as the layer '{name}' (Resizing) does")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model))
    if weights != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    with hushed():
        data = converter.convert()
    path.write_bytes(data)


class _LiteRunner:
    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(str(path), num_threads=count_processors())
        self._signature = self._interpreter.get_signature_runner()

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Heads:
        heads: Heads = self._signature(image=pixels)
        return heads


@contextmanager
def _open(path: Path) -> Iterator[Runner]:
    yield _LiteRunner(path)


TARGET = Target(
    what="files for LiteRT, which was TensorFlow Lite, on phones and boards",
    how="""```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

answer = Interpreter("model.tflite").get_signature_runner()
pixels = np.zeros((1, HEIGHT, WIDTH, CHANNELS), np.uint8)  # your image, of the model's size
probabilities = answer(image=pixels)["label"]
```

`model_float16.tflite` has half the size, `model_int8.tflite` a quarter. Both are lossy: they give the same classes as
far as the table says, with other probabilities; the threshold of "unsure" is that of the whole model.""",
    files=(
        File("model.tflite", write_litert, (Runtime("LiteRT", _open),)),
        File(
            "model_float16.tflite",
            partial(write_litert, weights="float16"),
            (Runtime("LiteRT float16", _open),),
            is_lossy=True,
        ),
        File(
            "model_int8.tflite", partial(write_litert, weights="int8"), (Runtime("LiteRT int8", _open),), is_lossy=True
        ),
    ),
)
