import numpy as np
import pytest

from podium.config.tables import Augmentation
from podium.training.augmentation import Mover

ROWS = 50
STILL = Augmentation(rotate=0.0, shift=0.0, zoom=0.0)
LIVELY = Augmentation(rotate=20.0, shift=0.2, zoom=0.2)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (ROWS, 9, 7, 1), dtype=np.uint8)


def move(images: np.ndarray, rows: np.ndarray, options: Augmentation = LIVELY, seed: int = 0, epoch: int = 0):
    return Mover(options, seed, epoch, ROWS).move(images[rows], rows)


@pytest.mark.parametrize("channels", [1, 3])
def test_no_augmentation_gives_equal_pictures(images: np.ndarray, channels: int) -> None:
    pictures = images.repeat(channels, axis=3)
    np.testing.assert_array_equal(move(pictures, np.arange(ROWS), STILL), pictures)


def test_a_move_depends_on_the_row_and_not_on_the_batch_or_its_order(images: np.ndarray) -> None:
    whole = move(images, np.arange(ROWS))
    order = np.random.default_rng(1).permutation(ROWS)
    np.testing.assert_array_equal(move(images, order), whole[order])
    for size in (1, 7, 32):
        batches = [move(images, np.arange(start, min(start + size, ROWS))) for start in range(0, ROWS, size)]
        np.testing.assert_array_equal(np.concatenate(batches), whole)


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_moves_otherwise(images: np.ndarray, change: dict[str, int]) -> None:
    rows = np.arange(ROWS)
    np.testing.assert_array_equal(move(images, rows), move(images, rows))
    assert not np.array_equal(move(images, rows, **change), move(images, rows))


def test_no_two_rows_move_alike(images: np.ndarray) -> None:
    same = images[:1].repeat(ROWS, axis=0)
    assert len(np.unique(move(same, np.arange(ROWS)), axis=0)) == ROWS


def test_what_comes_in_gets_a_new_array(images: np.ndarray) -> None:
    before = images.copy()
    assert move(images, np.arange(ROWS)).shape == images.shape
    np.testing.assert_array_equal(images, before)


def centres(pictures: np.ndarray) -> np.ndarray:
    """The centre of the light of each picture: (n, 2), down and right."""
    light = pictures[..., 0].astype(float)
    grid = np.indices(light.shape[1:])
    return (light[:, None] * grid).sum(axis=(2, 3)) / light.sum(axis=(1, 2))[:, None]


@pytest.mark.parametrize(
    ("options", "down", "right"),
    [
        (Augmentation(rotate=0.0, shift=0.1, zoom=0.0), 4.1, 6.1),
        (Augmentation(rotate=180.0, shift=0.0, zoom=0.0), 0.2, 0.2),
        (Augmentation(rotate=0.0, shift=0.0, zoom=0.5), 0.2, 0.2),
    ],
    ids=["shift", "rotate", "zoom"],
)
def test_a_light_in_the_middle_moves_as_far_as_it_may_and_no_farther(
    options: Augmentation, down: float, right: float
) -> None:
    pictures = np.zeros((ROWS, 41, 61, 1), np.uint8)
    pictures[:, 18:23, 28:33] = 200
    away = np.abs(centres(move(pictures, np.arange(ROWS), options)) - [20, 30]).max(axis=0)
    assert away[0] <= down
    assert away[1] <= right
    assert (away > [down / 2, right / 2]).all() or options.shift == 0


def test_zoom_grows_and_shrinks_within_its_bounds() -> None:
    pictures = np.zeros((ROWS, 41, 41, 1), np.uint8)
    pictures[:, 11:30, 11:30] = 200
    shares = (move(pictures, np.arange(ROWS), Augmentation(rotate=0.0, shift=0.0, zoom=0.2)) > 100).mean(axis=(1, 2, 3))
    areas = shares * 41**2 / 19**2
    assert areas.min() == pytest.approx(0.8**2, abs=0.1)
    assert areas.max() == pytest.approx(1.2**2, abs=0.1)
