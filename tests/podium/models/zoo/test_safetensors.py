"""Files of tensors: what the library says of them becomes one clear message."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from podium.models.zoo.backbones.resnet18 import read_tensors

pytestmark = pytest.mark.slow

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([0.5, -2], np.float16)}
SHAPES = {"a": (2, 3), "b": (2,)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "some.safetensors", {"format": "pt"})
    return tmp_path / "some.safetensors"


def test_tensors_of_every_type_are_read_as_float32(path: Path) -> None:
    tensors = TENSORS | {
        "scalar": np.array(7, np.float32),
        "bfloat16": np.array([[1.5, -0.0078125, 1e38]], ml_dtypes.bfloat16),
        "empty": np.empty((0, 4), np.float32),
    }
    save_file(tensors, path)
    found = read_tensors(path, {name: tensor.shape for name, tensor in tensors.items()}, "")
    assert {tensor.dtype for tensor in found.values()} == {np.dtype(np.float32)}
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, tensors[name].astype(np.float32))


def test_spare_tensors_are_left_alone_whatever_their_type(path: Path) -> None:
    save_file({"fc.n": np.array(5)} | TENSORS, path)
    assert read_tensors(path, SHAPES, r"fc\..+").keys() == SHAPES.keys()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"x": (1,)} | SHAPES, "it lacks 'x'."),
        ({f"x{n}": (1,) for n in range(5)} | SHAPES, "it lacks 'x0', 'x1', 'x2' and 2 more."),
        ({"a": (2, 3)}, "it has 'b' besides."),
        ({"a": (3, 2), "b": (2,)}, "'a' is F32 of (2, 3), not F32 or F16 or BF16 of (3, 2)."),
        (
            {"a": (1,), "x": (1,)},
            "it lacks 'x'; it has 'b' besides; 'a' is F32 of (2, 3), not F32 or F16 or BF16 of (1,).",
        ),
    ],
)
def test_tensors_that_are_not_asked_for_or_have_another_shape_are_named(
    path: Path, shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_tensors(path, shapes, "")


def test_whole_numbers_are_no_weights(path: Path) -> None:
    save_file({"a": np.arange(2)}, path)
    with pytest.raises(ValueError, match=r"^'a' is I64 of \(2,\), not F32 or"):
        read_tensors(path, {"a": (2,)}, "")


def test_a_hostile_name_is_shown_and_cut(path: Path) -> None:
    save_file(TENSORS | {"\x1b[31m" + "x" * 1_000: np.ones(1, np.float32)}, path)
    with pytest.raises(ValueError, match=r"^it has '\\x1b\[31mx{91} besides\.$"):
        read_tensors(path, SHAPES, "")


def renamed(content: bytes, kind: str) -> bytes:
    """The same file with another type of every tensor."""
    length = int.from_bytes(content[:8], "little")
    header = {
        name: said | {"dtype": kind} for name, said in json.loads(content[8 : 8 + length]).items() if "_" not in name
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:7],
        lambda content: content[:40],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content[:8] + b"\xff" + content[9:],
        lambda content: b"version https://git-lfs.github.com/spec/v1",
        lambda content: renamed(content, "F64"),
        lambda content: renamed(content, "\x1b" + "X" * 10_000),
    ],
    ids=["empty", "7 bytes", "40 bytes", "cut", "longer", "no length", "no JSON", "Git LFS", "other size", "no type"],
)
def test_a_damaged_file_is_refused_in_one_short_line(path: Path, damage: Callable[[bytes], bytes]) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"^it is no \.safetensors file, or was cut: ") as caught:
        read_tensors(path, SHAPES, "")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_whatever_a_byte_becomes_the_file_is_read_or_refused(path: Path) -> None:
    content, random = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        damaged[random.integers(len(content))] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_tensors(path, SHAPES, "").keys() == SHAPES.keys()
        except ValueError:
            refused += 1
    assert 100 < refused < 300


def test_a_file_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_tensors(tmp_path / "some.safetensors", SHAPES, "")
