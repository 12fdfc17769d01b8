import json
import resource
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bench import digit_struct
from bench.house_numbers import FIELDS, IMAGES, Image, draw, write
from podium.datasets.formats.digit_struct.annotations import Boxes, read_digit_json, read_digit_struct
from podium.errors import PodiumError

DIGITS = [1, 2, 1, 3, 6, 2, 1, 1]
SECONDS = 10
"""That a damaged file of some kilobytes may take on a busy machine."""


def make(tmp_path: Path, images: list[Image], change: Callable[[h5py.File], None] | None = None, **how: Any) -> Path:
    path = tmp_path / "digitStruct.mat"
    write(path, images, **how)
    if change:
        with h5py.File(path, "r+") as file:
            change(file)
    return path


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def make_json(images: list[Image]) -> bytes:
    rows = [
        {"filename": name, "boxes": [dict(zip(FIELDS, digit, strict=True)) for digit in digits.tolist()]}
        for name, digits in images
    ]
    return json.dumps(rows).encode()


def facts(boxes: Boxes) -> list[tuple[str, int, int, list[float]]]:
    columns = boxes.names, boxes.counts.tolist(), boxes.labels.tolist(), boxes.boxes.tolist()
    return [*zip(*columns, strict=True)]


def expected(images: list[Image]) -> list[tuple[str, int, int, list[float]]]:
    firsts = [digits[0].tolist() for _, digits in images]
    return [
        (name, len(digits), int(label), [left, top, width, height])
        for (name, digits), (height, left, top, width, label) in zip(images, firsts, strict=True)
    ]


def test_images_are_read_in_order_with_their_first_digit(tmp_path: Path) -> None:
    images = [
        ("10.png", np.array([[29.0, 71, 7, 15, 10]])),
        ("2.png", np.array([[31.0, -1, 5.5, 16, 2], [30, 48, 6, 17, 9]])),
    ]
    boxes = read_digit_struct(make(tmp_path, images), "first")
    assert boxes.names == ["10.png", "2.png"]
    assert boxes.counts.tolist() == [1, 2]
    assert boxes.labels.tolist() == [10, 2]
    assert boxes.boxes.tolist() == [[71, 7, 15, 29], [-1, 5.5, 16, 31]]
    assert (boxes.counts.dtype, boxes.labels.dtype, boxes.boxes.dtype) == (np.int64, np.int64, np.float64)


def test_boxes_of_several_digits_are_left_where_one_is_asked_for(tmp_path: Path) -> None:
    images = draw(DIGITS)
    path = make(tmp_path, images)
    one, first = read_digit_struct(path, "one"), read_digit_struct(path, "first")
    alone = one.counts == 1
    assert one.counts.tolist() == first.counts.tolist() == DIGITS
    np.testing.assert_array_equal(one.boxes[alone], first.boxes[alone])
    np.testing.assert_array_equal(one.labels[alone], first.labels[alone])
    assert np.isnan(one.boxes[~alone]).all()


def test_as_json_the_same_is_read(tmp_path: Path) -> None:
    images = draw(DIGITS * 10)
    assert facts(read_digit_struct(make(tmp_path, images), "first")) == expected(images)
    assert facts(read_digit_json(make_json(images))) == expected(images)


def replace(file: h5py.File, row: int, field: str, value: Any) -> None:
    group = file[file["digitStruct/bbox"][row, 0]]
    del group[field]
    group[field] = value


def rechunk(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][0, 0]]
    number = group["top"][()]
    del group["top"]
    group.create_dataset("top", data=number, chunks=(1, 1), compression="gzip")


def shrink(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][0, 0]]
    replace(file, 0, "top", group["top"][()].astype(np.uint8))


def add(file: h5py.File) -> None:
    file[file["digitStruct/bbox"][0, 0]]["certainty"] = 0.5


@pytest.mark.parametrize(
    "how",
    [
        {"libver": "latest"},
        {"chunks": True},
        {"change": rechunk},
        {"change": shrink},
        {"change": add},
    ],
    ids=["latest", "all compressed", "one compressed", "one of bytes", "a sixth field"],
)
def test_what_matlab_does_not_write_is_read_as_well(tmp_path: Path, how: dict[str, Any]) -> None:
    images = draw(DIGITS)
    assert facts(read_digit_struct(make(tmp_path, images, **how), "first")) == expected(images)


