import io
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from podium.datasets.formats.example import Example
from podium.datasets.validation import thumbnails
from podium.datasets.validation.thumbnails import Remembered, collect_thumbnails
from podium.pages.thumbnails import THUMBNAIL_SIDE_PIXELS


def make_file(width: int, height: int, colour: str = "red", kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()


def make_examples(*images: NDArray[np.uint8] | bytes | None) -> list[Example]:
    return [Example(f"{place}.png", "train", "cat", image) for place, image in enumerate(images)]


def pixels(thumbnail: bytes) -> NDArray[np.uint8]:
    image = Pillow.open(io.BytesIO(thumbnail))
    assert image.format == "WEBP"
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(400, 200, (48, 96)), (200, 400, (96, 48)), (96, 96, (96, 96)), (60, 30, (30, 60)), (5000, 2, (1, 96))],
)
def test_a_large_image_becomes_small_and_keeps_its_aspect(width: int, height: int, expected: tuple[int, int]) -> None:
    made = collect_thumbnails(make_examples(make_file(width, height)), [0])
    assert pixels(made[0]).shape[:2] == expected


@pytest.mark.parametrize(("side", "factor"), [(8, 12), (28, 3), (32, 3), (49, 1)])
def test_a_tiny_image_is_enlarged_by_a_whole_factor_with_its_pixels_unchanged(side: int, factor: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (side, side, 1), dtype=np.uint8)
    seen = pixels(collect_thumbnails(make_examples(image), [0])[0])
    assert seen.shape == (side * factor, side * factor, 3)
    assert max(seen.shape) <= THUMBNAIL_SIDE_PIXELS
    if factor > 1:
        np.testing.assert_array_equal(seen[factor // 2 :: factor, factor // 2 :: factor, 0], image[..., 0])


def test_pixels_and_files_in_colour_keep_their_colour() -> None:
    image = np.full((200, 100, 3), (250, 10, 20), np.uint8)
    made = collect_thumbnails(make_examples(image, make_file(100, 200, "blue")), [0, 1])
    assert abs(pixels(made[0])[48, 24].astype(int) - (250, 10, 20)).max() < 12
    assert abs(pixels(made[1])[48, 24].astype(int) - (0, 0, 255)).max() < 12


def test_nothing_after_the_last_wanted_row_is_read() -> None:
    def read() -> Iterator[Example]:
        yield from make_examples(*[make_file(20, 20)] * 4)
        raise AssertionError("it read on")

    assert sorted(collect_thumbnails(read(), {1, 3})) == [1, 3]
    assert collect_thumbnails(read(), []) == {}
    with pytest.raises(AssertionError, match="it read on"):
        collect_thumbnails(read(), [4])


def test_broken_images_are_skipped_and_the_others_made() -> None:
    whole = make_file(300, 300, kind="JPEG")
    examples = make_examples(whole, whole[:200], b"", b"<html>", None, whole)
    examples.append(Example("6.png", "train", "cat", whole, fault="two boxes"))
    assert sorted(collect_thumbnails(examples, range(9))) == [0, 5]


def test_a_bomb_is_refused() -> None:
    bomb = bytearray(make_file(1, 1, kind="BMP"))
    bomb[18:26] = (60_000).to_bytes(4, "little") * 2
    assert collect_thumbnails(make_examples(bytes(bomb)), [0]) == {}


def test_a_box_is_an_outline_where_it_belongs() -> None:
    black = np.zeros((192, 192, 3), np.uint8)
    boxed = Example("0", "train", "cat", black, box=(40, 80, 100, 60))
    seen = pixels(collect_thumbnails([boxed], [0])[0])[..., 1] > 60
    assert seen[40, 30]  # its upper edge
    assert seen[55, 20]  # its left edge
    assert seen[69, 40]  # its lower edge
    assert seen[55, 69]  # its right edge
    assert not seen[55, 45]  # inside
    assert not seen[20].any()  # above
    assert not seen[:, 80:].any()  # to its right


@pytest.mark.parametrize(
    "box", [(-50, -50, 500, 500), (300, 300, 10, 10), (5, 5, 0, 0), (5, 5, -3, -3), (float("nan"), 0, 1, 1)]
)
def test_an_odd_box_does_no_harm(box: tuple[float, float, float, float]) -> None:
    example = Example("0", "train", "cat", make_file(28, 28), box=box)
    assert list(collect_thumbnails([example], [0])) == [0]


def test_the_same_images_give_the_same_bytes() -> None:
    examples = make_examples(make_file(300, 200), np.eye(8, dtype=np.uint8)[..., np.newaxis] * 255)
    assert collect_thumbnails(examples, [0, 1]) == collect_thumbnails(examples, [1, 0])


@pytest.mark.parametrize(("limit", "times"), [(10_000, 1), (500, 2)])
def test_few_images_are_read_once_and_many_twice(monkeypatch: pytest.MonkeyPatch, limit: int, times: int) -> None:
    monkeypatch.setattr(thumbnails, "MAX_KEPT_BYTES", limit)
    examples = [Example(str(row), "", "", np.full((4, 4, 1), row, np.uint8)) for row in range(10)]
    reads: list[int] = []

    def read() -> Iterator[Example]:
        reads.append(1)
        yield from examples

    images = Remembered(read)
    assert [*images.first()] == examples
    assert [*images.again()] == examples
    assert len(reads) == times
