"""The targets by their names; a new one is a module with a `TARGET`, and a line here."""

from collections.abc import Mapping, Sequence
from typing import Final

from podium.errors import PodiumError, nearest
from podium.serving.export import keras_file, litert, onnx, saved_model, space, tfjs, web
from podium.serving.export.target import Target

ALL: Final = "all"

TARGETS: Final[Mapping[str, Target]] = {
    "keras": keras_file.TARGET,
    "onnx": onnx.TARGET,
    "litert": litert.TARGET,
    "saved_model": saved_model.TARGET,
    "tfjs": tfjs.TARGET,
    "web": web.TARGET,
    "space": space.TARGET,
}


def choose_targets(words: Sequence[str]) -> dict[str, Target]:
    """Give the targets that are named: `["onnx,tfjs"]`, `["all"]`.

    Raises:
        PodiumError: there is no such target, or none is named.
    """
    names = [name.strip() for word in words for name in word.split(",") if name.strip()]
    if not names:
        raise PodiumError(f"No target is named. {nearest('', [ALL, *TARGETS])}")
    if unknown := [name for name in names if name not in (ALL, *TARGETS)]:
        raise PodiumError(f"There is no target '{unknown[0]}'. {nearest(unknown[0], [ALL, *TARGETS])}")
    return {name: target for name, target in TARGETS.items() if ALL in names or name in names}