@pytest.mark.parametrize("name", ["Straße 1.png", "𝟙.png"])
def test_names_may_have_any_letters(tmp_path: Path, name: str) -> None:
    images = [*draw([1, 2]), (name, np.ones((1, 5)))]
    assert read_digit_struct(make(tmp_path, images), "first").names == ["1.png", "2.png", name]


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, draw(DIGITS))
    data = path.read_bytes()
    for length in (*range(0, len(data), len(data) // 100), len(data) - 1):
        with pytest.raises(PodiumError, match=r"^digitStruct\.mat is damaged.*Download the archive again"):
            read_digit_struct(put(path, data[:length]), "first")


@pytest.mark.parametrize("how", [{}, {"chunks": True}, {"libver": "latest"}], ids=["MATLAB", "compressed", "latest"])
@pytest.mark.parametrize("count", [150, pytest.param(3000, marks=pytest.mark.soak)])
def test_flipped_bytes_end_in_boxes_or_in_one_message(tmp_path: Path, how: dict[str, Any], count: int) -> None:
    path = make(tmp_path, draw(DIGITS), **how)
    data = path.read_bytes()
    random = np.random.default_rng(0)
    places = np.flatnonzero(np.frombuffer(data, np.uint8))  # where something is written
    outcomes = []
    for _ in range(count):
        flipped = bytearray(data)
        for place in random.choice(places, random.integers(1, 8)):
            flipped[place] = random.choice([0, 1, 128, 255, random.integers(256)])
        began = time.monotonic()
        try:
            read_digit_struct(put(path, flipped), "first")
        except PodiumError:
            outcomes.append("refused")
        else:
            outcomes.append("read")
        assert time.monotonic() - began < SECONDS
    assert {*outcomes} == {"refused", "read"}


@pytest.mark.parametrize("byte", [127, 255])
def test_flipped_bytes_at_the_beginning_end_in_boxes_or_in_one_message(tmp_path: Path, byte: int) -> None:
    images = draw([1, 2])
    path = make(tmp_path, images)
    data = path.read_bytes()
    refused = 0
    for place in range(512, 512 + 200):  # the superblock and the root
        flipped = bytearray(data)
        flipped[place] = byte
        try:
            assert facts(read_digit_struct(put(path, flipped), "first")) == expected(images)
        except PodiumError:
            refused += 1
    assert refused > 10


def test_an_address_at_the_very_end_leads_out_of_the_file(tmp_path: Path) -> None:
    path = make(tmp_path, draw([1] * 20))
    data = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        position = 512 + h5py.h5o.get_info(file[file["digitStruct/bbox"][7, 0]]["top"].id).addr
    place = data.index(struct.pack("<HH", 8, 24), position) + 10
    data[place : place + 8] = struct.pack("<Q", len(data) - 512 - 8)
    read_digit_struct(put(path, data), "first")
    data[place : place + 8] = struct.pack("<Q", len(data) - 512 - 7)
    with pytest.raises(PodiumError, match="is damaged"):
        read_digit_struct(put(path, data), "first")


def test_an_object_header_that_continues_in_itself_comes_to_an_end(tmp_path: Path) -> None:
    path = make(tmp_path, draw(DIGITS))
    data = bytearray(path.read_bytes())
    message = struct.pack("<HHBxxx", 0x10, 16, 0)
    place, count = data.find(message), 0
    while place >= 0:
        data[place + 8 : place + 24] = struct.pack("<QQ", place - 512, 24)
        place, count = data.find(message, place + 1), count + 1
    assert count >= len(DIGITS)
    began = time.monotonic()
    with pytest.raises(PodiumError, match="is damaged"):
        read_digit_struct(put(path, data), "first")
    assert time.monotonic() - began < SECONDS


def test_what_hdf5_never_gets_to_the_end_of_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, draw([1, 2]))
    data = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        group = file[file["digitStruct/bbox"][0, 0]]
        heap = data.index(b"HEAP", 512 + h5py.h5o.get_info(group.id).addr)
    [free, text] = struct.unpack_from("<QQ", data, heap + 16)
    struct.pack_into("<Q", data, 512 + text + free, free)  # a list of free places that leads from one to the same
    began, limit = time.monotonic(), resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(PodiumError, match="memory allocation failed"):
        read_digit_struct(put(path, data), "first")
    assert time.monotonic() - began < SECONDS
    assert resource.getrlimit(resource.RLIMIT_AS) == limit


def repeat_images(file: h5py.File) -> None:
    for key in ("name", "bbox"):
        references = file[f"digitStruct/{key}"][()]
        del file[f"digitStruct/{key}"]
        file[f"digitStruct/{key}"] = np.repeat(references, 20_000, axis=0)


def repeat_digits(file: h5py.File) -> None:
    for field in FIELDS:
        references = file[file["digitStruct/bbox"][1, 0]][field][()]
        replace(file, 1, field, np.repeat(references, 500, axis=0))


def repeat_letters(file: h5py.File) -> None:
    file["#refs#/long"] = np.full((100_000, 1), ord("1"), np.uint16)
    file["digitStruct/name"][1:] = np.full((len(DIGITS) - 1, 1), file["#refs#/long"].ref, h5py.ref_dtype)


def pair(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][1, 0]]
    file["#refs#/pair"] = np.ones((2, 1))
    group["top"][0, 0] = file["#refs#/pair"].ref


