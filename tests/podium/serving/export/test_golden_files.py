"""Golden files: each is as awkward as its name says."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.files import save_json
from podium.images.given import read_given
from podium.serving.export.golden_files import HUGE, make_golden_files
from podium.tracking.classifier import Size

SIDE = 12


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The golden files of a model with one golden image, dark at the left and light at the right and the top."""
    artifacts = tmp_path_factory.mktemp("model") / "artifacts"
    (artifacts / "golden").mkdir(parents=True)
    pixels = np.tile(np.linspace(20, 220, SIDE).astype(np.uint8), (SIDE, 1))
    pixels[: SIDE // 3] = 250
    Pillow.fromarray(pixels).save(artifacts / "golden/0.png")
    save_json({"images": [{"image": "golden/0.png"}]}, artifacts / "golden.json")
    return {file.name: file.data for file in make_golden_files(artifacts.parent)}


def test_each_is_what_it_is_named_after(golden: dict[str, bytes]) -> None:
    opened = {name: Pillow.open(io.BytesIO(data)) for name, data in golden.items()}
    assert {name: opened[name].getexif()[0x0112] for name in ("exif-6.jpg", "exif-5.jpg")} == {
        "exif-6.jpg": 6,
        "exif-5.jpg": 5,
    }
    modes = {
        name: opened[name].mode for name in ("cmyk.jpg", "alpha.png", "gray-16-bit.png", "gray.png", "palette.png")
    }
    assert [*modes.values()] == ["CMYK", "RGBA", "I;16", "L", "P"]
    assert golden["colour-16-bit.png"][24:26] == bytes([16, 2])  # PNG's own words for 16 bit, colours
    sizes = {"37x91.png": (37, 91), "1x1.png": (1, 1), "3x2.png": (3, 2), "6000x4000.png": HUGE}
    assert {name: opened[name].size for name in sizes} == sizes


def test_what_is_only_written_otherwise_is_seen_as_the_golden_image_itself(golden: dict[str, bytes]) -> None:
    size = Size(SIDE, SIDE, 1, "stretch")
    expected = read_given(golden["0.png"], size).pixels.astype(int)
    same = ("exif-6.jpg", "exif-5.jpg", "cmyk.jpg", "gray-16-bit.png", "colour-16-bit.png", "gray.png", "palette.png")
    for name in same:
        seen = read_given(golden[name], size).pixels.astype(int)
        assert np.abs(seen - expected).max() <= 16, name  # JPEG and sixteen colours lose a little, not the direction


def test_together_they_stay_small(golden: dict[str, bytes]) -> None:
    assert sum(map(len, golden.values())) < 1_000_000
