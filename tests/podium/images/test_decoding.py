import csv
import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.images.decoding import OPENCV_FORMATS, decode, inspect
from podium.images.fitting import Placement, fit
from podium.images.opening import MAX_PIXELS, BadImageError

HEIGHT, WIDTH = 60, 90


def sized(height: int = 30, width: int = 45, channels: int = 3, resize: str = "stretch") -> Image:
    return Image(height=height, width=width, channels=channels, resize=resize)


def draw() -> Pillow.Image:
    """An image whose corners differ: red, green, blue, white, smoothly blended."""
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    return Pillow.fromarray(cv2.resize(corners, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))


def save(image: Pillow.Image, kind: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def test_every_image_of_the_test_data_is_judged_as_its_oracle_says(shared_data: Path) -> None:
    with (shared_data / "broken/oracle.csv").open(encoding="utf-8") as file:
        oracle = {row["file"]: row["expected"] for row in csv.DictReader(file) if row["kind"] == "image"}
    verdicts, reasons = {}, {}
    for name in oracle:
        data = (shared_data / "broken" / name).read_bytes()
        try:
            reasons[name] = inspect(data, name).notice
            verdicts[name] = "warn" if reasons[name] else "ok"
            for channels in (1, 3):
                assert decode(data, sized(channels=channels)).shape == (30, 45, channels)
        except BadImageError as error:
            verdicts[name], reasons[name] = "reject", str(error)
    assert verdicts == oracle
    assert len(oracle) > 20
    assert all(reasons[name] for name in oracle if oracle[name] != "ok")
    good = decode((shared_data / "broken/good.jpg").read_bytes(), sized(150, 200))
    for orientation in range(1, 9):
        turned = decode((shared_data / f"broken/exif_orientation_{orientation}.jpg").read_bytes(), sized(150, 200))
        assert difference(good, turned) < 3, orientation


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>", "the file is a web page"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "the file is PostScript; export it"),
        (save(draw(), "JPEG")[:-200], "cannot be decoded.*truncated"),
        (save(draw())[:-200], "cannot be decoded"),
        (save(draw(), "TIFF")[:-200], "cannot be decoded.*truncated"),
        (save(draw(), "GIF")[:300], "the header of the GIF cannot be read: it is cut short"),
    ],
)
def test_what_is_no_whole_image_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason):
        inspect(data, "a.jpg")
    with pytest.raises(BadImageError, match=reason):
        decode(data, sized())


def test_an_image_of_too_many_pixels_is_refused_by_its_header() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    def png(width: int, height: int) -> bytes:
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\0\0\0\0") + chunk(b"IDAT", b"") + chunk(b"IEND", b"")

    side = int(MAX_PIXELS**0.5)
    with pytest.raises(BadImageError, match="14143 × 14143 pixels, over 200,000,000"):
        inspect(png(side + 1, side + 1), "a.png")
    with pytest.raises(BadImageError, match="cannot be decoded"):  # small enough, and then it has no pixels
        inspect(png(100, 100), "a.png")


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".Jpg"])
def test_a_good_jpeg_has_its_facts_and_no_notice(suffix: str) -> None:
    facts = inspect(save(draw(), "JPEG", quality=95), f"folder/a{suffix}")
    assert (facts.format, facts.mode, facts.height, facts.width, facts.channels) == ("JPEG", "RGB", HEIGHT, WIDTH, 3)
    assert facts.gray.min() < 60
    assert facts.gray.max() > 240
    assert facts.gray.ndim == 2
    expected = np.asarray(draw()).mean(axis=(0, 1))
    assert np.abs(np.array(facts.colour) - expected).max() < 2
    assert facts.notice == ""