def lengthen(file: h5py.File) -> None:
    name = file[file["digitStruct/name"][0, 0]].name
    del file[name]
    file["digitStruct/name"][0, 0] = file.create_dataset("long", (1 << 40, 1), "<u2", chunks=(1000, 1)).ref


def swell(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][0, 0]]
    del group["top"]
    group.create_dataset("top", (1, 1), "<f8", chunks=(1 << 20, 1), maxshape=(None, 1), compression="gzip")


def lead_out(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][0, 0]]
    del group["top"]
    group.create_dataset("top", (1, 1), "<f8", external=[("/etc/hostname", 0, 8)])


def lead_out_by_parts(file: h5py.File) -> None:
    group = file[file["digitStruct/bbox"][0, 0]]
    del group["top"]
    layout = h5py.VirtualLayout((1, 1), "<f8")
    layout[:] = h5py.VirtualSource("other.mat", "top", (1, 1))
    group.create_virtual_dataset("top", layout)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (repeat_images, "more than a file of this size can hold"),
        (repeat_digits, "more than a file of this size can hold"),
        (repeat_letters, "more than a file of this size can hold"),
        (pair, "'top' of a digit is not one number"),
        (lengthen, "more than a file of this size can hold"),
        (swell, "chunks that a file of this size cannot hold"),
        (lead_out, "lies in another file"),
        (lead_out_by_parts, "lies in another file"),
        (
            lambda file: replace(file, 1, "top", file[file["digitStruct/bbox"][3, 0]]["top"][()]),
            "have different lengths",
        ),
        (lambda file: replace(file, 0, "top", b"text"), "not one number"),
        (lambda file: replace(file, 0, "top", np.ones((2, 1))), "have different lengths"),
        (lambda file: file[file["digitStruct/bbox"][0, 0]].pop("top"), "top"),
        (lambda file: file["digitStruct"].pop("name"), "name"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(
    tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    path = make(tmp_path, draw(DIGITS), change)
    with pytest.raises(PodiumError, match=words):
        read_digit_struct(path, "first")


@pytest.mark.parametrize("data", [b"", b"\0" * 2000, b"<html>", b"MATLAB 5.0 MAT-file".ljust(5000)])
def test_what_is_no_hdf5_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PodiumError, match=r"^test/digitStruct\.mat is damaged, or something else"):
        read_digit_struct(put(tmp_path / "no.mat", data), "one", "test/digitStruct.mat")


@pytest.mark.parametrize("field", range(len(FIELDS)))
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused_with_its_image(tmp_path: Path, field: int, number: float) -> None:
    images = draw(DIGITS)
    images[3][1][0, field] = number
    words = rf"^The first digit of '4\.png' in digitStruct\.(mat|json) has .*{FIELDS[field]} {number}"
    with pytest.raises(PodiumError, match=words):
        read_digit_struct(make(tmp_path, images), "first")
    with pytest.raises(PodiumError, match=words):
        read_digit_json(make_json(images))


@pytest.mark.parametrize("label", [1.5, 1e300])
def test_a_label_that_is_not_whole_is_refused(tmp_path: Path, label: float) -> None:
    images = draw([1, 2])
    images[1][1][0, -1] = label
    words = r"The first digit of '2\.png'.*a whole one as label"
    with pytest.raises(PodiumError, match=words):
        read_digit_struct(make(tmp_path, images), "first")
    with pytest.raises(PodiumError, match=words):
        read_digit_json(make_json(images))


BOX = '"label": 1, "left": 2, "top": 3, "width": 4, "height": 5'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", r"^train\.json is not JSON: Expecting value: line 1 column 1"),
        (b'[{"filename": "1.png",', r"is not JSON: .*line 1"),
        (b"\xff\xfe\xfa", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[" + b"1" * 5000 + b"]", "^Image 1 of train.json is inf"),
        (b'{"filename": "1.png"}', "is not a list of images"),
        (b"[]", "names no images"),
        (b"[7]", r"^Image 1 of train\.json is 7\.0\. Expected a filename"),
        (f'[{{"filename": "1.png", "boxes": [{{{BOX}}}]}}, {{"boxes": []}}]'.encode(), "^Image 2 of"),
        (b'[{"filename": 1, "boxes": []}]', "^Image 1 of"),
        (b'[{"filename": "1.png", "boxes": "none"}]', "^Image 1 of"),
        (
            b'[{"filename": "1.png", "boxes": [7]}]',
            r"^A box of '1\.png' in train\.json is 7\.0\. Expected .*label, left",
        ),
        (f'[{{"filename": "1.png", "boxes": [{{{BOX[:-13]}}}]}}]'.encode(), "^A box of '1.png'"),
        (f'[{{"filename": "1.png", "boxes": [{{{BOX}, "top": "3"}}]}}]'.encode(), "^A box of '1.png'"),
        (f'[{{"filename": "1.png", "boxes": [{{{BOX}, "top": true}}]}}]'.encode(), "^A box of '1.png'"),
        (f'[{{"filename": "1.png", "boxes": [{{{BOX}, "top": null}}]}}]'.encode(), "^A box of '1.png'"),
        (
            f'[{{"filename": "1.png", "boxes": [{{{BOX}, "top": 1e999}}]}}]'.encode(),
            "^The first digit of '1.png'.*inf",
        ),
    ],
)
def test_json_with_something_else_in_it_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_digit_json(text, "train.json")


