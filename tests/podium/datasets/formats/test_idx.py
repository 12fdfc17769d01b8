"""MNIST's own files."""

import gzip
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from podium.config.datasets import IdxFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.idx.detect import find
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading
from podium.errors import PodiumError

LAYOUT = IdxFormat(kind="idx", images={"train": "images"}, labels={"train": "labels"})


def idx(array: np.ndarray, mark: int = 8) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, mark, array.ndim, *array.shape) + array.tobytes()


def images(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *(shape or (5, 6))), dtype=np.uint8)


def labels(count: int) -> np.ndarray:
    return (np.arange(count) % 10).astype(np.uint8)


def pair(pattern: str, count: int) -> dict[str, bytes]:
    return {pattern.format("images", 3): idx(images(count)), pattern.format("labels", 1): idx(labels(count))}


def make(folder: Path, files: Mapping[str, bytes]) -> Path:
    raw = folder / "mnist"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return raw


def look(folder: Path, files: Mapping[str, bytes]) -> list[Reading]:
    with Archive(make(folder, files)) as archive:
        return find(Contents.of(archive, archive.files(), []))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 3)])
def test_images_and_labels_are_read_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr("podium.datasets.formats.idx.read.BLOCK_BYTES", 100)  # three images
    ending = "" if pack is bytes else ".gz"
    raw = make(tmp_path, {f"a{ending}": pack(idx(images(40, *shape))), f"b{ending}": pack(idx(labels(40)))})
    layout = IdxFormat(kind="idx", images={"train": f"a{ending}"}, labels={"train": f"b{ending}"})
    examples = [*read(raw, layout)]
    assert [(e.id, e.part, e.label) for e in examples] == [(f"a{ending}:{n}", "train", str(n % 10)) for n in range(40)]
    for example, image in zip(examples, images(40, *shape), strict=True):
        np.testing.assert_array_equal(example.image, image.reshape(5, 6, -1))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"images": idx(images(3))[:-1], "labels": idx(labels(3))}, "images ends too early"),
        ({"images": idx(images(3)) + b"x", "labels": idx(labels(3))}, "images goes on after 3 images"),
        ({"images": idx(images(3)), "labels": idx(labels(2))}, "labels has 2 labels, and images has 3 images"),
        ({"images": idx(images(3)), "labels": idx(labels(3))[:-1]}, "labels ends too early"),
        ({"images": idx(labels(3)), "labels": idx(labels(3))}, "has the sizes 3 × 1; expected images × height × width"),
        ({"images": idx(images(3, 2, 2, 2)), "labels": idx(labels(3))}, "has the sizes 3 × 2 × 2 × 2"),
        ({"images": idx(images(3), mark=13), "labels": idx(labels(3))}, "holds other numbers than bytes"),
        ({"images": b"\x89PNG", "labels": idx(labels(3))}, "images is no idx file"),
        ({"images": b"", "labels": b""}, "labels is no idx file"),
        ({"images": idx(images(0)), "labels": idx(labels(0))}, "images has no images"),
        (
            {"images": struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**31, 2**31), "labels": idx(labels(3))},
            "has the sizes",
        ),
    ],
    ids=["short", "long", "counts", "few labels", "flat", "two channels", "floats", "png", "empty", "none", "huge"],
)
def test_files_that_are_not_what_they_say_are_refused(tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        list(read(make(tmp_path, files), LAYOUT))


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(idx(images(40)))
    raw = make(tmp_path, {"a.gz": packed[:40] + bytes(20) + packed[60:], "b": idx(labels(40))})
    with pytest.raises(PodiumError, match=r"'a\.gz' in the archive of mnist cannot be read"):
        list(read(raw, IdxFormat(kind="idx", images={"train": "a.gz"}, labels={"train": "b"})))


def test_parts_without_labels_are_unlabelled_only() -> None:
    IdxFormat(kind="idx", images={"train": "a", "unlabelled": "c"}, labels={"train": "b"})
    with pytest.raises(ValueError, match="name the same parts"):
        IdxFormat(kind="idx", images={"train": "a", "test": "c"}, labels={"train": "b"})


@pytest.mark.parametrize(
    "pattern", ["{}-idx{}-ubyte", "{}.idx{}-ubyte", "{0}-idx{1}-ubyte/{0}-idx{1}-ubyte", "x/{}_idx{}.ubyte"]
)
def test_files_are_found_by_their_names_and_first_bytes(tmp_path: Path, pattern: str) -> None:
    files = {
        name.replace("P-", f"{part}-"): data
        for part, count in (("train", 50), ("t10k", 20))
        for name, data in pair(pattern.replace("{}", "P-{}", 1).replace("{0}", "P-{0}"), count).items()
    }
    (reading,) = look(tmp_path, files)
    assert (reading.images, reading.strength, reading.doubts, reading.aside) == (70, WRITTEN_DOWN, [], {})
    layout = reading.format
    assert [*layout.images] == [*layout.labels] == ["train", "test"]
    assert {*layout.images.values(), *layout.labels.values()} == {*files}
    assert len([*read(tmp_path / "mnist", layout)]) == 70


def test_files_that_are_there_twice_are_left_aside(tmp_path: Path) -> None:
    files = pair("train-{}.idx{}-ubyte", 50)
    copies = pair("train-{0}-idx{1}-ubyte/train-{0}-idx{1}-ubyte", 50)
    (reading,) = look(tmp_path, files | copies)
    assert {*reading.aside} == {*copies}
    assert reading.images == 50


def test_a_test_without_labels_is_unlabelled(tmp_path: Path) -> None:
    (reading,) = look(tmp_path, pair("train-{}-idx{}-ubyte", 50) | {"t10k-images-idx3-ubyte": idx(images(9))})
    assert reading.format.images == {"train": "train-images-idx3-ubyte", "unlabelled": "t10k-images-idx3-ubyte"}


def test_several_datasets_are_a_reading_each_and_none_is_sure(tmp_path: Path) -> None:
    found = look(
        tmp_path, pair("emnist-letters-train-{}-idx{}-ubyte", 50) | pair("emnist-digits-train-{}-idx{}-ubyte", 60)
    )
    assert [reading.images for reading in found] == [60, 50]
    assert all(reading.doubts == ["The archive has 2 such datasets."] for reading in found)


def test_beside_a_table_of_pixels_or_photographs_it_is_the_lesser_evidence(tmp_path: Path) -> None:
    table = b"label," + b",".join(b"pixel%d" % n for n in range(30)) + b"\n" + b"1," * 9000
    (reading,) = look(tmp_path, pair("train-{}-idx{}-ubyte", 50) | {"train.csv": table})
    assert (reading.strength, reading.doubts) == (NAMES_SAY_SO, ["The table 'train.csv' may hold the same images."])


def test_files_that_only_have_the_names_are_named(tmp_path: Path) -> None:
    (reading,) = look(tmp_path, {"train-images-idx3-ubyte": b"<html>", "train-labels-idx1-ubyte": b""})
    assert reading.format is None
    assert "train-images-idx3-ubyte is no idx file, whatever its name says." in reading.doubts
