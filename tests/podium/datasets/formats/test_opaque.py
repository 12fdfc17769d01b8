"""Files that are named and refused, and never loaded."""

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from podium.datasets.archive import Archive
from podium.datasets.formats.opaque import find
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import Reading


def look(folder: Path, files: Mapping[str, bytes]) -> list[Reading]:
    raw = folder / "cifar"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with Archive(raw) as archive:
        return find(Contents.of(archive, archive.files(), []))


class Trap:
    """Writes a file when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("sprung"),)  # type: ignore[return-value]


def array(value: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, value, allow_pickle=True)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cifar-10-batches-py/data_batch_1", pickle.dumps({b"data": Trap()}), "never loaded"),
        ("cifar-10-batches-py/data_batch_1", b"(dp0\nS'data'\n", "never loaded"),
        ("cifar-100-python/train", pickle.dumps({}, 2), "never loaded"),
        ("images", pickle.dumps([1]), "never loaded"),
        ("x.pkl", b"", "never loaded"),
        ("x.PT", b"", "never loaded"),
        ("x.npy", array(np.array([{}], dtype=object)), "never loaded"),
        ("x.npy", array(np.zeros(3)), "an array of NumPy"),
        ("x.npz", b"", "an array of NumPy"),
        ("cars_annos.mat", b"", "a MATLAB file"),
        ("train/x.tfrec", b"", "TFRecord"),
        ("x.h5", b"", "HDF5"),
        ("cifar-10-batches-bin/data_batch_1.bin", b"", "raw bytes"),
    ],
)
def test_such_a_file_is_named_with_the_reason_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (reading,) = look(tmp_path, {name: data, "README": b"hello", "a.csv": b"", "train.csv": b""})
    assert reading.format is None
    assert reading.doubts[0].startswith(f"'{name}' is ")
    assert words in reading.doubts[0]
    assert "`podium init FOLDER`" in reading.doubts[0]
    assert [*reading.aside] == [name]
    assert not Path("sprung").exists()


def test_other_files_are_not_named(tmp_path: Path) -> None:
    assert (
        look(tmp_path, {"train/digitStruct.mat": b"", "LICENSE": b"c", "data_batch_9": b"\xff\xd8\xff", "a.jpg": b""})
        == []
    )


def test_each_reason_is_a_reading_the_pickles_first(tmp_path: Path) -> None:
    files = {"a.h5": b"", "b.h5": b"", "c.pkl": b""}
    assert [reading.what for reading in look(tmp_path, files)] == ["1 file such as 'c.pkl'", "2 files such as 'a.h5'"]
