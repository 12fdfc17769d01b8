"""All that a training's result depends on, summed up."""

import hashlib
import os
import platform
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from podium.config.models import Model
from podium.config.schedules import Schedule
from podium.files import file_digest
from podium.models.runtime import in_force


def training_key(model: Model, schedule: Schedule, processed: Path) -> dict[str, str]:
    """Sum up all that a training's result depends on: a training is resumed only where this is the same.

    The arrays are read whole (about a second per GB). Pretrained weights count by their file's content; Keras checks
    those that it downloads itself.
    """
    data = [path for split in ("train", "validation") for path in (processed / split).glob("*.npy")]
    here = Path(__file__).parents[1]
    code = [here / "datasets/arrays.py", *(here / "training").glob("*.py"), *(here / "models").rglob("*.py")]
    weights = Path(getattr(model, "weights", "")).expanduser()
    devices = [device.device_type for device in tf.config.list_physical_devices()]
    versions = keras.__version__, tf.__version__, np.__version__, cv2.__version__
    return {
        "params": repr((model, schedule)),
        "data": _digest([*data, processed / "classes.json"]),
        "weights": file_digest(weights) if weights.is_file() else "",
        "code": _digest(code),
        "packages": repr((versions, in_force())),
        # How a sum is cut into parts, and so its last bit, is for the machine to choose.
        "machine": repr((platform.machine(), os.cpu_count(), devices, os.environ.get("TF_ENABLE_ONEDNN_OPTS"))),
    }


def _digest(files: list[Path]) -> str:
    known = sorted((path.parent.name, path.name, file_digest(path)) for path in files)
    return hashlib.sha256(repr(known).encode()).hexdigest()