def test_what_is_odd_is_noticed() -> None:
    assert "its content is PNG, its name ends in .jpg" in inspect(save(draw()), "a.jpg").notice
    assert inspect(save(draw()), "a name without an ending").notice == ""
    assert "it is 1 × 9 pixels" in inspect(save(Pillow.new("RGB", (1, 9))), "a.png").notice
    assert "it is 210 × 10 pixels" in inspect(save(Pillow.new("RGB", (210, 10))), "a.png").notice
    assert inspect(save(Pillow.new("RGB", (200, 10))), "a.png").notice == ""
    frames = save(draw(), "GIF", save_all=True, append_images=[Pillow.new("RGB", (WIDTH, HEIGHT))])
    assert "animated; its first frame is used" in inspect(frames, "a.gif").notice


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "P", "RGBA"])
def test_colour_images_look_the_same_whatever_their_mode(mode: str) -> None:
    image = draw().convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert difference(decode(save(image, kind), sized()), decode(save(draw()), sized())) < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_gray_images_look_the_same_whatever_their_mode(mode: str) -> None:
    gray = np.asarray(draw().convert("L"))
    image = Pillow.fromarray(gray.astype(np.uint16) * 257) if mode == "I;16" else draw().convert(mode)
    expected = np.asarray(draw().convert("1").convert("L")) if mode == "1" else gray
    assert inspect(save(image), "a.png").channels == 1
    got = decode(save(image), sized(HEIGHT, WIDTH, 1))[..., 0]
    assert difference(got, expected) < 0.01
    three = decode(save(image), sized(HEIGHT, WIDTH, 3))
    assert (three == got[..., np.newaxis]).all()


