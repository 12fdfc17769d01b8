"""Tensors of a `.safetensors` file: numbers and their names, and no code, unlike a pickle.

The format is Hugging Face's (https://huggingface.co/docs/safetensors): the header's length in 8 bytes, little-endian;
the header, JSON, with the type, shape and place of each tensor; then the numbers, without gaps. Nothing that a file
says of itself is believed: a wrong one is refused before its numbers are read.
"""

import json
import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LONGEST = 10_000_000
"""Bytes of a header. That of ResNet18 has 12,000."""
_MOST = 64
"""Dimensions of a tensor; numpy knows no more."""
_FAR = 2**63
"""No file has so many bytes."""
_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""What weights are written as. numpy has no BF16, the upper half of F32."""
_SHOWN = 3
"""Names in a message."""


class _Tensor(NamedTuple):
    """What a header says of a tensor; begin and end in bytes from the file's beginning."""

    type: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_tensors(path: Path, shapes: dict[str, tuple[int, ...]], spare: str) -> dict[str, NDArray[np.float32]]:
    """Read the tensors of a file that is to have these and no others.

    Args:
        path: the file.
        shapes: of the tensors, by name.
        spare: a regular expression; tensors of such names may be there as well, and are not read.

    Returns:
        The tensors by name, float32.

    Raises:
        ValueError: it is no such file, or names, shapes or types are others. The message names the first of them.
        OSError: it cannot be read.
    """
    found = _read_header(path)
    both = [(name, found[name], shape) for name, shape in shapes.items() if name in found]
    wrong = []
    if lacking := [repr(name) for name in shapes if name not in found]:
        wrong.append(f"it lacks {_first(lacking)}")
    if surplus := [f"{name!r:.100}" for name in found if name not in shapes and not re.fullmatch(spare, name)]:
        wrong.append(f"it has {_first(surplus)} besides")
    if others := [
        f"{name!r} is {tensor.type!r:.20} of {tensor.shape}, not {' or '.join(_TYPES)} of {shape}"
        for name, tensor, shape in both
        if tensor.type not in _TYPES or tensor.shape != shape
    ]:
        wrong.append(_first(others))
    if wrong:
        raise ValueError("; ".join(wrong) + ".")
    return {name: _read(path, tensor) for name, tensor, _ in both}


def _read_header(path: Path) -> dict[str, _Tensor]:
    """Give what the file says of its tensors, once all of it can be true."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        if not 8 < start <= min(size, _LONGEST):
            raise ValueError("it is no .safetensors file, or was cut: its header is not as long as it says.")
        try:
            header = json.loads(file.read(start - 8).decode())
        except (ValueError, RecursionError) as error:
            raise ValueError("it is no .safetensors file: its header is no JSON.") from error
    if not isinstance(header, dict):
        raise ValueError("it is no .safetensors file: its header does not name tensors.")
    tensors = {name: _place(name, said, start) for name, said in header.items() if name != "__metadata__"}
    end = start
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.begin, tensor.end)):
        if tensor.begin != end:
            raise ValueError("its tensors overlap, or leave gaps.")
        end = tensor.end
    if end != size:
        raise ValueError(f"it has {size:,} bytes, and its header tells of {end:,}: it was cut, or added to.")
    return tensors


def _place(name: str, said: object, start: int) -> _Tensor:
    match said:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [begin, end]} if len(shape) <= _MOST and all(
            type(number) is int and 0 <= number < _FAR for number in (*shape, begin, end)
        ):
            fitting = math.prod(shape) * np.dtype(_TYPES[kind]).itemsize if kind in _TYPES else end - begin
            if end - begin == fitting >= 0:
                return _Tensor(kind, tuple(shape), start + begin, start + end)
    raise ValueError(f"what its header says of {name!r:.100} cannot be.")


def _read(path: Path, tensor: _Tensor) -> NDArray[np.float32]:
    numbers = np.fromfile(path, _TYPES[tensor.type], math.prod(tensor.shape), offset=tensor.begin)
    if tensor.type == "BF16":
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return numbers.reshape(tensor.shape).astype(np.float32)


def _first(some: list[str]) -> str:
    more = f" and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else ""
    return ", ".join(some[:_SHOWN]) + more
