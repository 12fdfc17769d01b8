import base64
import csv
import io
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.images import given
from podium.images.decoding import OPENCV_FORMATS, decode, inspect
from podium.images.fitting import Placement, fit
from podium.images.given import read_given
from podium.images.opening import BadImageError

WIDTH, HEIGHT = 90, 60


def sized(height: int, width: int, channels: int = 3, resize: str = "stretch") -> Image:
    return Image(height=height, width=width, channels=channels, resize=resize)


TARGET = sized(20, 24)


def draw(mode: str = "RGB") -> Pillow.Image:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    red, green, blue = rows * 4, columns * 2, (rows * columns) % 256
    alpha = np.where(columns < WIDTH // 3, 0, 200)
    colours = np.stack([red, green, blue, alpha], axis=2).astype(np.uint8)
    if mode == "I;16":
        return Pillow.fromarray((rows * 1000).astype(np.uint16))
    return Pillow.fromarray(colours).convert(mode) if mode != "RGBA" else Pillow.fromarray(colours)


def save(image: Pillow.Image, kind: str, orientation: int = 1, **options: Any) -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **options)
    return file.getvalue()


FILES = {
    "jpeg": save(draw(), "JPEG", quality=90),
    "jpeg, gray": save(draw("L"), "JPEG"),
    "jpeg, cmyk": save(draw("CMYK"), "JPEG"),
    "jpeg, turned": save(draw(), "JPEG", orientation=6),
    "jpeg, mirrored and turned, gray": save(draw("L"), "JPEG", orientation=5),
    "jpeg, cmyk, turned": save(draw("CMYK"), "JPEG", orientation=8),
    "mpo": save(draw(), "MPO", save_all=True, append_images=[draw("L")]),
    "png": save(draw(), "PNG"),
    "png, turned": save(draw(), "PNG", orientation=8),
    "png, gray of 16 bit": save(draw("I;16"), "PNG"),
    "png, transparent": save(draw("RGBA"), "PNG"),
    "png, palette": save(draw("P"), "PNG"),
    "gif": save(draw("P"), "GIF"),
    "tiff, of 16 bit": save(draw("I;16"), "TIFF"),
    "tiff, turned": save(draw(), "TIFF", orientation=6),
    "webp": save(draw("RGBA"), "WEBP", lossless=True),
    "bmp": save(draw(), "BMP"),
}