def test_sixteen_bits_are_scaled_not_cut_off() -> None:
    ramp = np.linspace(0, 65535, WIDTH, dtype=np.uint16)[np.newaxis].repeat(HEIGHT, 0)
    got = decode(save(Pillow.fromarray(ramp)), sized(HEIGHT, WIDTH, 1))[0, :, 0]
    np.testing.assert_array_equal(got, (ramp[0].astype(int) + 128) // 257)
    assert len(np.unique(got)) == WIDTH


def test_what_is_transparent_becomes_white() -> None:
    image = draw().convert("RGBA")
    image.putalpha(0)
    assert (decode(save(image), sized()) == 255).all()


def test_fractions_are_refused() -> None:
    with pytest.raises(BadImageError, match="fractions"):
        inspect(save(Pillow.new("F", (9, 9)), "TIFF"), "a.tif")


def test_a_reduced_jpeg_differs_little_from_one_decoded_in_full(shared_data: Path) -> None:
    from zipfile import ZipFile

    with ZipFile(shared_data / "kaggle/competitions/dogs-vs-cats.zip") as outer, outer.open("test1.zip") as file:
        inner = ZipFile(io.BytesIO(file.read()))
        files = [inner.read(name) for name in inner.namelist() if name.endswith(".jpg")]
    differences = []
    for data in files:
        whole = np.asarray(Pillow.open(io.BytesIO(data)).convert("L"))[..., np.newaxis]
        differences.append(difference(decode(data, sized(100, 100, 1)), fit(whole, sized(100, 100, 1))))
    assert len(differences) == 60
    assert 0 < np.mean(differences) < 3, "gray levels of 255"


# size -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("asked", [1, 3])
@pytest.mark.parametrize("size", [(6, 9), (4, 12), (12, 18), (3, 2)])
def test_an_image_of_one_colour_keeps_it_at_every_size(channels: int, asked: int, size: tuple[int, int]) -> None:
    pixels = np.full((6, 9, channels), 200, np.uint8)
    fitted = fit(pixels, sized(*size, asked))
    assert fitted.shape == (*size, asked)
    assert fitted.dtype == np.uint8
    assert (fitted == 200).all()


def test_shrinking_averages_the_area() -> None:
    pixels = np.array([[0, 100, 50, 50], [100, 200, 50, 50]], np.uint8)[..., np.newaxis]
    assert fit(pixels, sized(1, 2, 1))[0, :, 0].tolist() == [100, 50]


def test_gray_is_the_luminance_of_red_green_blue() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert fit(pixels, sized(1, 3, 1))[0, :, 0].tolist() == [76, 150, 29]


def test_stretching_shows_all_of_an_image() -> None:
    pixels = np.zeros((10, 40, 1), dtype=np.uint8)
    pixels[:, 20:] = 200
    got = fit(pixels, sized(20, 20, 1))[..., 0]
    assert (got[:, :9] == 0).all()
    assert (got[:, 11:] == 200).all()


def test_padding_keeps_the_shape_between_black_borders() -> None:
    got = fit(np.full((10, 40, 3), 200, dtype=np.uint8), sized(20, 20, 3, "pad"))
    assert (got[7:12] == 200).all()
    assert (got[:7] == 0).all()
    assert (got[12:] == 0).all()


def test_cropping_keeps_the_middle() -> None:
    pixels = np.zeros((10, 40, 1), dtype=np.uint8)
    pixels[:, 15:25] = 200
    assert (fit(pixels, sized(20, 20, 1, "crop")) == 200).all()
    assert (fit(pixels.transpose(1, 0, 2), sized(5, 5, 1, "crop")) == 200).all()


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
@pytest.mark.parametrize(("width", "height"), [(97, 41), (41, 97), (64, 64), (300, 20)])
def test_a_box_follows_its_image(resize: str, width: int, height: int) -> None:
    pixels = np.zeros((height, width, 1), dtype=np.uint8)
    box = (width * 0.45, height * 0.4, width * 0.1, height * 0.3)
    left, top, right, bottom = round(box[0]), round(box[1]), round(box[0] + box[2]), round(box[1] + box[3])
    pixels[top:bottom, left:right] = 255
    wanted = sized(48, 64, 1, resize)
    rows, columns = np.nonzero(fit(pixels, wanted)[..., 0] > 127)
    got = Placement.of(width, height, wanted).move((left, top, right - left, bottom - top), wanted)
    seen = (columns.min(), rows.min(), columns.max() + 1 - columns.min(), rows.max() + 1 - rows.min())
    np.testing.assert_allclose(got, seen, atol=1.6)


def test_a_box_that_leaves_the_image_is_cut_off() -> None:
    wanted = sized(10, 10, 1, "crop")
    assert Placement.of(20, 10, wanted).move((0, 0, 20, 10), wanted) == (0, 0, 10, 10)
    assert Placement.of(10, 10, wanted).move((-3, 8, 6, 6), wanted) == (0, 8, 3, 2)


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (4000, 2, 1), (7, 9, 1)])
def test_no_shape_is_too_odd(resize: str, shape: tuple[int, int, int]) -> None:
    pixels = np.full(shape, 77, dtype=np.uint8)
    for channels in (1, 3):
        got = fit(pixels, sized(16, 24, channels, resize))
        assert (got.shape, got.dtype) == ((16, 24, channels), np.uint8)
        assert 77 in got


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(60, 90), (30, 45), (13, 20), (7, 11)])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_known_jpeg_looks_the_same_by_the_fast_way(channels: int, size: tuple[int, int], orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = save(draw(), "JPEG", quality=95, exif=exif)
    wanted = sized(*size, channels)
    facts = inspect(data, "a.jpg")
    assert (facts.format, facts.mode) in OPENCV_FORMATS
    slow, fast = decode(data, wanted), decode(data, wanted, (facts.width, facts.height))
    assert fast.shape == slow.shape
    assert fast.flags.c_contiguous
    assert difference(slow, fast) < 1.5


def test_what_opencv_cannot_read_after_all_is_left_to_pillow() -> None:
    data = save(draw())[:-200]
    with pytest.raises(BadImageError):
        decode(data, sized(), (WIDTH, HEIGHT))
    data = save(draw(), "GIF")
    np.testing.assert_array_equal(decode(data, sized(), (WIDTH, HEIGHT)), decode(data, sized()))
