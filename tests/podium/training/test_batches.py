import hashlib
import multiprocessing
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from podium.config.schedules import Augmentation, Schedule
from podium.datasets.arrays import Split, open_split
from podium.training.augmentation import Augmenter
from podium.training.batches import THREAD_NAME_PREFIX, training_dataset
from tests.makers import SIDE, make_arrays, make_schedule

pytestmark = pytest.mark.slow

COUNT = 50
AUGMENTED = Augmentation(rotate=30.0, shift=0.2, zoom=0.2)
LIVELY = Augmentation(
    rotate=30.0, shift=0.2, zoom=0.2, shear=10.0, perspective=0.1, flip="horizontal", brightness=0.2, contrast=0.2
)


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return open_split(make_arrays(tmp_path / "dots", COUNT) / "train")


def draw(split: Split, schedule: Schedule, count: int, first_batch: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    batches = training_dataset(split, schedule, first_batch).as_numpy_iterator()
    return [(images, labels["label"]) for images, labels in islice(batches, count)]


def rows_of(split: Split, batches: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """Find the images of batches again in the split, where no two are equal."""
    places = {image.tobytes(): row for row, image in enumerate(split.images)}
    return [places[image.tobytes()] for images, _ in batches for image in images]


def test_a_round_shows_every_image_once_with_its_label(split: Split) -> None:
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


@pytest.mark.parametrize("augmentation", [None, AUGMENTED])
def test_the_seed_alone_decides_on_what_is_shown(split: Split, augmentation: Augmentation | None) -> None:
    one, again, other = (
        np.concatenate([images for images, _ in draw(split, make_schedule(seed=seed, augmentation=augmentation), 4)])
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("augmentation", [None, AUGMENTED])
def test_a_later_phase_goes_on_where_an_earlier_one_would(split: Split, augmentation: Augmentation | None) -> None:
    schedule = make_schedule(augmentation=augmentation)
    through, later = draw(split, schedule, 12), draw(split, schedule, 8, first_batch=4)
    for (images, labels), (later_images, later_labels) in zip(through[4:], later, strict=True):
        np.testing.assert_array_equal(images, later_images)
        np.testing.assert_array_equal(labels, later_labels)


@pytest.mark.parametrize("first", [1, 5, 13])
def test_training_goes_on_in_the_middle_of_a_round(split: Split, first: int) -> None:
    schedule = make_schedule(augmentation=LIVELY)
    for one, other in zip(draw(split, schedule, 14)[first:], draw(split, schedule, 14 - first, first), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def shown(folder: Path, workers: int) -> str:
    """Digest twelve batches, three rounds, with everything that a model sees of them."""
    sha256 = hashlib.sha256()
    for images, targets in islice(
        training_dataset(open_split(folder), make_schedule(augmentation=LIVELY), 0, workers).as_numpy_iterator(), 12
    ):
        for array in (images, targets["label"], targets["box"]):
            sha256.update(array.tobytes())
    return sha256.hexdigest()


def test_the_number_of_workers_and_the_process_change_nothing(tmp_path: Path) -> None:
    folder = make_arrays(tmp_path / "boxed", COUNT, boxes=True) / "train"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        elsewhere = pool.starmap(shown, [(folder, 1), (folder, 3)], chunksize=1)
    assert {shown(folder, 1), shown(folder, 2), shown(folder, 5), *elsewhere} == {shown(folder, 1)}


def test_batches_are_in_order_though_some_take_longer(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule, augment, makers = make_schedule(augmentation=AUGMENTED), Augmenter.augment, set()

    def augment_slowly(self: Augmenter, images: np.ndarray, rows: np.ndarray) -> np.ndarray:
        time.sleep(0.03 * (int(rows.sum()) % 3))
        makers.add(threading.current_thread().name)
        return augment(self, images, rows)

    expected = draw(split, schedule, 12)
    monkeypatch.setattr(Augmenter, "augment", augment_slowly)
    for one, other in zip(expected, draw(split, schedule, 12), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert len(makers) > 1
    assert all(name.startswith(THREAD_NAME_PREFIX) for name in makers)


def test_few_batches_are_made_ahead_and_no_thread_stays(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    made, augment = [], Augmenter.augment

    def augment_and_count(self: Augmenter, images: np.ndarray, rows: np.ndarray) -> np.ndarray:
        made.append(len(rows))
        return augment(self, images, rows)

    monkeypatch.setattr(Augmenter, "augment", augment_and_count)
    batches = training_dataset(split, make_schedule(augmentation=AUGMENTED), 0, workers=3).as_numpy_iterator()
    next(batches)
    time.sleep(0.5)
    assert len(made) < 20
    del batches
    deadline = time.monotonic() + 10
    while any(thread.name.startswith(THREAD_NAME_PREFIX) for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("augmentation", [pytest.param(None, marks=pytest.mark.soak), AUGMENTED])
def test_memory_does_not_grow_with_the_dataset(split: Split, tmp_path: Path, augmentation: Augmentation | None) -> None:
    """Images of 400 MB are read; what was read is not counted as this process's for long.

    The file is in the system's cache, from where it gives the surroundings of each image, too.
    """
    count = 40_000
    images = tmp_path / "images.npy"
    np.lib.format.open_memmap(images, mode="w+", dtype=np.uint8, shape=(count, 100, 100, 1))
    with images.open("rb") as file:
        while file.read(1 << 20):
            pass
    np.save(tmp_path / "labels.npy", np.zeros(count, np.int64))
    np.save(tmp_path / "ids.npy", np.arange(count).astype(np.str_))
    schedule = make_schedule(augmentation=augmentation, batch_size=32)
    draw(split, schedule, 4)  # what TensorFlow takes once
    before, peak = psutil.Process().memory_info().rss, 0
    for _ in islice(training_dataset(open_split(tmp_path), schedule, 0).as_numpy_iterator(), count // 32):
        peak = max(peak, psutil.Process().memory_info().rss)
    assert peak - before < 200e6


def test_an_error_of_a_thread_reaches_the_training(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    def augment(self: Augmenter, images: np.ndarray, rows: np.ndarray) -> np.ndarray:
        raise OSError("the disk is gone")

    monkeypatch.setattr(Augmenter, "augment", augment)
    with pytest.raises(Exception, match="the disk is gone"):
        draw(split, make_schedule(augmentation=AUGMENTED), 1)


def test_images_are_augmented_as_their_row_says_whatever_the_batch_size(split: Split) -> None:
    def augmented(batch_size: int) -> set[bytes]:
        schedule = make_schedule(augmentation=AUGMENTED, batch_size=batch_size)
        return {image.tobytes() for images, _ in draw(split, schedule, -(-COUNT // batch_size)) for image in images}

    assert augmented(7) == augmented(50)
    assert augmented(7) != {image.tobytes() for image in split.images}


@pytest.mark.parametrize("augmentation", [None, AUGMENTED])
def test_boxes_come_with_their_images_and_move_with_them(tmp_path: Path, augmentation: Augmentation | None) -> None:
    split = open_split(make_arrays(tmp_path / "boxed", COUNT, boxes=True) / "train")
    assert split.boxes is not None
    batches = [*islice(training_dataset(split, make_schedule(augmentation=augmentation), 0).as_numpy_iterator(), 4)]
    shares = np.concatenate([targets["box"] for _, targets in batches])
    labels = np.concatenate([targets["label"] for _, targets in batches])
    expected = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 1, 1]])[labels]
    assert (shares.shape, shares.dtype) == ((COUNT, 4), np.float32)
    if augmentation is None:
        np.testing.assert_array_equal(shares, expected)
    else:
        order = np.random.default_rng([0, 0, 0]).permutation(COUNT)
        rows = np.concatenate([np.sort(order[start : start + 16]) for start in range(0, COUNT, 16)])
        left, top, width, height = (
            Augmenter(AUGMENTED, 0, 0, COUNT).augment_boxes(split.boxes[rows], rows, SIDE, SIDE).T / SIDE
        )
        np.testing.assert_allclose(shares, np.stack([left, top, left + width, top + height], axis=1), atol=1e-6)
        assert np.abs(shares - expected).max() > 0.1
