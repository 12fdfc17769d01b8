"""Train epochs as `train` does, its pipeline and its network, and write each epoch's images a second.

python -m bench.epochs CANDIDATE EPOCHS FILE, in a project whose page names the candidate. The first epoch, in which
TensorFlow builds its graph, is not counted. No epoch is validated.
"""

import json
import math
import sys
import time
from pathlib import Path

from podium.models.runtime import prepare

prepare()  # a process starts here, and what follows imports TensorFlow

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from podium.config import load_params  # noqa: E402
from podium.datasets.arrays import load_classes, open_split  # noqa: E402
from podium.models import zoo  # noqa: E402
from podium.paths import DatasetPaths  # noqa: E402
from podium.training.batches import training_dataset  # noqa: E402


class Clock(keras.callbacks.Callback):
    """Takes the seconds of every epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.seconds.append(time.perf_counter() - self._began)


def main(name: str, epochs: int, file: Path) -> None:
    """Train; see the module's docstring."""
    page = load_params()
    candidate = page.candidate(name)
    schedule = page.schedule(candidate.schedule)
    processed = DatasetPaths(candidate.dataset).processed
    split = open_split(processed / "train")
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    network = zoo.build(candidate.model, split.images.shape[1:], {"label": len(load_classes(processed))})
    network.compile("adam", loss={"label": "sparse_categorical_crossentropy"}, metrics={"label": ["accuracy"]})
    clock = Clock()
    network.fit(
        training_dataset(split, schedule, 0),
        steps_per_epoch=math.ceil(len(split) / schedule.batch_size),
        epochs=1 + epochs,
        callbacks=[clock],
        shuffle=False,
        verbose=0,
    )
    file.write_text(json.dumps([len(split) / seconds for seconds in clock.seconds[1:]]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
