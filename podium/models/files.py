"""Model files: the same weights give the same bytes; reading one runs no code of it."""

import json
import re
import zipfile
from pathlib import Path

import keras

from podium.errors import PodiumError

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
