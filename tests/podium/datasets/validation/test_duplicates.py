import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from podium.datasets.validation.duplicates import Pairs, find_pairs, group, nearest_twin
from podium.images.phash import flipped, perceptual_hash, unpack
from tests.podium.images.test_phash import clouds

Gray = NDArray[np.uint8]
Words = NDArray[np.uint64]
DISTANCE = 64


def save_again(image: Gray) -> Gray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)


def shrink(image: Gray) -> Gray:
    return cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)


def brighten(image: Gray) -> Gray:
    return cv2.convertScaleAbs(image, alpha=1.15, beta=15)


def crop(image: Gray) -> Gray:
    top, left = round(image.shape[0] * 0.025), round(image.shape[1] * 0.025)
    return image[top : image.shape[0] - top, left : image.shape[1] - left]


def crop_corner(image: Gray) -> Gray:
    return image[round(image.shape[0] * 0.05) :, round(image.shape[1] * 0.05) :]


def rotate(image: Gray) -> Gray:
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def mirror(image: Gray) -> Gray:
    return save_again(image[:, ::-1])


KINDS = {
    save_again: 0.99,
    shrink: 0.99,
    brighten: 0.99,
    mirror: 0.99,
    crop: 0.97,
    rotate: 0.97,
    crop_corner: 0.0,  # weaker, and not promised
}
"""What is done to an image, and the share of the copies that is found at least."""


def hash_all(images: list[Gray]) -> Words:
    return unpack(pd.Series([perceptual_hash(np.ascontiguousarray(image)) for image in images], dtype="str"))


def find_planted(images: list[Gray], change: Callable[[Gray], Gray]) -> tuple[float, float, NDArray[np.bool_]]:
    """Give recall, precision, and which of the copies found are known as mirror images."""
    count = len(images)
    pairs = find_pairs(hash_all(images + [change(image) for image in images]), DISTANCE)
    right = pairs.second - pairs.first == count
    return right.sum() / count, right.mean() if len(right) else 1.0, pairs.flipped[right]


