import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from podium.images.phash import HASH_BITS, flipped, perceptual_hash, unpack


def clouds(seed: int, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """Make a smooth random image."""
    generator = np.random.default_rng(seed)
    layers = [
        cv2.resize(generator.normal(size=(side, side)) / side, (width, height), interpolation=cv2.INTER_CUBIC)
        for side in (3, 5, 9, 17)
    ]
    return cv2.normalize(sum(layers), None, 20, 200, cv2.NORM_MINMAX).astype(np.uint8)


def bits(hash_: str) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(bytes.fromhex(hash_), np.uint8))


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int((bits(perceptual_hash(one)) != bits(perceptual_hash(other))).sum())


def test_a_hash_has_64_hexadecimal_digits_whatever_the_size() -> None:
    for shape in ((1, 1), (1, 50), (8, 8), (28, 28), (333, 77)):
        found = perceptual_hash(clouds(1, *shape))
        assert len(found) == HASH_BITS // 4 == 64
        assert set(found) <= set("0123456789abcdef")
        assert bits(found)[0] == 0, "the mean is no structure"


@pytest.mark.parametrize("value", [0, 7, 255])
def test_an_image_of_one_colour_has_zeros_alone(value: int) -> None:
    assert perceptual_hash(np.full((31, 50), value, dtype=np.uint8)) == "0" * 64


@pytest.mark.parametrize("turns", [1, 2, 5, 15])
def test_a_wave_sets_its_own_bit(turns: int) -> None:
    wave = np.cos(np.pi * turns * (np.arange(96) + 0.5) / 96)
    across = np.tile(np.round(128 + 100 * wave), (64, 1)).astype(np.uint8)
    assert bits(perceptual_hash(across))[turns] == 1
    assert bits(perceptual_hash(255 - across))[turns] == 0
    assert bits(perceptual_hash(across.T))[16 * turns] == 1
    assert bits(perceptual_hash(255 - across.T))[16 * turns] == 0


def test_hashes_are_unpacked_in_the_order_of_their_digits() -> None:
    hashes = [perceptual_hash(clouds(seed)) for seed in range(5)] + ["0" * 64, "0" * 63 + "1", "8" + "0" * 63]
    unpacked = unpack(pd.Series(hashes))
    assert unpacked.shape == (8, 4)
    assert unpacked.dtype == np.uint64
    assert ["".join(f"{word:016x}" for word in row) for row in unpacked.tolist()] == hashes
    assert unpack(pd.Series([], dtype="str")).shape == (0, 4)


def test_the_hash_of_the_mirror_image_is_known_without_it() -> None:
    images = [clouds(seed) for seed in range(20)]
    hashes = unpack(pd.Series([perceptual_hash(image) for image in images]))
    of_mirror_images = unpack(pd.Series([perceptual_hash(np.ascontiguousarray(p[:, ::-1])) for p in images]))
    assert np.bitwise_count(flipped(hashes) ^ of_mirror_images).sum(axis=1).max() <= 4  # coefficients of nothing
    assert np.array_equal(flipped(flipped(hashes)), hashes)
    assert np.bitwise_count(flipped(hashes) ^ hashes).sum(axis=1).tolist() == [128] * 20


def test_what_leaves_an_image_the_same_leaves_its_hash_nearly_the_same() -> None:
    for seed in range(10):
        image = clouds(seed)
        saved = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)
        smaller = cv2.resize(image, (100, 75), interpolation=cv2.INTER_AREA)
        brighter = cv2.convertScaleAbs(image, alpha=1.1, beta=20)
        assert apart(image, saved) <= 12
        assert apart(image, smaller) <= 12
        assert apart(image, brighter) <= 8


def test_unrelated_images_differ_in_about_half_of_the_bits() -> None:
    distances = [apart(clouds(seed), clouds(seed + 100)) for seed in range(30)]
    assert min(distances) > 80
    assert 110 < np.mean(distances) < 145


def test_a_real_image_saved_again(shared_data: Path) -> None:
    with zipfile.ZipFile(shared_data / "kaggle/datasets/prajwalbhamere/car-damage-severity-dataset.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".JPEG")][:40]
        images = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), 0) for name in names]
    distances = []
    for image in images:
        saved = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0)
        distances.append(apart(image, cv2.resize(saved, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)))
    print(f"saved again at half the size: {np.median(distances):g} bits, {max(distances)} at most")
    assert np.median(distances) <= 8
    assert max(distances) <= 40
