"""Files of tensors, sound and not."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.models.zoo.safetensors import read_tensors
from tests.podium.models.zoo.tensors import describe, write_safetensors

pytestmark = pytest.mark.slow

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([0.5, -2], np.float16)}
SHAPES = {"a": (2, 3), "b": (2,)}
HEADER = describe(TENSORS)


def write(path: Path, header: object = None) -> Path:
    return write_safetensors(path / "some.safetensors", TENSORS, header)


def changed(name: str, **keys: Any) -> dict[str, Any]:
    return HEADER | {name: HEADER[name] | keys}


def test_tensors_of_every_type_are_read_as_float32(tmp_path: Path) -> None:
    halves = np.array([[1.5, -0.0078125]], np.float32)  # both have zeros for a lower half
    upper = (halves.view(np.uint32) >> 16).astype("<u2")
    tensors = TENSORS | {
        "scalar": np.array(7, np.float32),
        "c": upper.view(np.float16),
        "empty": np.empty((0, 4), "f4"),
    }
    header = {"__metadata__": {"format": "pt"}} | describe(tensors)
    header["c"]["dtype"] = "BF16"
    path = write_safetensors(tmp_path / "some.safetensors", tensors, json.dumps(header) + "   ")
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    found = read_tensors(path, shapes, "")
    assert {tensor.dtype for tensor in found.values()} == {np.dtype(np.float32)}
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, halves if name == "c" else tensors[name])


def test_spare_tensors_are_left_alone_whatever_their_type(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "some.safetensors", {"fc.n": np.array(5)} | TENSORS)
    assert read_tensors(path, SHAPES, r"fc\..+").keys() == SHAPES.keys()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"x": (1,)} | SHAPES, "it lacks 'x'."),
        ({f"x{n}": (1,) for n in range(5)} | SHAPES, "it lacks 'x0', 'x1', 'x2' and 2 more."),
        ({"a": (2, 3)}, "it has 'b' besides."),
        ({"a": (3, 2), "b": (2,)}, "'a' is 'F32' of (2, 3), not F32 or F16 or BF16 of (3, 2)."),
        (
            {"a": (1,), "x": (1,)},
            "it lacks 'x'; it has 'b' besides; 'a' is 'F32' of (2, 3), not F32 or F16 or BF16 of (1,).",
        ),
    ],
)
def test_tensors_that_are_not_asked_for_or_have_another_shape_are_named(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_tensors(write(tmp_path), shapes, "")


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "some.safetensors", {"a": np.arange(2)})
    with pytest.raises(ValueError, match=r"^'a' is 'I64' of \(2,\), not F32 or"):
        read_tensors(path, {"a": (2,)}, "")


NO_HEADER, NO_JSON = "its header is not as long as it says", "its header is no JSON"
CUT, PLACES = "it was cut, or added to", "its tensors overlap, or leave gaps"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", NO_HEADER),
        (lambda content: content[:7], NO_HEADER),
        (lambda content: b"\x00" * 8 + content[8:], NO_HEADER),
        (lambda content: b"\xff" * 8 + content[8:], NO_HEADER),
        (lambda content: content[:40], NO_HEADER),
        (lambda content: (10_000_001).to_bytes(8, "little") + b" " * 10_000_001, NO_HEADER),
        (lambda content: content[:-1], CUT),
        (lambda content: content + b"\x00", CUT),
        (lambda content: content[:8] + b"\xff" + content[9:], NO_JSON),
        (lambda content: content[:8] + b"[" + content[9:], NO_JSON),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path = write(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        read_tensors(path, SHAPES, "")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("[" * 100_000, NO_JSON),
        ('{"a": ' + "9" * 5_000 + "}", NO_JSON),
        ('{"a": 1', NO_JSON),
        ([1, 2], "its header does not name tensors"),
        (HEADER | {"a": None}, "what its header says of 'a' cannot be"),
        (HEADER | {"b": {"dtype": "F16", "shape": [2]}}, "of 'b' cannot be"),
        (changed("a", dtype=5), "of 'a' cannot be"),
        (changed("a", shape=[3, 3]), "of 'a' cannot be"),
        (changed("a", shape=[-2, -3]), "of 'a' cannot be"),
        (changed("a", shape=[2, True, 3]), "of 'a' cannot be"),
        (changed("a", shape=[2.0, 3]), "of 'a' cannot be"),
        (changed("a", shape="23"), "of 'a' cannot be"),
        (changed("a", shape=[10**30, 0]), "of 'a' cannot be"),
        (changed("a", shape=[1] * 64 + [6]), "of 'a' cannot be"),
        (changed("a", dtype="F16"), "of 'a' cannot be"),
        (changed("a", data_offsets=[24, 0]), "of 'a' cannot be"),
        (changed("a", dtype="I64", data_offsets=[24, 0]), "of 'a' cannot be"),
        (changed("a", data_offsets=[0, 24, 28]), "of 'a' cannot be"),
        (changed("a", data_offsets=[2**63, 2**63 + 24]), "of 'a' cannot be"),
        (changed("a", data_offsets=[float("nan"), 24]), "of 'a' cannot be"),
        (changed("a", data_offsets=[2**40, 2**40 + 24]), PLACES),
        (changed("a", data_offsets=[4, 28]), PLACES),
        (changed("b", data_offsets=[20, 24]), PLACES),
        (changed("b", data_offsets=[25, 29]), PLACES),
        (changed("b", shape=[2**60], data_offsets=[24, 24 + 2**61]), CUT),
        (HEADER | {"\udc80\x1b[31m": None}, r"of '\\udc80\\x1b\[31m' cannot be"),
        (HEADER | {"x" * 1_000: None}, "of 'x{99} cannot be"),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path: Path, header: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_tensors(write(tmp_path, header), SHAPES, "")


def test_whatever_a_byte_becomes_the_file_is_read_or_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    content, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(2_000):
        damaged = bytearray(content)
        damaged[random.integers(len(content))] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_tensors(path, SHAPES, "").keys() == SHAPES.keys()
        except ValueError:
            refused += 1
    assert refused > 1_000
