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


def lit(pictures: np.ndarray) -> np.ndarray:
    """The upright box around the light of each picture: (n, 4) left, top, width, height."""
    boxes = []
    for picture in pictures[..., 0] > 100:
        down, right = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        boxes.append([right[0], down[0], right[-1] + 1 - right[0], down[-1] + 1 - down[0]])
    return np.array(boxes, float)


@pytest.mark.parametrize(
    "options",
    [
        STILL,
        Augmentation(rotate=0.0, shift=0.15, zoom=0.0),
        Augmentation(rotate=0.0, shift=0.0, zoom=0.3),
        Augmentation(rotate=180.0, shift=0.0, zoom=0.0),
        LIVELY,
    ],
    ids=["still", "shift", "zoom", "rotate", "all"],
)
def test_a_box_is_where_the_light_in_it_moved(options: Augmentation) -> None:
    """The rectangle stays off the border, so no mirrored light comes in. A pixel is half lit at the most: ±1."""
    pictures = np.zeros((ROWS, 101, 121, 1), np.uint8)
    pictures[:, 40:52, 45:72] = 255
    boxes = np.repeat(np.array([[45, 40, 27, 12]], np.float32), ROWS, axis=0)
    rows = np.arange(ROWS)
    np.testing.assert_array_equal(lit(pictures), boxes)
    moved = Mover(options, 0, 0, ROWS).move_boxes(boxes, rows, 121, 101)
    assert moved.dtype == np.float32
    seen = lit(move(pictures, rows, options))
    edges, expected = (np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1) for box in (moved, seen))
    assert np.abs(edges - expected).max() < (0.01 if options == STILL else 1.5)
    assert np.abs((edges - expected).mean(axis=0)).max() < 0.5  # not shifted by half a pixel or more
    assert options == STILL or np.abs(moved - boxes).max() > 5


def test_a_box_is_clipped_to_its_picture() -> None:
    boxes = np.array([[0, 0, 20, 10], [18, 8, 2, 2], [-1, 3, 4, 4]], np.float32).repeat(ROWS, axis=0)
    rows = np.arange(ROWS).repeat(3)
    far = Augmentation(rotate=90.0, shift=0.9, zoom=0.9)
    left, top, width, height = Mover(far, 0, 0, ROWS).move_boxes(boxes, rows, 20, 10).T
    for begin, side, size in ((left, width, 20), (top, height, 10)):
        assert (begin >= 0).all()
        assert (side >= 0).all()
        assert (begin + side <= size + 1e-5).all()
    assert ((width == 0) | (height == 0)).any()  # moved out altogether
    assert ((width > 10) & (height > 5)).any()


def test_a_box_moves_by_its_row_and_not_by_its_batch() -> None:
    boxes = np.random.default_rng(0).uniform(1, 5, (ROWS, 4)).astype(np.float32)
    order = np.random.default_rng(1).permutation(ROWS)
    mover = Mover(LIVELY, 0, 0, ROWS)
    whole = mover.move_boxes(boxes, np.arange(ROWS), 20, 10)
    np.testing.assert_array_equal(mover.move_boxes(boxes[order], order, 20, 10), whole[order])
