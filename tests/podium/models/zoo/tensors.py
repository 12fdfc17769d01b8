"""Files of tensors, as others write them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {"float32": "F32", "float16": "F16", "int64": "I64"}


def describe(tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """Give the header of a `.safetensors` file whose tensors lie one after the other."""
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": TYPES[tensor.dtype.name], "shape": tensor.shape, "data_offsets": [begin, end]}
    return header


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], header: object = None) -> Path:
    """Write a `.safetensors` file, with a header of its own or another (text, or what becomes JSON); give its path."""
    said = header if isinstance(header, str) else json.dumps(describe(tensors) if header is None else header)
    data = said.encode("utf-8", "surrogatepass")
    numbers = b"".join(tensor.tobytes() for tensor in tensors.values())
    path.write_bytes(len(data).to_bytes(8, "little") + data + numbers)
    return path
