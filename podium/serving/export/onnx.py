"""ONNX: one file for ONNX Runtime, on servers, phones and in browsers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.images.parallel import count_processors
from podium.serving.export.browser import open_onnxruntime_web
from podium.serving.export.source import Convertible
from podium.serving.export.target import File, Heads, Runner, Runtime, Target


def _write(source: Convertible, path: Path) -> None:
    shutil.copyfile(source.onnx, path)


class _OnnxRunner:
    def __init__(self, path: Path) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = count_processors()
        # Threads that spin as they wait take processors from others: on busy ones 15–20 ms, not 12 (measured)
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        settings.log_severity_level = 3  # mistakes, no advice
        self._session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Heads:
        return dict(zip(self._names, self._session.run(None, {"image": pixels}), strict=True))


@contextmanager
def _open(path: Path) -> Iterator[Runner]:
    yield _OnnxRunner(path)


TARGET = Target(
    what="one file for ONNX Runtime",
    how="""```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
pixels = np.zeros((1, HEIGHT, WIDTH, CHANNELS), np.uint8)  # your image, of the model's size
probabilities = session.run(["label"], {"image": pixels})[0]
```""",
    files=(
        File(
            "model.onnx",
            _write,
            (Runtime("ONNX Runtime", _open), Runtime("onnxruntime-web", open_onnxruntime_web, is_slow=True)),
        ),
    ),
)
