"""SavedModel: TensorFlow's own folder, for TensorFlow Serving and for converters."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.serving.export.source import Convertible, as_float
from podium.serving.export.target import File, Heads, Runner, Runtime, Target


def _write(source: Convertible, path: Path) -> None:
    shutil.copytree(source.saved_model, path)


class _SavedModelRunner:
    def __init__(self, path: Path) -> None:
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(path))

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Heads:
        return as_float(self._loaded.serve(pixels))


@contextmanager
def _open(path: Path) -> Iterator[Runner]:
    yield _SavedModelRunner(path)


TARGET = Target(
    what="a folder for TensorFlow and TensorFlow Serving",
    how="""```python
import numpy as np
import tensorflow as tf

model = tf.saved_model.load("saved_model")
pixels = np.zeros((1, HEIGHT, WIDTH, CHANNELS), np.uint8)  # your image, of the model's size
probabilities = model.serve(pixels)["label"]
```""",
    files=(File("saved_model", _write, (Runtime("TensorFlow", _open),)),),
)
