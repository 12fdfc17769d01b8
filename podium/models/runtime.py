"""TensorFlow and Keras as podium sets them, whatever the user's machine says.

Keras takes its backend, precision and data layout from a file in the user's home (`~/.keras/keras.json`) or from the
environment, and TensorFlow reads its switches once, as it is imported. A process that computes calls `prepare` before
anything imports either. See docs/decisions/0018-tensorflows-switches.md and
docs/decisions/0019-keras-settings.md.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil

from podium.errors import PodiumError
from podium.models.quiet import without_greetings

BACKEND = "tensorflow"
FLOATX = "float32"
IMAGE_DATA_FORMAT = "channels_last"
EPSILON = 1e-7

_LEFT_OUT = ("matplotlib", "sklearn")
"""Keras imports them where they are installed, for plots and wrappers that podium does not use."""


def prepare(*, alone: bool = False) -> None:
    """Import TensorFlow and Keras with podium's settings and without their greetings; once is enough.

    Args:
        alone: no other thread imports anything meanwhile, so Keras can be kept from importing what podium does not use.

    Raises:
        PodiumError: the environment asks for another backend, or Keras cannot read its own file.
    """
    set_switches()
    with without_greetings():
        try:
            with _without_plots() if alone else nullcontext():
                import keras
        except (ValueError, TypeError, AttributeError) as error:
            file = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "keras.json"
            if not file.is_file():
                raise
            raise PodiumError(
                f"Keras does not take its settings in {file}: {error} podium sets what it needs by itself. Mend the "
                f"file, or remove it: `rm {file}`."
            ) from error
        import tensorflow as tf

        if keras.config.backend() != BACKEND:
            raise PodiumError(
                f"Keras was imported with the backend '{keras.config.backend()}' before podium could set "
                f"'{BACKEND}'. Start Python again, and call podium.models.runtime.prepare() before the first import of "
                "keras."
            )
        keras.config.set_floatx(FLOATX)
        keras.config.set_dtype_policy(FLOATX)
        keras.config.set_image_data_format(IMAGE_DATA_FORMAT)
        keras.config.set_epsilon(EPSILON)
        keras.config.set_max_epochs(None)  # KERAS_MAX_EPOCHS would cut every training short
        keras.config.set_max_steps_per_epoch(None)
        keras.utils.disable_interactive_logging()  # no progress bars from libraries that ask a model
        tf.get_logger().setLevel(logging.ERROR)  # else a second model in one process is told as a mistake
        tf.config.list_logical_devices()  # the rest of the greetings come with the first device


@contextmanager
def _without_plots() -> Iterator[None]:
    """Have imports of what is left out fail for a moment, in all threads; who needs it later finds it."""
    left_out = [name for name in _LEFT_OUT if name not in sys.modules]
    sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in left_out:
            del sys.modules[name]


def set_switches() -> None:
    """Set the environment variables that TensorFlow and Keras read as they are imported; it imports neither.

    Memory that a step gave back is kept for the next one, not asked of the kernel again, and no more of it than the
    kernel has, which would otherwise kill the process without a word; and oneDNN computes on every x86 processor, not
    on the newest alone. These three are for the user to overrule, Keras's backend is not.

    Raises:
        PodiumError: the environment asks for another backend.
    """
    require_backend()
    free = (psutil.virtual_memory().available + psutil.swap_memory().free) // 2**20
    os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    os.environ.setdefault("TF_CPU_BFC_MEM_LIMIT_IN_MB", str(free))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings, no news
    os.environ["KERAS_BACKEND"] = BACKEND  # goes before the file in the user's home
    os.environ["KERAS_NNX_ENABLED"] = "false"  # a switch of the backend JAX


def require_backend() -> None:
    """Refuse another backend than TensorFlow.

    Raises:
        PodiumError: the environment asks for one.
    """
    asked = os.environ.get("KERAS_BACKEND") or BACKEND
    if asked != BACKEND:
        raise PodiumError(
            f"The environment variable KERAS_BACKEND is '{asked}', but podium trains with '{BACKEND}' alone. "
            "`unset KERAS_BACKEND`, then the same command again."
        )


def in_force() -> dict[str, object]:
    """Give the settings of Keras that a result depends on, as they are now: part of the key of a training."""
    import keras

    config = keras.config
    return {
        "backend": config.backend(),
        "floatx": config.floatx(),
        "image_data_format": config.image_data_format(),
        "epsilon": config.epsilon(),
    }
