"""Whatever cannot be used is refused with its cause, and no bytes are a traceback."""

import io
import random
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.images.decoding import decode, inspect
from podium.images.kinds import READABLE
from podium.images.opening import BadImageError

WANTED = Image(height=8, width=8, channels=3, resize="stretch")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def saved(kind: str, image: Pillow.Image | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    (image or Pillow.linear_gradient("L").resize((40, 30)).convert("RGB")).save(file, kind, **options)
    return file.getvalue()


def tiff(bands: int, bits: int, sample: int = 1, photometric: int = 1, packing: int = 1, **more: int) -> bytes:
    """Write an uncompressed TIFF of 4 × 4 pixels, each byte of them a 7, in the shape that remote sensing uses."""
    tags = {256: (4,), 257: (4,), 258: (bits,) * bands, 259: (packing,), 262: (photometric,), 273: (600,)}
    tags |= {277: (bands,), 278: (4,), 279: (16 * bands * bits // 8,), 339: (sample,) * bands}
    tags |= {254: (more["subfile"],)} if more else {}
    entries, beyond = b"", b""
    for tag in sorted(tags):
        content = struct.pack(f"<{len(tags[tag])}H", *tags[tag])
        if len(content) > 4:
            place, beyond = 14 + 12 * len(tags) + len(beyond), beyond + content
            content = place.to_bytes(4, "little")
        entries += struct.pack("<HHI", tag, 3, len(tags[tag])) + content.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + beyond
    return head.ljust(600, b"\0") + b"\7" * 2000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty; download or copy it again"),
        (bytes(5000), "nothing but zeros; download or copy it again"),
        (bytes(5000) + b"\1", "the file begins with 00 00 00 00 00 00 00 00, as no image does that podium knows"),
        (b"\7\1\3\4", "the file begins with 07 01 03 04, as no image does that podium knows"),
        (b"<html>Sign in", "the file is a web page; the site sent it instead"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "the file is HEIC; convert it to JPEG or PNG"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a git-lfs pointer; the image is elsewhere; run `git lfs pull`",
        ),
        (b"PK\3\4" + bytes(40), "the file is a zip archive; unpack it"),
        (tiff(13, 16), "its pixels have 13 bands of 16 bit; podium reads 1, 3 or 4"),
        (tiff(3, 32, sample=3, photometric=2), "its pixels have 3 bands of 32 bit, fractions; podium reads"),
        (tiff(1, 32, sample=3), "its pixels are fractions, whose range nobody knows; save it as PNG"),
        (tiff(1, 32), "its pixels are signed, or of 32 bit, whose range nobody knows"),
        (tiff(1, 16, sample=2), "its pixels are signed, or of 32 bit, whose range nobody knows"),
        (tiff(1, 8, packing=34712), "the header of the TIFF cannot be read: it has the unknown code 34712"),
        (tiff(3, 8, photometric=2, subfile=1), "a camera's raw file; develop it"),
        (saved("JPEG")[:100], "the header of the JPEG cannot be read: it is cut short"),
        (saved("PNG")[:30], "the header of the PNG cannot be read: it is cut short"),
        (saved("AVIF")[:150], "the header of the AVIF cannot be read"),
        (saved("WEBP")[:20], "the header of the WEBP cannot be read"),
        (
            saved("PNG").replace(b"\0\0\0\x28", b"\0\0\0\x29", 1),
            "the header of the PNG cannot be read: .*checksum in b'IHDR'",
        ),
        (saved("BMP").replace(b"\x28\0\0\0", b"\x38\0\0\0", 1)[:40], "the header of the BMP cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_cause(data: bytes, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason):
        inspect(data, "a.jpg")
    with pytest.raises(BadImageError, match=reason):
        decode(data, WANTED)


def fill(mode: str, colour: object) -> Pillow.Image:
    return Pillow.new(mode, (12, 8), colour)


def transparent_palette() -> bytes:
    image = fill("P", 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.paste(0, (0, 0, 6, 8))
    return saved("PNG", image, transparency=0)


@pytest.mark.parametrize(
    ("make", "mode", "left", "notice"),
    [
        (lambda: saved("TIFF", fill("CMYK", (0, 128, 255, 0))), "CMYK", (255, 127, 0), ""),
        (lambda: saved("JPEG", fill("CMYK", (0, 128, 255, 0)), quality=99), "CMYK", (255, 127, 0), ""),
        (lambda: saved("PNG", fill("1", 1)), "1", (255, 255, 255), ""),
        (lambda: saved("TIFF", fill("1", 1), compression="group4"), "1", (255, 255, 255), ""),
        (transparent_palette, "P", (255, 255, 255), ""),
        (lambda: saved("PNG", fill("LA", (90, 0))), "LA", (255, 255, 255), ""),
        (lambda: tiff(3, 16, photometric=2), "RGB", (7, 7, 7), ""),
        (lambda: tiff(1, 16), "I;16", (7, 7, 7), ""),
        (lambda: tiff(1, 16, photometric=0), "I;16", (248, 248, 248), ""),
        (lambda: tiff(1, 8, photometric=0), "L", (248, 248, 248), ""),
        (lambda: b"P5 12 8 65535\n" + b"\x80\x80" * 96, "I", (128, 128, 128), ""),
        (lambda: saved("AVIF", fill("RGB", (9, 99, 199))), "RGB", (9, 99, 199), ""),
        (lambda: saved("AVIF", fill("RGBA", (9, 99, 199, 0))), "RGBA", (255, 255, 255), ""),
        (
            lambda: saved("TIFF", fill("RGB", (9, 99, 199)), save_all=True, append_images=[fill("L", 0)]),
            "RGB",
            (9, 99, 199),
            "it has several pages; the first is used",
        ),
        (
            lambda: saved("PNG", fill("RGB", (9, 99, 199)), save_all=True, append_images=[fill("RGB", 0)]),
            "RGB",
            (9, 99, 199),
            "it is animated; its first frame is used",
        ),
        (
            lambda: saved("MPO", fill("RGB", (9, 99, 199)), save_all=True, append_images=[fill("RGB", 0)]),
            "RGB",
            (9, 99, 199),
            "",
        ),
    ],
)
def test_an_odd_image_is_read(make: Callable[[], bytes], mode: str, left: tuple[int, int, int], notice: str) -> None:
    data = make()
    facts = inspect(data, "a")
    assert (facts.mode, facts.notice) == (mode, notice)
    pixels = decode(data, Image(height=facts.height, width=facts.width, channels=3, resize="stretch"))
    assert np.abs(pixels[1, 1].astype(int) - left).max() <= 6


def test_sixteen_bit_gray_with_a_transparent_value_is_put_on_white() -> None:
    deep = np.full((8, 12), 20_000, np.uint16)
    deep[:, 6:] = 40_000
    data = saved("PNG", Pillow.fromarray(deep), transparency=20_000)
    pixels = decode(data, Image(height=8, width=12, channels=1, resize="stretch"))
    assert pixels[1, 1, 0] == 255
    assert pixels[1, 10, 0] == (40_000 + 128) // 257


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_no_bytes_are_a_traceback(kind: str) -> None:
    whole = saved(kind, exif=Pillow.Exif()) if kind in ("PNG", "WEBP", "TIFF") else saved(kind)
    moving = {"save_all": True, "append_images": [Pillow.new("RGB", (40, 30))]}
    seeds = [whole, saved(kind, **moving)] if kind in ("PNG", "GIF", "WEBP", "TIFF", "AVIF") else [whole]
    generator = random.Random(0)  # noqa: S311
    refused = 0
    for number in range(150):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(generator.choice((1, 1, 2, 8))):
            place = generator.randrange(min(len(data), generator.choice((40, 400, len(data)))))
            match generator.randrange(4):
                case 0:
                    del data[place : place + 3]
                case 1:
                    data[place : place + 4] = generator.randbytes(4)
                case _:
                    data[place] = generator.choice((0, 1, 127, 128, 255))
        try:
            facts = inspect(bytes(data), "a")
            if facts.height * facts.width < 1 << 20:
                assert decode(bytes(data), WANTED).shape == (8, 8, 3)
        except BadImageError:
            refused += 1
    assert refused