def prepare(data: bytes, target: Image) -> tuple[np.ndarray, tuple[int, int]]:
    """What `validate` and `preprocess` make of a file: its pixels in the arrays, and the size in the manifest."""
    facts = inspect(data, "")
    size = (facts.width, facts.height)
    return decode(data, target, size if (facts.format, facts.mode) in OPENCV_FORMATS else None), size


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(20, 24), (7, 9), (120, 50)], ids=["smaller", "much smaller", "larger"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_very_pixels_that_it_has_in_the_arrays(
    name: str, size: tuple[int, int], channels: int, resize: str
) -> None:
    target = sized(*size, channels, resize)
    pixels, (width, height) = prepare(FILES[name], target)
    got = read_given(FILES[name], target)
    np.testing.assert_array_equal(got.pixels, pixels)
    assert (got.width, got.height) == (width, height)
    assert got.placement == Placement.of(width, height, target)


def test_every_image_of_the_test_data_is_read_as_preprocess_reads_it(shared_data: Path) -> None:
    with (shared_data / "broken/oracle.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["kind"] == "image"]
    refused = set()
    for name in names:
        data = (shared_data / "broken" / name).read_bytes()
        try:
            expected, size = prepare(data, TARGET)
        except BadImageError:
            refused.add(name)
            with pytest.raises(BadImageError):
                read_given(data, TARGET)
            continue
        got = read_given(data, TARGET)
        np.testing.assert_array_equal(got.pixels, expected, err_msg=name)
        assert (got.width, got.height) == size, name
    assert {"truncated.jpg", "zero_byte.jpg", "html.jpg"} <= refused < {*names}


@pytest.mark.parametrize("name", ["jpeg", "jpeg, gray"])
def test_a_damaged_file_is_refused_where_validation_refuses_it(name: str) -> None:
    random, refused = np.random.default_rng(0), 0
    for _ in range(600):
        data = np.frombuffer(FILES[name], np.uint8).copy()
        data[random.integers(len(data) // 3, len(data), 3)] = random.integers(0, 256, 3)
        try:
            inspect(data.tobytes(), "")
            read_given(data.tobytes(), TARGET)
        except BadImageError:
            refused += 1
            with pytest.raises(BadImageError):
                read_given(data.tobytes(), TARGET)
    assert 0 < refused < 600


@pytest.mark.parametrize("form", ["text", "text in lines", "data uri", "bytearray", "memoryview"])
def test_a_file_as_text_is_the_file(form: str) -> None:
    data = FILES["jpeg, turned"]
    text = base64.b64encode(data).decode()
    forms = {
        "text": text,
        "text in lines": base64.encodebytes(data).decode(),
        "data uri": f"data:image/jpeg;base64,{text}",
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
    }
    np.testing.assert_array_equal(read_given(forms[form], TARGET).pixels, read_given(data, TARGET).pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_array_is_brought_to_the_size_as_preprocess_does(channels: int) -> None:
    pixels = np.asarray(draw("L" if channels == 1 else "RGB")).reshape(HEIGHT, WIDTH, channels)
    target = sized(20, 24, resize="pad")
    got = read_given(pixels, target)
    np.testing.assert_array_equal(got.pixels, fit(pixels, target))
    assert (got.width, got.height) == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(read_given(pixels.tolist(), target).pixels, got.pixels)
    np.testing.assert_array_equal(read_given(pixels[:, ::-1][:, ::-1], target).pixels, got.pixels)


def bomb(width: int, height: int) -> bytes:
    """A PNG of two dozen bytes that says it is large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


HOSTILE = {
    "nothing": (b"", "the file is empty"),
    "no text": ("", "the file is empty"),
    "no image": (b"<!DOCTYPE html><html>", "a web page"),
    "cut short": (FILES["jpeg"][:-300], "truncated"),
    "png cut short": (FILES["png"][:-300], "cannot be decoded"),
    "huge": (bomb(60_000, 60_000), "60000 × 60000 pixels"),
    "larger than is served": (bomb(10_000, 5_401), "over 54,000,000"),
    "no base64": ("photo.jpg", "'photo.jpg' is no base64"),
    "a path": ("/etc/passwd", "'/etc/passwd' is no base64"),
    "an address": ("http://127.0.0.1/x.png", "is no base64"),
    "another text": ("ñandú", "is no base64"),
    "base64 of no image": (base64.b64encode(b"hello world, hello").decode(), "the file is text"),
    "none": (None, "of the type NoneType"),
    "a number": (7, "of the type int"),
    "an object": ({"b64": "QQ=="}, "of the type dict"),
    "a stack": (np.zeros((2, 8, 8, 3), np.uint8), r"shape is \(2, 8, 8, 3\)"),
    "no channels": (np.zeros((8, 8), np.uint8), r"shape is \(8, 8\)"),
    "four channels": (np.zeros((8, 8, 4), np.uint8), "of 1 or 3 channels"),
    "no rows": (np.zeros((0, 8, 3), np.uint8), r"shape is \(0, 8, 3\)"),
    "fractions": (np.zeros((8, 8, 3), np.float32), "float32; expected uint8"),
    "a list of fractions": ([[[0.5]]], "float64; expected uint8"),
    "a list of large numbers": ([[[256]]], "expected uint8"),
    "a list of negative numbers": ([[[-1]]], "expected uint8"),
    "rows of several lengths": ([[[1], [2]], [[3]]], "differ in length"),
    "a list of texts": (["QQ=="], "shape is"),
    "an endless row": (np.zeros((1, 70_000, 1), np.uint8), "shape is"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_usable_image_is_refused_with_a_reason(name: str) -> None:
    value, reason = HOSTILE[name]
    with pytest.raises(BadImageError, match=reason):
        read_given(value, TARGET)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_large_file_is_refused_unread(monkeypatch: pytest.MonkeyPatch, as_text: bool) -> None:
    monkeypatch.setattr(given, "MAX_BYTES", 100)
    data = FILES["jpeg"]
    with pytest.raises(BadImageError, match=r"over 100|at most 100 bytes"):
        read_given(base64.b64encode(data).decode() if as_text else data, TARGET)


def test_what_is_decoded_in_full_may_have_fewer_pixels_than_a_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_WHOLE_PIXELS", 10)
    read_given(FILES["jpeg"], TARGET)
    with pytest.raises(BadImageError, match=r"pixels, over 10$"):
        read_given(FILES["png"], TARGET)


def test_large_images_are_decoded_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "_MANY_PIXELS", 1)
    decode, busy, most = given.decode_unseen, [0], [0]

    def watched(*arguments: Any) -> Any:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        time.sleep(0.002)
        busy[0] -= 1
        return decode(*arguments)

    monkeypatch.setattr(given, "decode_unseen", watched)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: read_given(FILES["jpeg"], TARGET), range(12)))
    assert most == [1]
