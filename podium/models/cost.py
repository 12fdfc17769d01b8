"""What a model costs: its size, and the time that it takes, on this machine."""

import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.models.machine import name_machine

CALLS = 20
"""Single images that are timed, at most."""
BUDGET_SECONDS = 1.0
"""After so long no further call is begun; one is always timed."""


@dataclass(frozen=True)
class Cost:
    """What a model costs.

    Attributes:
        parameters: how many numbers it has learnt, and keeps.
        model_bytes: the size of its file.
        images_per_second: in batches, reading them included.
        milliseconds_per_image: for one image alone, as a server sees it: the median of some calls.
        training_seconds: how long its training took, kills and resumes included; None if that is not known.
        machine: whose times these are; a training may have been on another one.
    """

    parameters: int
    model_bytes: int
    images_per_second: float
    milliseconds_per_image: float
    training_seconds: float | None
    machine: str


def measure_cost(
    model: keras.Model, file: Path, image: NDArray[np.uint8], images_per_second: float, training_seconds: float | None
) -> Cost:
    """Measure what a model costs. It takes about a second.

    Args:
        model: it is asked a few times.
        file: where it was read from.
        image: (height, width, channels) uint8, any that it may be asked.
        images_per_second: as the evaluation saw it.
        training_seconds: see `podium.models.seconds`.
    """
    return Cost(
        parameters=int(model.count_params()),
        model_bytes=file.stat().st_size,
        images_per_second=round(images_per_second, 1),
        milliseconds_per_image=round(1000 * _time_call(model, np.asarray(image)[np.newaxis]), 2),
        training_seconds=training_seconds,
        machine=name_machine(_list_gpus()),
    )


def _time_call(model: keras.Model, images: NDArray[np.uint8]) -> float:
    """Give the median of seconds that a call takes once the graph for one image is there."""
    model.predict_on_batch(images)
    seconds: list[float] = []
    end = time.perf_counter() + BUDGET_SECONDS
    while not seconds or (len(seconds) < CALLS and time.perf_counter() < end):
        begin = time.perf_counter()
        model.predict_on_batch(images)
        seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))


def _list_gpus() -> list[str]:
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    return [str(details.get("device_name", "GPU")) for details in gpus]
