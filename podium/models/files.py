"""Model files: the same weights give the same bytes; reading one runs no code of it."""

import json
import logging
import os
import re
import zipfile
from pathlib import Path

import psutil

from podium.errors import PodiumError
from podium.models.quiet import without_greetings

# TensorFlow reads these once, as it is imported. Memory that a step gave back is kept for the next one, not asked of
# the kernel again, and no more of it than the kernel has, which would otherwise kill the process without a word; and
# oneDNN computes on every x86 processor, not on the newest alone. See decision 0018.
_FREE_MB = (psutil.virtual_memory().available + psutil.swap_memory().free) // 2**20
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
os.environ.setdefault("TF_CPU_BFC_MEM_LIMIT_IN_MB", str(_FREE_MB))
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

with without_greetings():
    import keras
    import tensorflow as tf

    keras.utils.disable_interactive_logging()  # no progress bars from libraries that ask a model
    tf.get_logger().setLevel(logging.ERROR)  # else a second model in one process is told as a mistake
    tf.config.list_logical_devices()  # the rest of the greetings come with the first device

_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, path: Path) -> None:
    """Write a model as `.keras`, without the dates and memory addresses that Keras puts into it.

    Its optimizer stays out: it belongs to the training, and doubles or triples the file.
    """
    whole = path.with_name(f"{path.stem}.dated.keras")
    bare = model.__class__.from_config(model.get_config())  # the same network, not compiled
    bare.set_weights(model.get_weights())
    bare.save(whole)
    with zipfile.ZipFile(whole) as dated, zipfile.ZipFile(path, "w") as undated:
        for name in dated.namelist():
            data = dated.read(name)
            if name == "metadata.json":
                data = json.dumps(json.loads(data) | {"date_saved": "1980-01-01@00:00:00"}).encode()
            if name == "config.json":
                data = _number_shared_objects(data)
            undated.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    whole.unlink()


def _number_shared_objects(config: bytes) -> bytes:
    """Give numbers to the objects that a model's layers share; Keras names them by their place in memory."""
    numbers: dict[bytes, bytes] = {}
    return re.sub(
        rb'("shared_object_id": )(\d+)',
        lambda found: found[1] + numbers.setdefault(found[2], str(len(numbers)).encode()),
        config,
    )


def load_model(path: Path) -> keras.Model:
    """Read a model that `save_model` wrote, in Keras's safe mode: a file that brings code is refused.

    Raises:
        PodiumError: there is no such file, or it is no model.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise PodiumError(f"{path} cannot be loaded as a model: {reason} Train it again with `dvc repro`.") from error
