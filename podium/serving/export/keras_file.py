"""The .keras file itself, with the names of its classes beside it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from podium.files import save_json
from podium.serving.export.source import Convertible, Source
from podium.serving.export.target import File, Runner, Runtime, Target
from podium.serving.golden import ARTIFACTS
from podium.serving.predictor import CLASSES
from podium.tracking.logged_model import MODEL


def _write(source: Convertible, path: Path) -> None:
    from podium.models.files import save_model

    save_model(source.trained, path)


@contextmanager
def _open(path: Path) -> Iterator[Runner]:
    from podium.models.files import load_model

    yield load_model(path)


def _finish(source: Source, folder: Path) -> None:
    artifacts = source.predictor.found.folder / ARTIFACTS
    save_json(json.loads((artifacts / CLASSES).read_text(encoding="utf-8")), folder / CLASSES)


TARGET = Target(
    what="the model as Keras reads it",
    how="""```python
import json

import keras
import numpy as np

model = keras.saving.load_model("model.keras", compile=False)
pixels = np.zeros((1, HEIGHT, WIDTH, CHANNELS), np.uint8)  # your image, of the model's size
best = model.predict(pixels)["label"].argmax()
print(json.load(open("classes.json"))["classes"][best])
```""",
    files=(File(MODEL, _write, (Runtime("Keras, reloaded", _open),)),),
    finish=_finish,
)
