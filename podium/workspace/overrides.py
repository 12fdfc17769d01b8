"""Overrides of params.yaml, spelled and applied as `dvc exp run -S` does it: `candidates.digits-cnn.model.dropout=0.4`.

Several values, or `range(0.1,0.5,0.1)`, make a grid. The spelling is Hydra's (https://hydra.cc), which DVC brings.
"""

import logging
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps, to_hydra_overrides
from hydra.errors import HydraException

from podium.errors import PodiumError
from podium.paths import PARAMS

EXAMPLE = "candidates.digits-cnn.model.dropout=0.2,0.4"


def find_key(override: str) -> str:
    """Give the key that an override changes.

    Raises:
        PodiumError: it is no override.
    """
    try:
        (parsed,) = to_hydra_overrides([override])
    except HydraException as error:
        raise PodiumError(f"'{override}' sets no key of {PARAMS}. Expected KEY=VALUES, such as {EXAMPLE}.") from error
    return str(parsed.key_or_group)


def expand(overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """Give every combination of a grid: of each override, one value.

    Example:
        >>> expand(["a.b=1,2", "a.c=x"])
        [('a.b=1', 'a.c=x'), ('a.b=2', 'a.c=x')]

    Raises:
        PodiumError: one is no override.
    """
    for one in overrides:
        find_key(one)
    try:
        choices = [[said for found in get_hydra_sweeps({"": [one]}) for said in found[""]] for one in overrides]
    except (DvcException, HydraException) as error:
        raise PodiumError(
            f"{', '.join(overrides)} is no grid: {str(error).rstrip('.')}. Expected something like {EXAMPLE}."
        ) from error
    return [*product(*choices)]


def apply(path: Path, overrides: Sequence[str]) -> None:
    """Change a params page, in place.

    Raises:
        PodiumError: the page has no such key.
    """
    logging.getLogger("dvc").setLevel(logging.ERROR)
    try:
        apply_overrides(path, [*overrides])
    except (DvcException, HydraException) as error:
        cause = error.__cause__ or error
        said = str(cause).splitlines()[0].rstrip(".")
        raise PodiumError(f"{', '.join(overrides)} cannot be set: {said}. Expected a key that {PARAMS} has.") from error
