from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from podium.arrays import Split, open_split
from podium.config.tables import Augmentation, Schedule
from podium.training.augmentation import Mover
from podium.training.batches import endless
from tests.makers import SIDE, make_arrays, make_schedule

pytestmark = pytest.mark.slow

COUNT = 50
MOVED = Augmentation(rotate=30.0, shift=0.2, zoom=0.2)


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return open_split(make_arrays(tmp_path / "dots", COUNT) / "train")


def draw(split: Split, schedule: Schedule, count: int, first_batch: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    batches = endless(split, schedule, first_batch).as_numpy_iterator()
    return [(images, labels["label"]) for images, labels in islice(batches, count)]


def rows_of(split: Split, batches: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """Find the pictures of batches again in the split, where no two are equal."""
    places = {image.tobytes(): row for row, image in enumerate(split.images)}
    return [places[image.tobytes()] for images, _ in batches for image in images]


def test_a_round_shows_every_picture_once_with_its_label(split: Split) -> None:
    batches = draw(split, make_schedule(), 4)
    assert [len(images) for images, _ in batches] == [16, 16, 16, 2]
    rows = rows_of(split, batches)
    assert sorted(rows) == list(range(COUNT))
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in batches]), split.labels[rows])
    assert batches[0][0].dtype == np.uint8


def test_every_round_mixes_the_batches_anew(split: Split) -> None:
    batches = draw(split, make_schedule(), 8)
    one, two = rows_of(split, batches[:4]), rows_of(split, batches[4:])
    assert sorted(two) == list(range(COUNT))
    assert one != two
    assert set(one[:16]) != set(range(16))


@pytest.mark.parametrize("augmentation", [None, MOVED])
def test_the_seed_alone_decides_on_what_is_shown(split: Split, augmentation: Augmentation | None) -> None:
    one, again, other = (
        np.concatenate([images for images, _ in draw(split, make_schedule(seed=seed, augmentation=augmentation), 4)])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("augmentation", [None, MOVED])
def test_a_later_phase_goes_on_where_an_earlier_one_would(split: Split, augmentation: Augmentation | None) -> None:
    schedule = make_schedule(augmentation=augmentation)
    through, later = draw(split, schedule, 12), draw(split, schedule, 8, first_batch=4)
    for (images, labels), (later_images, later_labels) in zip(through[4:], later, strict=True):
        np.testing.assert_array_equal(images, later_images)
        np.testing.assert_array_equal(labels, later_labels)


def test_pictures_are_moved_as_their_row_says_whatever_the_batch_size(split: Split) -> None:
    def moved(batch_size: int) -> set[bytes]:
        schedule = make_schedule(augmentation=MOVED, batch_size=batch_size)
        return {image.tobytes() for images, _ in draw(split, schedule, -(-COUNT // batch_size)) for image in images}

    assert moved(7) == moved(50)
    assert moved(7) != {image.tobytes() for image in split.images}


@pytest.mark.parametrize("augmentation", [None, MOVED])
def test_boxes_come_with_their_pictures_and_move_with_them(tmp_path: Path, augmentation: Augmentation | None) -> None:
    split = open_split(make_arrays(tmp_path / "boxed", COUNT, boxes=True) / "train")
    assert split.boxes is not None
    batches = [*islice(endless(split, make_schedule(augmentation=augmentation), 0).as_numpy_iterator(), 4)]
    shares = np.concatenate([answers["box"] for _, answers in batches])
    labels = np.concatenate([answers["label"] for _, answers in batches])
    expected = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 1, 1]])[labels]
    assert (shares.shape, shares.dtype) == ((COUNT, 4), np.float32)
    if augmentation is None:
        np.testing.assert_array_equal(shares, expected)
    else:
        order = np.random.default_rng([0, 0, 0]).permutation(COUNT)
        rows = np.concatenate([np.sort(order[start : start + 16]) for start in range(0, COUNT, 16)])
        left, top, width, height = Mover(MOVED, 0, 0, COUNT).move_boxes(split.boxes[rows], rows, SIDE, SIDE).T / SIDE
        np.testing.assert_allclose(shares, np.stack([left, top, left + width, top + height], axis=1), atol=1e-6)
        assert np.abs(shares - expected).max() > 0.1
