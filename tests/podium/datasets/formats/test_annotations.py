import io
import json
import logging
import re
import struct
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bench import digit_struct
from bench.house_numbers import FIELDS, IMAGES, Image, draw, write
from podium.datasets.formats.digit_struct import annotations as matlab
from podium.datasets.formats.digit_struct import h5py_worker as digit_struct_json
from podium.datasets.formats.digit_struct.annotations import Boxes, read_digit_json, read_digit_struct
from podium.errors import PodiumError

DIGITS = [1, 2, 1, 3, 6, 2, 1, 1]
SECONDS = 10
"""That a damaged file of some kilobytes may take on a busy machine."""


def make(tmp_path: Path, images: list[Image], change: Callable[[h5py.File], None] | None = None, **how: Any) -> bytes:
    path = tmp_path / "digitStruct.mat"
    write(path, images, **how)
    if change:
        with h5py.File(path, "r+") as file:
            change(file)
    return path.read_bytes()


def make_json(images: list[Image]) -> bytes:
    rows = [
        {"filename": name, "boxes": [dict(zip(FIELDS, digit, strict=True)) for digit in digits.tolist()]}
        for name, digits in images
    ]
    return json.dumps(rows).encode()


def facts(boxes: Boxes) -> list[tuple[str, list[tuple[int, list[float]]]]]:
    return [
        (name, [(int(boxes.labels[digit]), boxes.boxes[digit].tolist()) for digit in range(first, end)])
        for name, first, end in zip(boxes.names, boxes.first[:-1], boxes.first[1:], strict=True)
    ]


def expected(images: list[Image]) -> list[tuple[str, list[tuple[int, list[float]]]]]:
    return [
        (name, [(int(label), [left, top, width, height]) for height, left, top, width, label in digits.tolist()])
        for name, digits in images
    ]


