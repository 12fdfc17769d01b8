"""Predict one image and many, by the predictor and bare, timed: `python -m bench.predict_once MODEL COUNT TIMES FILE`.

A process of its own, because benches import nothing heavy: a measured process begins with its parent's peak.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.config.models import CnnModel, MobilenetModel
from podium.models.runtime import prepare
from podium.serving.finding import Facts, Found
from podium.serving.predictor import Predictor
from podium.tracking.classifier import Classifier

SIDE = 224
"""Pixels of the JPEG files."""
FIRST = 100
"""Images that the model sees alone, in each repetition."""
PART = 500
"""Images that are predicted in one way before the next has its turn: so a slow minute of the machine hits all."""
SLOW = 100
"""Images that are predicted by the published way: one by one."""
MODELS = {
    "cnn": (CnnModel(kind="cnn", filters=[32, 64, 128], dropout=0.0), (100, 100, 1)),
    "mobilenet": (
        MobilenetModel(
            kind="mobilenet", size=224, interpolation="bilinear", units=[], scaling="imagenet", weights="random"
        ),
        (224, 224, 3),
    ),
}


def main(model: str, count: str, times: str, target: str) -> None:
    """Time it, and write the seconds as JSON."""
    prepare()
    from podium.models import zoo

    options, (height, width, channels) = MODELS[model]
    size = {"height": height, "width": width, "channels": channels, "resize": "stretch"}
    known = {"classes": ["cat", "dog"], "image": size, "threshold": 0.5, "boxes": False}
    network = zoo.build(options, (height, width, channels), {"label": 2})
    predictor = Predictor(Found(Path(), model, "", Facts()), Classifier(network, known))
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        paths = write_images(Path(folder), int(count))
        arrays = np.stack([*read_all(paths, (height, width), channels)])
        one, one_array = paths[0].read_bytes(), arrays[:1]
        calls = {"first": lambda: predictor.predict([one]), "bare_first": lambda: network.predict_on_batch(one_array)}
        alone = [in_turn(calls, FIRST) for _ in range(max(3, int(times)))]
        usual = [in_turn({"": lambda: network.predict(one_array, verbose=0)}, FIRST)[""] for _ in range(3)]

        def look(part: slice) -> dict[str, float]:
            ways = {
                "many": lambda: sum(1 for _ in predictor.stream(paths[part])),
                "decode": lambda: sum(1 for _ in read_all(paths[part], (height, width), channels)),
                "predict": lambda: network.predict(arrays[part], batch_size=32, verbose=0),
            }
            return in_turn(ways, 1)

        parts = [slice(begin, begin + PART) for begin in range(0, len(paths), PART)]
        look(parts[0])  # graphs for this number of images are made here, uncounted
        looks = [[look(part) for part in parts] for _ in range(int(times))]
        slow = [
            take(partial(as_published, network, paths[:SLOW], (height, width), channels)) for _ in range(int(times))
        ]
    found = {
        **{name: [one[name] for one in alone] for name in calls},
        **{name: [sum(one[name] for one in some) for some in looks] for name in ("many", "decode", "predict")},
        **{"usual_first": usual, "published": slow, "slow": min(SLOW, len(paths))},
    }
    Path(target).write_text(json.dumps(found), encoding="utf-8")


def write_images(folder: Path, count: int) -> list[Path]:
    """Write JPEG files that are like photographs: smooth, with some noise; a hundred differ, the others are copies."""
    generator = np.random.default_rng(0)
    files = []
    for _ in range(min(count, 100)):
        coarse = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        smooth = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        noisy = np.clip(smooth + generator.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
        files.append(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(files[number % len(files)])
    return paths


def read_all(paths: list[Path], size: tuple[int, int], channels: int) -> Iterator[NDArray[np.uint8]]:
    """Decode and resize in threads by OpenCV, and nothing more: the bare decode."""
    cv2.setNumThreads(1)
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR_RGB

    def read(path: Path) -> NDArray[np.uint8]:
        pixels: Any = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flag)
        if pixels.shape[:2] != size:
            pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(pixels, np.uint8).reshape(*size, channels)

    with ThreadPoolExecutor() as pool:
        yield from pool.map(read, paths)


def as_published(network: Any, paths: list[Path], size: tuple[int, int], channels: int) -> None:
    """Predict as tutorials do: `load_img`, and `predict` for each image."""
    import keras

    for path in paths:
        image = keras.utils.load_img(path, target_size=size, color_mode="grayscale" if channels == 1 else "rgb")
        network.predict(keras.utils.img_to_array(image, dtype="uint8")[np.newaxis], verbose=0)


def in_turn(calls: Mapping[str, Callable[[], object]], times: int) -> dict[str, float]:
    """Do some calls one after the other, again and again; give the median of the seconds that each takes."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(times):
        for name, call in calls.items():
            taken[name].append(take(call))
    return {name: float(np.median(seconds)) for name, seconds in taken.items()}


def take(call: Callable[[], object]) -> float:
    """Give the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