def test_json_may_have_images_without_digits_whole_numbers_and_more_keys() -> None:
    text = f'[{{"filename": "1.png", "boxes": []}}, {{"filename": "2.png", "boxes": [{{{BOX}, "x": 0}}], "x": 0}}]'
    boxes = read_digit_json(text.encode())
    assert boxes.counts.tolist() == [0, 1]
    assert facts(boxes)[1] == ("2.png", 1, 1, [2, 3, 4, 5])


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    def empty(file: h5py.File) -> None:
        for key in ("name", "bbox"):
            del file[f"digitStruct/{key}"]
            file["digitStruct"].create_dataset(key, (0, 1), h5py.ref_dtype)

    with pytest.raises(PodiumError, match="names no images"):
        read_digit_struct(make(tmp_path, draw([1]), empty), "one")


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_published_file_is_read_as_its_json_says(tmp_path: Path, shared_data: Path, part: str) -> None:
    path = shared_data / "kaggle/datasets/stanfordu/street-view-house-numbers.zip"
    with zipfile.ZipFile(path) as archive:
        data, text = archive.read(f"{part}/digitStruct.mat"), archive.read(f"annotations/{part}DigitStruct.json")
    boxes = read_digit_struct(put(tmp_path / "digitStruct.mat", data), "first")
    assert facts(boxes) == facts(read_digit_json(text))
    assert {*boxes.labels.tolist()} == {*range(1, 11)}


def test_the_bench_has_as_many_images_and_digits_as_the_official_train_part() -> None:
    assert sum(IMAGES.values()) == digit_struct.IMAGES == 33_402
    assert sum(digits * count for digits, count in IMAGES.items()) == 73_257
