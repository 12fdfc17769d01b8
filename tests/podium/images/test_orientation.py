"""Whatever the format and however it is written: manifest, arrays and thumbnails agree on which way is up."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.datasets.formats.example import Example
from podium.datasets.validation.thumbnails import collect_thumbnails
from podium.images.decoding import OPENCV_FORMATS, decode, inspect
from podium.images.orientation import read_jpeg_orientation, read_orientation, turn

HEIGHT, WIDTH = 64, 96
"""Of the image as people see it: red at the top left, green at the top right, blue below."""
RED, GREEN, BLUE = (250, 20, 20), (20, 220, 20), (20, 20, 250)
_EXIF = b"Exif\0\0"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of Pillow, about EXIF data that are broken


def upright() -> np.ndarray:
    pixels = np.full((HEIGHT, WIDTH, 3), BLUE, np.uint8)
    pixels[: HEIGHT // 2] = GREEN
    pixels[: HEIGHT // 2, : WIDTH // 2] = RED
    return pixels


def stored(orientation: int) -> Pillow.Image:
    """Give the pixels as a camera stores them that notes this orientation; undone by numpy, not by what is tested."""
    undo = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: np.rot90(p, -1),
    }
    return Pillow.fromarray(np.ascontiguousarray(undo[orientation](upright())))


def exif(value: int) -> bytes:
    notes = Pillow.Exif()
    notes[0x0112] = value
    return _EXIF + notes.tobytes().removeprefix(_EXIF)


def xmp(orientation: object) -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="%s"/></x:xmpmeta>' % str(orientation).encode()


def save(image: Pillow.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}), **options)
    return file.getvalue()


def with_segments(jpeg: bytes, *contents: bytes) -> bytes:
    segments = b"".join(b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content for content in contents)
    return jpeg[:2] + segments + jpeg[2:]


def with_chunk(png: bytes, name: bytes, content: bytes, last: bool = False) -> bytes:
    chunk = len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
    place = len(png) - 12 if last else 33
    return png[:place] + chunk + png[place:]


_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_CHUNK = b"XML:com.adobe.xmp\0\0\0\0\0"


def raw_profile(orientation: int) -> bytes:
    content = exif(orientation)
    return b"Raw profile type exif\0\0" + zlib.compress(
        b"\nexif\n%8d\n" % len(content) + content.hex().encode() + b"\n"
    )


WRITERS = {
    "JPEG, EXIF": lambda o: with_segments(save(stored(o), "JPEG"), exif(o)),
    "JPEG, EXIF whose header stands twice": lambda o: with_segments(save(stored(o), "JPEG"), _EXIF + exif(o)),
    "JPEG, EXIF after an empty one": lambda o: with_segments(save(stored(o), "JPEG"), _EXIF, exif(o)),
    "JPEG, XMP": lambda o: with_segments(save(stored(o), "JPEG"), _XMP_SEGMENT + xmp(o)),
    "JPEG, EXIF before XMP": lambda o: with_segments(save(stored(o), "JPEG"), _XMP_SEGMENT + xmp(9 - o), exif(o)),
    "JPEG, progressive": lambda o: with_segments(save(stored(o), "JPEG", progressive=True), exif(o)),
    "MPO, EXIF": lambda o: save(stored(o), "MPO", save_all=True, append_images=[stored(1)], exif=exif(o)),
    "PNG, eXIf": lambda o: save(stored(o), "PNG", exif=exif(o)),
    "PNG, eXIf after the pixels": lambda o: with_chunk(save(stored(o), "PNG"), b"eXIf", exif(o)[6:], last=True),
    "PNG, raw profile": lambda o: with_chunk(save(stored(o), "PNG"), b"zTXt", raw_profile(o)),
    "PNG, XMP": lambda o: with_chunk(save(stored(o), "PNG"), b"iTXt", _XMP_CHUNK + xmp(o)),
    "PNG, XMP after the pixels": lambda o: with_chunk(save(stored(o), "PNG"), b"iTXt", _XMP_CHUNK + xmp(o), last=True),
    "WebP, EXIF": lambda o: save(stored(o), "WEBP", exif=exif(o)),
    "WebP, XMP": lambda o: save(stored(o), "WEBP", xmp=xmp(o)),
    "AVIF": lambda o: save(stored(o), "AVIF", exif=exif(o)),
    "TIFF": lambda o: save(stored(o), "TIFF", tiffinfo={0x0112: o}),
    "TIFF, packed": lambda o: save(stored(o), "TIFF", tiffinfo={0x0112: o}, compression="tiff_lzw"),
    "TIFF, XMP": lambda o: save(stored(o), "TIFF", tiffinfo={700: xmp(o)}),
}


def check(data: bytes, name: str = "a") -> None:
    """Hold every way to see the image against what people see."""
    facts = inspect(data, name)
    assert (facts.height, facts.width) == (HEIGHT, WIDTH)
    assert facts.gray.shape == (HEIGHT, WIDTH) or facts.format in ("JPEG", "MPO")
    assert facts.gray[4, -4] > facts.gray[4, 4] > facts.gray[-4, 4], "green is brighter than red, red than blue"
    proofs = [None, (facts.width, facts.height)] if (facts.format, facts.mode) in OPENCV_FORMATS else [None]
    for proved in proofs:
        for height, width in ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2)):
            pixels = decode(data, Image(height=height, width=width, channels=3, resize="stretch"), proved)
            assert pixels.flags.c_contiguous
            looks_right(pixels)
        gray = decode(data, Image(height=32, width=48, channels=1, resize="stretch"), proved)
        assert gray[3, -3] > gray[3, 3] > gray[-3, 3]
    thumbnail = collect_thumbnails([Example(name, "train", "cat", data)], [0])[0]
    looks_right(np.asarray(Pillow.open(io.BytesIO(thumbnail)).convert("RGB")))


def looks_right(pixels: np.ndarray) -> None:
    corners = {"red": (pixels[4, 4], RED), "green": (pixels[4, -5], GREEN), "blue": (pixels[-5, 4], BLUE)}
    for colour, (seen, expected) in corners.items():
        assert np.abs(seen.astype(int) - expected).max() < 40, colour


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_manifest_arrays_and_thumbnails_agree_on_which_way_is_up(writer: str, orientation: int) -> None:
    check(WRITERS[writer](orientation))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(value: int) -> None:
    check(with_segments(save(stored(1), "JPEG"), exif(value)))
    check(save(stored(1), "PNG", exif=exif(value)))
    check(save(stored(1), "WEBP", exif=exif(value)))
    check(save(stored(1), "TIFF", tiffinfo={0x0112: value}))


def test_an_orientation_in_letters_turns_nothing() -> None:
    notes = b"II*\0\x08\0\0\0\1\0\x12\1\2\0\2\0\0\0" + b"6\0\0\0" + bytes(4)
    check(with_segments(save(stored(1), "JPEG"), _EXIF + notes))
    check(save(stored(1), "PNG", exif=notes))


@pytest.mark.parametrize("value", [0, 9, "x"])
def test_an_xmp_orientation_that_is_none_turns_nothing(value: object) -> None:
    check(with_segments(save(stored(1), "JPEG"), _XMP_SEGMENT + xmp(value)))
    check(save(stored(1), "WEBP", xmp=xmp(value)))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("denominator", [0, 1])
def test_a_fraction_over_zero_beside_the_orientation_is_no_trouble(orientation: int, denominator: int) -> None:
    entries = [
        (0x0112).to_bytes(2, "little") + b"\3\0\1\0\0\0" + orientation.to_bytes(4, "little"),
        (0x011A).to_bytes(2, "little") + b"\5\0\1\0\0\0" + (38).to_bytes(4, "little"),
    ]
    fraction = (72).to_bytes(4, "little") + denominator.to_bytes(4, "little")
    notes = b"II*\0\x08\0\0\0\2\0" + b"".join(entries) + bytes(4) + fraction
    check(with_segments(save(stored(orientation), "JPEG"), _EXIF + notes))
    check(save(stored(orientation), "WEBP", exif=notes))


@pytest.mark.parametrize("notes", [b"", b"II", b"nonsense", exif(6)[6:20], b"MM\0*\xff\xff\xff\xff"])
def test_broken_exif_data_turn_nothing(notes: bytes) -> None:
    data = with_segments(save(stored(1), "JPEG"), _EXIF + notes)
    facts = inspect(data, "a.jpg")
    wanted = Image(height=facts.height, width=facts.width, channels=3, resize="stretch")
    slow, fast = decode(data, wanted), decode(data, wanted, (facts.width, facts.height))
    assert np.abs(slow.astype(int) - fast).mean() < 2
    assert (facts.height, facts.width) == (HEIGHT, WIDTH)


def test_a_jpegs_first_segments_say_what_pillow_says() -> None:
    for orientation in range(1, 9):
        data = with_segments(save(stored(orientation), "JPEG"), exif(orientation))
        assert read_jpeg_orientation(data) == read_orientation(Pillow.open(io.BytesIO(data))) == orientation
    assert read_jpeg_orientation(save(stored(1), "JPEG")) == 1


@pytest.mark.parametrize(
    ("odd", "what"),
    [(b"\xff", "a filling byte"), (b"\x00", "a stray byte"), (b"\xff\xd0", "a marker without a segment")],
)
def test_a_jpeg_whose_first_segments_are_odd_is_left_to_pillow(odd: bytes, what: str) -> None:
    jpeg = with_segments(save(stored(6), "JPEG"), b"first", exif(6))
    data = jpeg[:11] + odd + jpeg[11:]
    assert read_jpeg_orientation(data) is None, what
    check(data)
    assert read_jpeg_orientation(jpeg[:30]) is None
    assert read_jpeg_orientation(b"") is None


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_exact_and_keeps_the_channels(orientation: int, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Pillow.fromarray(pixels)
    image.info["exif"] = exif(orientation)
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(image))[..., :channels]
    np.testing.assert_array_equal(turn(np.ascontiguousarray(pixels[..., :channels]), orientation), expected)