def ask_here(data: bytes, name: str, images: Sequence[int] = ()) -> Any:
    """Stand in for matlab._ask_h5py, without a process of its own: a start takes longer than such a file."""
    try:
        rows = digit_struct_json.read(io.BytesIO(data), images)
    except Exception as error:  # noqa: BLE001 - whichever it is, it would end the process
        raise PodiumError(f"{name} is damaged: {error}") from None
    return matlab._parse(json.dumps(rows).encode(), name)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have h5py in this process, and let it compare the first image alone: the fast way is on its own."""
    monkeypatch.setattr(matlab, "_ask_h5py", ask_here)
    monkeypatch.setattr(matlab, "COMPARED_IMAGES", 1)


def test_images_are_read_in_order_with_all_their_digits(tmp_path: Path) -> None:
    images = [
        ("10.png", np.array([[29.0, 71, 7, 15, 10]])),
        ("2.png", np.array([[31.0, -1, 5.5, 16, 2], [30, 48, 6, 17, 9]])),
    ]
    boxes = read_digit_struct(make(tmp_path, images))
    assert boxes.names == ["10.png", "2.png"]
    assert boxes.first.tolist() == [0, 1, 3]
    assert boxes.labels.tolist() == [10, 2, 9]
    assert boxes.boxes.tolist() == [[71, 7, 15, 29], [-1, 5.5, 16, 31], [48, 6, 17, 30]]
    assert (boxes.first.dtype, boxes.labels.dtype, boxes.boxes.dtype) == (np.int64, np.int64, np.float64)


def test_at_once_by_h5py_and_as_json_the_same_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = draw(DIGITS * 10)
    data = make(tmp_path, images)
    caplog.set_level(logging.INFO)
    assert facts(read_digit_struct(data)) == expected(images)
    assert not caplog.messages
    assert facts(matlab._check(matlab._ask_h5py(data, ""), "")) == expected(images)
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
def test_what_matlab_does_not_write_is_read_object_by_object(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: dict[str, Any]
) -> None:
    images = draw(DIGITS)
    caplog.set_level(logging.INFO)
    assert facts(read_digit_struct(make(tmp_path, images, **how), "train.mat")) == expected(images)
    [message] = caplog.messages
    assert message.startswith("train.mat is read object by object")


@pytest.mark.parametrize(("name", "slowly"), [("Straße 1.png", False), ("𝟙.png", True)])
def test_names_may_have_any_letters(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, slowly: bool) -> None:
    images = [*draw([1, 2]), (name, np.ones((1, 5)))]
    caplog.set_level(logging.INFO)
    assert read_digit_struct(make(tmp_path, images)).names == ["1.png", "2.png", name]
    assert bool(caplog.messages) == slowly


@pytest.mark.parametrize("row", [0, 50, 99])
def test_an_image_that_h5py_reads_otherwise_has_all_of_them_read_by_h5py(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, row: int
) -> None:
    images = draw([2] * 100)
    monkeypatch.setattr(matlab, "COMPARED_IMAGES", 100)
    read_at_once = matlab._read_at_once

    def misread(*arguments: Any) -> Any:
        table = read_at_once(*arguments)
        table.digits[2 * row + 1, 3] += 1
        return table

    monkeypatch.setattr(matlab, "_read_at_once", misread)
    caplog.set_level(logging.INFO)
    assert facts(read_digit_struct(make(tmp_path, images))) == expected(images)
    assert "h5py reads something else" in caplog.text


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    data = make(tmp_path, draw(DIGITS))
    for length in (600, len(data) // 2, len(data) - 1):
        with pytest.raises(
            PodiumError, match=r"^digitStruct\.mat is damaged.*truncated file.*Download the archive again"
        ):
            read_digit_struct(data[:length])


@pytest.mark.usefixtures("here")
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    data = make(tmp_path, draw(DIGITS))
    for length in range(0, len(data), len(data) // 300):
        with pytest.raises(PodiumError, match="is damaged"):
            read_digit_struct(data[:length])


@pytest.mark.parametrize("how", [{}, {"chunks": True}, {"libver": "latest"}], ids=["MATLAB", "compressed", "latest"])
@pytest.mark.usefixtures("here")
def test_flipped_bytes_end_in_boxes_or_in_one_message(tmp_path: Path, how: dict[str, Any]) -> None:
    data = make(tmp_path, draw(DIGITS), **how)
    random = np.random.default_rng(0)
    places = np.flatnonzero(np.frombuffer(data, np.uint8))  # where something is written
    outcomes = []
    for _ in range(150):
        flipped = bytearray(data)
        for place in random.choice(places, random.integers(1, 8)):
            flipped[place] = random.choice([0, 1, 128, 255, random.integers(256)])
        began = time.monotonic()
        try:
            boxes = read_digit_struct(bytes(flipped))
        except PodiumError:
            outcomes.append("refused")
        else:
            outcomes.append("read")
            with suppress(PodiumError):  # h5py looks at more, such as how far a dataset may grow
                assert facts(boxes) == facts(matlab._check(ask_here(bytes(flipped), ""), ""))
        assert time.monotonic() - began < SECONDS
    assert {*outcomes} == {"refused", "read"}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("byte", [127, 255])
def test_flipped_bytes_at_the_beginning_end_in_boxes_or_in_one_message(tmp_path: Path, byte: int) -> None:
    images = draw([1, 2])
    data = make(tmp_path, images)
    refused = 0
    for place in range(512, 512 + 200):  # the superblock and the root
        flipped = bytearray(data)
        flipped[place] = byte
        try:
            assert facts(read_digit_struct(bytes(flipped))) == expected(images)
        except PodiumError:
            refused += 1
    assert refused > 10


OUT = r"leads out of the file"
TREE, HEAP, NODE = b"TREE", b"HEAP", b"SNOD"
SPACE, TYPE, LAYOUT = (struct.pack("<HH", kind, size) for kind, size in ((1, 40), (3, 24), (8, 24)))


@pytest.mark.parametrize(
    ("thing", "after", "offset", "value", "reason"),
    [
        ("", b"", 0, b"\2", r"b'\\x01' is not where it should be"),
        ("", b"", 8, b"\0\0", "an object header has other messages"),
        ("", TREE, 5, b"\1", "TREE"),  # not a leaf
        ("", TREE, 6, b"\2", "TREE"),  # of two nodes
        ("", TREE, 32, b"\xff" * 8, OUT),
        ("", HEAP, 0, b"heap", "HEAP"),
        ("", HEAP, 24, b"\xff" * 7 + b"\x7f", OUT),
        ("", NODE, 6, b"\4", "SNOD"),
        ("", NODE, 8, b"\xff" * 7 + b"\x7f", OUT),
        ("", NODE, 16, b"\xff" * 8, OUT),
        ("", b"height", 0, b"eighty", "height"),
        ("top", b"", 0, b"OHDR", r"b'\\x01' is not where it should be"),
        ("top", SPACE, 4, b"\2", "has other messages"),  # shared
        ("top", SPACE, 8, b"\2", r"b'\\x01\\x02' is not where"),
        ("top", SPACE, 9, b"\1", r"b'\\x01\\x02' is not where"),
        ("top", SPACE, 16, b"\2", "has another size"),
        ("top", SPACE, 23, b"\1", "has another shape"),
        ("top", SPACE, 24, b"\2", "has another shape"),
        ("top", TYPE, 8, b"\x10", "has another element type"),  # integers
        ("top", TYPE, 9, b"\x21", "has another element type"),  # the largest byte first
        ("top", TYPE, 24, b"\0", "has another element type"),
        ("top", LAYOUT, 8, b"\4", r"b'\\x03\\x01' is not where"),
        ("top", LAYOUT, 9, b"\2", r"b'\\x03\\x01' is not where"),
        ("top", LAYOUT, 10, b"\xff" * 8, OUT),
        ("top", LAYOUT, 18, b"\x10", "has another size"),
    ],
)
@pytest.mark.usefixtures("here")
def test_every_structure_is_checked(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    thing: str,
    after: bytes,
    offset: int,
    value: bytes,
    reason: str,
) -> None:
    data = bytearray(make(tmp_path, draw([1] * 20)))
    with h5py.File(tmp_path / "digitStruct.mat") as file:
        group = file[file["digitStruct/bbox"][7, 0]]
        position = 512 + h5py.h5o.get_info((group[thing] if thing else group).id).addr
    place = data.index(after, position) + offset
    assert data[place : place + len(value)] != value
    data[place : place + len(value)] = value
    caplog.set_level(logging.INFO)
    with suppress(PodiumError):
        read_digit_struct(bytes(data))
    assert re.search(reason, caplog.text)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (8, b"\2", "HDF"),
        (13, b"\4", "HDF"),
        (24, b"\0\0", "x02"),
        (40, b"\xff" * 4, "cut short"),
        (64, b"\xff" * 4, OUT),
    ],
)
def test_the_superblock_is_checked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, offset: int, value: bytes, reason: str
) -> None:
    data = bytearray(make(tmp_path, draw(DIGITS)))
    data[512 + offset : 512 + offset + len(value)] = value
    caplog.set_level(logging.INFO)
    with suppress(PodiumError):
        read_digit_struct(bytes(data))
    assert reason in caplog.text


@pytest.mark.usefixtures("here")
def test_an_address_at_the_very_end_leads_out_of_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = bytearray(make(tmp_path, draw([1] * 20)))
    with h5py.File(tmp_path / "digitStruct.mat") as file:
        position = 512 + h5py.h5o.get_info(file[file["digitStruct/bbox"][7, 0]]["top"].id).addr
    place = data.index(LAYOUT, position) + 10
    caplog.set_level(logging.INFO)
    for back, out in ((8, False), (7, True)):
        data[place : place + 8] = struct.pack("<Q", len(data) - 512 - back)
        with suppress(PodiumError):
            read_digit_struct(bytes(data))
        assert (OUT in caplog.text) == out


@pytest.mark.usefixtures("here")
def test_an_object_header_that_continues_in_itself_comes_to_an_end(tmp_path: Path) -> None:
    data = bytearray(make(tmp_path, draw(DIGITS)))
    message = struct.pack("<HHBxxx", 0x10, 16, 0)
    place, count = data.find(message), 0
    while place >= 0:
        data[place + 8 : place + 24] = struct.pack("<QQ", place - 512, 24)
        place, count = data.find(message, place + 1), count + 1
    assert count >= len(DIGITS)
    began = time.monotonic()
    with pytest.raises(PodiumError, match="is damaged"):
        read_digit_struct(bytes(data))
    assert time.monotonic() - began < SECONDS


def test_a_crash_of_hdf5_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "crash.py"
    script.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr(matlab, "H5PY", script)
    with pytest.raises(PodiumError, match=r"is damaged.*h5py ended with status -11\. Download"):
        read_digit_struct(make(tmp_path, draw([1])))


@pytest.mark.slow
def test_what_hdf5_never_gets_to_the_end_of_is_refused(tmp_path: Path) -> None:
    data = bytearray(make(tmp_path, draw([1, 2])))
    with h5py.File(tmp_path / "digitStruct.mat") as file:
        group = file[file["digitStruct/bbox"][0, 0]]
        heap = data.index(HEAP, 512 + h5py.h5o.get_info(group.id).addr)
    [free, text] = struct.unpack_from("<QQ", data, heap + 16)
    struct.pack_into("<Q", data, 512 + text + free, free)  # a list of free places that leads from one to the same
    began = time.monotonic()
    with pytest.raises(PodiumError, match="memory allocation failed"):
        read_digit_struct(bytes(data))
    assert time.monotonic() - began < SECONDS


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
    group["top"][1, 0] = file["#refs#/pair"].ref


def lengthen(file: h5py.File) -> None:
    name = file[file["digitStruct/name"][0, 0]].name
    del file[name]
    file["digitStruct/name"][0, 0] = file.create_dataset("long", (1 << 40, 1), "<u2", chunks=(1000, 1)).ref


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (repeat_images, "more elements than a file of this size can hold"),
        (repeat_digits, "than a file of this size can hold"),
        (repeat_letters, "than a file of this size can hold"),
        (pair, "can only convert an array of size 1"),
        (lengthen, "more elements than a file of this size can hold"),
        (
            lambda file: replace(file, 1, "top", file[file["digitStruct/bbox"][3, 0]]["top"][()]),
            "have different lengths",
        ),
        (lambda file: replace(file, 0, "top", b"text"), "not an array of numbers"),
        (lambda file: replace(file, 0, "top", np.ones((2, 1))), "have different lengths"),
        (lambda file: file[file["digitStruct/bbox"][0, 0]].pop("top"), "top"),
        (lambda file: file["digitStruct"].pop("name"), "name"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_file_with_something_else_in_it_is_refused(
    tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    data = make(tmp_path, draw(DIGITS), change)
    with pytest.raises(PodiumError, match=words):
        read_digit_struct(data)


@pytest.mark.parametrize("data", [b"", b"\0" * 2000, b"<html>", b"MATLAB 5.0 MAT-file".ljust(5000)])
def test_what_is_no_hdf5_is_refused(data: bytes) -> None:
    with pytest.raises(PodiumError, match=r"^test/digitStruct\.mat is damaged, or something else"):
        read_digit_struct(data, "test/digitStruct.mat")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("field", range(len(FIELDS)))
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused_with_its_image(tmp_path: Path, field: int, number: float) -> None:
    images = draw(DIGITS)
    images[3][1][2, field] = number
    words = rf"^Digit 3 of '4\.png' in digitStruct\.(mat|json) has .*{FIELDS[field]} {number}"
    with pytest.raises(PodiumError, match=words):
        read_digit_struct(make(tmp_path, images))
    with pytest.raises(PodiumError, match=words):
        read_digit_json(make_json(images))


@pytest.mark.parametrize("label", [1.5, 1e300])
def test_a_label_that_is_not_whole_is_refused(tmp_path: Path, label: float) -> None:
    images = draw([1, 2])
    images[1][1][0, -1] = label
    for read, data in ((read_digit_struct, make(tmp_path, images)), (read_digit_json, make_json(images))):
        with pytest.raises(PodiumError, match=r"Digit 1 of '2\.png'.*a whole one as label"):
            read(data)


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
        (f'[{{"filename": "1.png", "boxes": [{{{BOX}, "top": 1e999}}]}}]'.encode(), "^Digit 1 of '1.png'.*top inf"),
    ],
)
def test_json_with_something_else_in_it_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_digit_json(text, "train.json")


def test_json_may_have_images_without_digits_whole_numbers_and_more_keys() -> None:
    text = f'[{{"filename": "1.png", "boxes": []}}, {{"filename": "2.png", "boxes": [{{{BOX}, "x": 0}}], "x": 0}}]'
    assert facts(read_digit_json(text.encode())) == [("1.png", []), ("2.png", [(1, [2, 3, 4, 5])])]


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    def empty(file: h5py.File) -> None:
        for key in ("name", "bbox"):
            del file[f"digitStruct/{key}"]
            file["digitStruct"].create_dataset(key, (0, 1), h5py.ref_dtype)

    with pytest.raises(PodiumError, match="names no images"):
        read_digit_struct(make(tmp_path, draw([1]), empty))


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_published_file_is_read_at_once_and_as_its_json_says(
    shared_data: Path, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    path = shared_data / "kaggle/datasets/stanfordu/street-view-house-numbers.zip"
    with zipfile.ZipFile(path) as archive:
        data, text = archive.read(f"{part}/digitStruct.mat"), archive.read(f"annotations/{part}DigitStruct.json")
    caplog.set_level(logging.INFO)
    boxes = read_digit_struct(data)
    assert not caplog.messages
    assert facts(boxes) == facts(read_digit_json(text))
    assert {*boxes.labels.tolist()} == {*range(1, 11)}


def test_the_bench_has_as_many_images_and_digits_as_the_official_train_part() -> None:
    assert sum(IMAGES.values()) == digit_struct.IMAGES == 33_402
    assert sum(digits * count for digits, count in IMAGES.items()) == 73_257
