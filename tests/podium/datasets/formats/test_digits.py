from pathlib import Path

import numpy as np

from podium.config.datasets import DigitsFormat
from podium.datasets.formats import read


def test_pixels_of_0_to_16_become_0_to_255_and_labels_text(tmp_path: Path) -> None:
    images = np.zeros((3, 8, 8))
    images[1, 2, 3] = 16
    images[2, 4, 5] = 8
    np.savez(tmp_path / "digits.npz", images=images, target=np.array([7, 0, 9]))
    zero, one, two = read(tmp_path, DigitsFormat(kind="digits"))
    assert [example.id for example in (zero, one, two)] == ["digit-0000", "digit-0001", "digit-0002"]
    assert [example.label for example in (zero, one, two)] == ["7", "0", "9"]
    assert {example.part for example in (zero, one, two)} == {""}
    assert (one.image.shape, one.image.dtype) == ((8, 8, 1), np.uint8)
    assert (zero.image.max(), one.image[2, 3, 0], two.image[4, 5, 0]) == (0, 255, 128)
