"""What `bench.export` runs in a process of its own: a model in all its forms, beside Keras. Prints a line for each."""

import json
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.measure import interleave
from podium.config import load_params
from podium.models import zoo
from podium.models.runtime import prepare
from podium.serving.export.source import convertible
from podium.serving.export.target import File
from podium.serving.export.targets import TARGETS
from podium.serving.export.timing import time_runner


def main(model: str, repetitions: int) -> None:
    """Convert a recipe's candidate, and time every runtime that is no browser beside Keras."""
    prepare()
    recipe, name, classes = model.split("/")
    keras, shape = build(recipe, name, int(classes))
    files = [file for target in TARGETS.values() for file in target.files if not file.runtimes[0].is_slow]
    image = np.random.default_rng(0).integers(0, 256, (1, *shape), dtype=np.uint8)
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder, convertible(keras) as form:
        for file in files:
            place = Path(folder) / file.name
            file.write(form, place)
            found = {"model": f"{name}, {' × '.join(map(str, shape))}", "bytes": weigh(place)}
            print(json.dumps(found | time_beside(keras, file, place, image, repetitions)), flush=True)


def build(recipe: str, name: str, classes: int) -> tuple[Any, tuple[int, int, int]]:
    """Build a recipe's candidate with weights by chance, and give the shape of its images, too."""
    params = load_params(Path("recipes") / f"{recipe}.yaml")
    candidate = params.candidate(name)
    options: Any = candidate.model
    if hasattr(options, "weights"):
        options = replace(options, weights="random")
    shape = params.dataset(candidate.dataset).image.shape
    return zoo.build(options, shape, {"label": classes}), shape


def weigh(place: Path) -> int:
    """Give the bytes of a file or a folder."""
    return sum(path.stat().st_size for path in (place.rglob("*") if place.is_dir() else [place]))


def time_beside(keras: Any, file: File, place: Path, image: np.ndarray, repetitions: int) -> dict[str, Any]:
    """Time a file's first runtime and Keras in turns: medians in milliseconds."""
    with file.runtimes[0].open(place) as runner:
        ours, other = (partial(time_runner, one, image) for one in (runner, keras))
        mine, its = interleave(lambda: ours()[0], lambda: other()[0], repetitions)
    return {"runtime": file.runtimes[0].title, "ours": mine, "other": its}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
