"""What stands beside a PNG's pixels never keeps the image from being used, and is not unpacked."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from podium.config.datasets import Image
from podium.images.decoding import decode, inspect
from podium.images.opening import BadImageError
from podium.images.png_notes import MAX_NOTE_BYTES, without_notes

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
WANTED = Image(height=20, width=30, channels=3, resize="stretch")
BOMB = zlib.compress(bytes(1 << 25))


def png() -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


CHUNKS = {
    "long text": chunk(b"tEXt", b"parameters\0" + b"a" * (1 << 21)),
    "much text": b"".join(chunk(b"tEXt", b"%d\0" % n + b"a" * (1 << 20)) for n in range(80)),
    "packed text": chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"a" * (1 << 21))),
    "a bomb of text": chunk(b"zTXt", b"prompt\0\0" + BOMB) * 4,
    "a bomb of international text": chunk(b"iTXt", b"workflow\0\1\0\0\0" + BOMB),
    "a colour profile": chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(1 << 21))),
    "a bomb of a colour profile": chunk(b"iCCP", b"icc\0\0" + BOMB),
    "a colour profile packed in an unknown way": chunk(b"iCCP", b"icc\0\7abc"),
    "a text of a wrong sum": b"\0\0\0\3tEXta\0b\0\0\0\0",
    "a text under the name of a setting": chunk(b"tEXt", b"transparency\0no") + chunk(b"tEXt", b"xmp\0no"),
    "a second note of the orientation": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0no")
    + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
    "a note of the orientation that is too long": chunk(b"tEXt", b"exif\0" + bytes(MAX_NOTE_BYTES)),
}


@pytest.mark.parametrize("what", CHUNKS)
@pytest.mark.parametrize("place", ["before the pixels", "after them"])
def test_an_image_with_it_is_used(what: str, place: str) -> None:
    whole = png()
    cut = 33 if place == "before the pixels" else len(whole) - 12
    data = whole[:cut] + CHUNKS[what] + whole[cut:]
    facts = inspect(data, "a.png")
    assert (facts.height, facts.width, facts.notice) == (20, 30, "")
    np.testing.assert_array_equal(decode(data, WANTED), PIXELS)


def test_nothing_is_unpacked_but_what_can_say_which_way_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = []
    monkeypatch.setattr(PngImagePlugin, "_safe_zlib_decompress", lambda packed: unpacked.append(packed) or b"")
    whole = png()
    used = chunk(b"zTXt", b"Raw profile type exif\0\0used")
    inspect(whole[:33] + b"".join(CHUNKS.values()) + used + whole[33:], "a.png")
    assert b"used" in unpacked
    assert len(unpacked) == 1


def test_a_bomb_in_place_of_the_orientation_is_refused_by_its_name() -> None:
    whole = png()
    data = whole[:33] + chunk(b"zTXt", b"Raw profile type exif\0\0" + BOMB) + whole[33:]
    with pytest.raises(BadImageError, match="the header of the PNG cannot be read: Decompressed data too large"):
        inspect(data, "a.png")


def test_a_file_without_notes_is_left_as_it_is() -> None:
    whole = png()
    assert without_notes(whole) is whole
    for length in (0, 7, 20, 40, len(whole) - 5):
        assert without_notes(whole[:length]) == whole[:length]
    broken = whole[:33] + b"\xff\xff\xff\xfftEXt" + whole[33:]
    assert without_notes(broken) == broken
