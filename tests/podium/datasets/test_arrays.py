from pathlib import Path

import numpy as np
import pytest

from podium.datasets.arrays import BLOCK_IMAGES, SplitWriter, load_classes, open_split

SHAPE = (3, 5, 2)


def write(folder: Path, images: np.ndarray, announced: int) -> None:
    with SplitWriter(folder, SHAPE, [f"image-{row}" for row in range(announced)]) as writer:
        for row, image in enumerate(images):
            writer.write(image, row % 7)


def draw(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *SHAPE), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, BLOCK_IMAGES - 1, BLOCK_IMAGES, 2 * BLOCK_IMAGES + 1])
def test_what_was_written_is_what_is_read_also_over_several_blocks(tmp_path: Path, count: int) -> None:
    images = draw(count)
    write(tmp_path / "train", images, count)
    split = open_split(tmp_path / "train")
    assert len(split) == count
    assert isinstance(split.images, np.memmap)
    assert split.images.dtype == np.uint8
    assert split.labels.dtype == np.int64
    np.testing.assert_array_equal(split.images, images)
    np.testing.assert_array_equal(split.labels, np.arange(count) % 7)
    assert split.ids.tolist() == [f"image-{row}" for row in range(count)]


def test_opened_arrays_cannot_be_changed(tmp_path: Path) -> None:
    write(tmp_path / "train", draw(2), 2)
    with pytest.raises(ValueError, match="read-only"):
        open_split(tmp_path / "train").images[0] = 0


@pytest.mark.parametrize("announced", [9, 11])
def test_another_number_of_images_than_announced_raises(tmp_path: Path, announced: int) -> None:
    with pytest.raises(ValueError, match=f"10 images were written where {announced} were announced"):
        write(tmp_path / "train", draw(10), announced)


def test_the_exception_of_the_block_is_the_one_that_leaves_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), SplitWriter(tmp_path / "train", SHAPE, ["a", "b"]) as writer:
        writer.write(draw(1)[0], {}["unknown label"])


def test_class_names_beyond_ascii_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('["señal", "猫", "NA"]\n', encoding="utf-8")
    assert load_classes(tmp_path) == ["señal", "猫", "NA"]