@pytest.fixture(scope="module")
def photographs(shared_data: Path) -> list[Gray]:
    """300 photographs, none of them twice."""
    with zipfile.ZipFile(shared_data / "kaggle/competitions/dogs-vs-cats.zip") as archive:
        inner = zipfile.ZipFile(io.BytesIO(archive.read("train.zip")))
    names = sorted(name for name in inner.namelist() if name.endswith(".jpg"))[::6][:300]
    images = [cv2.imdecode(np.frombuffer(inner.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in names]
    doubles = find_pairs(hash_all(images), 16).second
    return [image for row, image in enumerate(images) if row not in doubles]


@pytest.mark.parametrize("change", KINDS)
def test_copies_of_photographs_are_found(photographs: list[Gray], change: Callable[[Gray], Gray]) -> None:
    recall, precision, exchanged = find_planted(photographs, change)
    print(f"photographs, {change.__name__}: recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= KINDS[change]
    assert precision >= 0.99
    assert (exchanged == (change is mirror)).all()


@pytest.mark.parametrize("change", KINDS)
def test_copies_of_made_up_images_are_found(change: Callable[[Gray], Gray]) -> None:
    recall, precision, exchanged = find_planted([clouds(seed) for seed in range(200)], change)
    print(f"clouds, {change.__name__}: recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= min(KINDS[change], 0.95)
    assert precision >= 0.99
    assert (exchanged == (change is mirror)).all()


def test_the_images_of_damaged_cars_that_stand_in_both_parts_are_found(shared_data: Path) -> None:
    with zipfile.ZipFile(shared_data / "kaggle/datasets/prajwalbhamere/car-damage-severity-dataset.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".JPEG"))
        images = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in names]
    pairs = find_pairs(hash_all(images), DISTANCE)
    training = np.array(["/training/" in name for name in names])
    rows, twins, distances, _ = nearest_twin(pairs, len(names), ~training, training)
    short = [name.removeprefix("data3a/") for name in names]
    found = {short[row]: short[twin] for row, twin in zip(rows, twins, strict=True)}
    print(found, distances)
    assert found["validation/01-minor/0237.JPEG"] == "training/01-minor/0048.JPEG"
    assert found["validation/02-moderate/0204.JPEG"] == "training/02-moderate/0055.JPEG"
    assert len(found) < 10


def random_hashes(count: int, seed: int = 0) -> Words:
    hashes = np.random.default_rng(seed).integers(0, 2**64, (count, 4), dtype=np.uint64)
    hashes[:, 0] >>= np.uint64(1)  # the mean's bit
    return hashes


def flip(hashes: Words, bits: int, seed: int = 1) -> Words:
    """Change so many bits of each hash."""
    ranks = np.random.default_rng(seed).random((len(hashes), 256))
    ranks[:, 0] = 2
    changed = ranks.argsort(axis=1).argsort(axis=1) < bits
    return hashes ^ np.packbits(changed, axis=1).view(">u8").astype(np.uint64)


def compare_all(hashes: Words, distance: int) -> set[tuple[int, int, int, bool]]:
    """Give every pair of different hashes by brute force."""
    direct = np.bitwise_count(hashes[:, np.newaxis] ^ hashes).sum(axis=2, dtype=int)
    turned = np.bitwise_count(hashes[:, np.newaxis] ^ flipped(hashes)).sum(axis=2, dtype=int)
    near = np.triu(np.minimum(direct, turned) <= distance, 1)
    return {
        (int(i), int(j), int(min(direct[i, j], turned[i, j])), bool(turned[i, j] < direct[i, j]))
        for i, j in np.argwhere(near)
    }


def as_set(pairs: Pairs) -> set[tuple[int, int, int, bool]]:
    columns = (pairs.first, pairs.second, pairs.distance, pairs.flipped)
    return {*zip(*(column.tolist() for column in columns), strict=True)}


def family(count: int) -> Words:
    """Make hashes, copies of them with some bits changed, and copies of mirror images."""
    hashes = random_hashes(count)
    return np.concatenate([hashes, flip(hashes, 20), flip(flipped(hashes), 30, seed=2)])


@pytest.mark.parametrize("distance", [0, 10, 40, 60])
def test_pairs_are_those_of_comparing_all(distance: int) -> None:
    hashes = family(400)
    pairs = find_pairs(hashes, distance)
    expected = compare_all(hashes, distance)
    assert as_set(pairs) <= expected
    assert len(as_set(pairs)) == len(pairs.first), "each pair once"
    assert len(pairs.first) >= 0.99 * len(expected)
    assert len(expected) >= {0: 0, 10: 0, 40: 800, 60: 1200}[distance]
    assert (pairs.first < pairs.second).all()
    assert np.array_equal(np.lexsort((pairs.second, pairs.first)), np.arange(len(pairs.first)))
    assert [column.dtype for column in (pairs.first, pairs.second, pairs.distance)] == [np.int64] * 3
    assert pairs.flipped.dtype == np.bool_


def test_the_same_hashes_give_the_same_pairs_in_every_order() -> None:
    hashes = np.concatenate([family(1500), random_hashes(30)])  # the last are equal to the first
    pairs = find_pairs(hashes, DISTANCE)
    again = find_pairs(hashes, DISTANCE)
    assert as_set(again) == as_set(pairs)
    shuffle = np.random.default_rng(3).permutation(len(hashes))
    shuffled = find_pairs(hashes[shuffle], DISTANCE)
    unequal = pairs.distance > 0
    assert unequal.sum() > 4000

    def by_hash(found: Pairs, of: Words) -> set[tuple[bytes, bytes, int, bool]]:
        rows = zip(found.first, found.second, found.distance, found.flipped, strict=True)
        return {(*sorted((of[i].tobytes(), of[j].tobytes())), int(d), bool(m)) for i, j, d, m in rows}

    assert by_hash(shuffled, hashes[shuffle]) == by_hash(pairs, hashes)
    groups, others = group(len(hashes), pairs), group(len(hashes), shuffled)
    assert np.array_equal(groups[shuffle][others], groups[shuffle])
    assert len(np.unique(groups)) == len(np.unique(others)) == 1500


def test_a_chain_is_one_group_though_its_ends_differ() -> None:
    chain = [random_hashes(1)]
    for seed in range(12):
        chain.append(flip(chain[-1], 30, seed))
    alone = random_hashes(3, seed=9)
    hashes = np.concatenate([alone[:1], *chain[::-1], alone[1:]])
    pairs = find_pairs(hashes, 40)
    assert (1, 13) not in {*zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
    assert group(len(hashes), pairs).tolist() == [0, *[1] * 13, 14, 15]


def test_of_equal_hashes_each_is_paired_with_the_first() -> None:
    one, other = random_hashes(2)
    near = flip(one[np.newaxis], 5)[0]
    hashes = np.stack([other, one, near, one, near, one])
    pairs = find_pairs(hashes, 10)
    assert as_set(pairs) == {(1, 2, 5, False), (1, 3, 0, False), (1, 5, 0, False), (2, 4, 0, False)}
    assert group(6, pairs).tolist() == [0, 1, 1, 1, 1, 1]


def test_direct_wins_a_tie() -> None:
    hashes = random_hashes(1)
    half = np.uint64(0x5555555500000000)
    pairs = find_pairs(np.concatenate([hashes, hashes ^ half]), 128)  # 64 of the 128 bits that a mirror changes
    assert as_set(pairs) == {(0, 1, 64, False)}


@pytest.mark.parametrize("count", [0, 1])
def test_without_two_images_there_is_no_pair(count: int) -> None:
    pairs = find_pairs(random_hashes(count), DISTANCE)
    assert as_set(pairs) == set()
    assert group(count, pairs).tolist() == [*range(count)]
    everything = np.ones(count, dtype=bool)
    assert [len(column) for column in nearest_twin(pairs, count, everything, everything)] == [0] * 4


def test_a_hundred_thousand_equal_images_are_quickly_done() -> None:
    began = time.monotonic()
    pairs = find_pairs(np.repeat(random_hashes(1), 100_000, axis=0), DISTANCE)
    groups = group(100_000, pairs)
    assert time.monotonic() - began < 5
    assert len(pairs.first) == 99_999
    assert not groups.any()


def test_many_images_that_all_look_the_same_are_one_group_of_few_pairs() -> None:
    hashes = flip(np.repeat(random_hashes(1), 4000, axis=0), 25)
    pairs = find_pairs(hashes, DISTANCE)
    assert len(pairs.first) < 4000 * 90
    assert not group(len(hashes), pairs).any()


def test_two_crowds_that_few_pairs_link_are_one_group() -> None:
    one = random_hashes(1)
    crowds = [flip(np.repeat(middle, 300, axis=0), 10, seed) for seed, middle in enumerate((one, flip(one, 50)))]
    hashes = np.concatenate(crowds)
    links = [pair for pair in compare_all(hashes, 46) if pair[0] < 300 <= pair[1]]
    assert 0 < len(links) < 200, "of 90,000"
    assert not group(600, find_pairs(hashes, 46)).any()


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_twin_is_that_of_comparing_all(seed: int) -> None:
    generator = np.random.default_rng(seed)
    base = random_hashes(8)
    bits = generator.integers(0, 20, 120)
    rows = np.concatenate([flip(base[[i % 8]], int(bits[i]) // 3, seed=int(bits[i])) for i in range(120)])
    turned = generator.random(120) < 0.3
    hashes = np.where(turned[:, np.newaxis], flipped(rows), rows)
    part = generator.integers(0, 4, 120)
    wanted, among = part == 0, (part == 1) & (np.arange(120) % 8 != 5)
    found = nearest_twin(find_pairs(hashes, 40), 120, wanted, among)
    direct = np.bitwise_count(hashes[:, np.newaxis] ^ hashes).sum(axis=2, dtype=int)
    exchanged = np.bitwise_count(hashes[:, np.newaxis] ^ flipped(hashes)).sum(axis=2, dtype=int)
    expected = []
    for row in np.flatnonzero(wanted):
        nearest = [
            (int(min(direct[row, twin], exchanged[row, twin])), bool(exchanged[row, twin] < direct[row, twin]), twin)
            for twin in np.flatnonzero(among)
        ]
        distance, mirror_image, twin = min(nearest)
        if distance <= 40:
            expected.append((row, twin, distance, mirror_image))
    assert len(expected) > 10
    assert [*zip(*(column.tolist() for column in found), strict=True)] == expected


def test_a_twin_is_found_through_the_first_of_its_equals() -> None:
    one = random_hashes(1)
    hashes = np.concatenate([one, flip(one, 4), one, flip(one, 4), one])
    wanted = np.array([False, False, False, True, True])
    pairs = find_pairs(hashes, 10)
    rows, twins, distances, exchanged = nearest_twin(pairs, 5, wanted, np.array([False, False, True, False, False]))
    assert (rows.tolist(), twins.tolist(), distances.tolist()) == ([3, 4], [2, 2], [4, 0])
    assert not exchanged.any()
    rows, twins, distances, _ = nearest_twin(pairs, 5, wanted, wanted)
    assert len(rows) == len(twins) == len(distances) == 0, "a wanted image is nobody's twin"
