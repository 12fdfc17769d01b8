import hashlib
import multiprocessing
from dataclasses import replace

import cv2
import numpy as np
import pytest

from podium.config.schedules import Augmentation
from podium.training.augmentation import Augmenter

ROWS = 50
STILL = Augmentation(rotate=0.0, shift=0.0, zoom=0.0)
LIVELY = Augmentation(rotate=20.0, shift=0.2, zoom=0.2)
EXTRAS = {
    "shear": 20.0,
    "perspective": 0.1,
    "flip": "horizontal",
    "brightness": 0.2,
    "contrast": 0.3,
    "shrink": 0.3,
    "stretch": 0.2,
    "invert": 0.5,
    "colour": 0.2,
    "cutout": 0.3,
}
LIGHT = dict.fromkeys(("brightness", "contrast", "invert", "colour", "cutout"))
EVERYTHING = replace(LIVELY, **EXTRAS)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (ROWS, 9, 7, 1), dtype=np.uint8)


def augment(images: np.ndarray, rows: np.ndarray, options: Augmentation = LIVELY, seed: int = 0, epoch: int = 0):
    return Augmenter(options, seed, epoch, ROWS).augment(images[rows], rows)


@pytest.mark.parametrize("channels", [1, 3])
def test_no_augmentation_gives_equal_images(images: np.ndarray, channels: int) -> None:
    images = images.repeat(channels, axis=3)
    np.testing.assert_array_equal(augment(images, np.arange(ROWS), STILL), images)


@pytest.mark.parametrize("options", [LIVELY, EVERYTHING])
def test_a_move_depends_on_the_row_and_not_on_the_batch_or_its_order(images: np.ndarray, options: Augmentation) -> None:
    whole = augment(images, np.arange(ROWS), options)
    order = np.random.default_rng(1).permutation(ROWS)
    np.testing.assert_array_equal(augment(images, order, options), whole[order])
    for size in (1, 7, 32):
        batches = [
            augment(images, np.arange(start, min(start + size, ROWS)), options) for start in range(0, ROWS, size)
        ]
        np.testing.assert_array_equal(np.concatenate(batches), whole)


@pytest.mark.parametrize("change", [{"seed": 1}, {"epoch": 1}])
def test_another_seed_or_epoch_moves_otherwise(images: np.ndarray, change: dict[str, int]) -> None:
    rows = np.arange(ROWS)
    np.testing.assert_array_equal(augment(images, rows), augment(images, rows))
    assert not np.array_equal(augment(images, rows, **change), augment(images, rows))


def test_no_two_rows_move_alike(images: np.ndarray) -> None:
    same = images[:1].repeat(ROWS, axis=0)
    assert len(np.unique(augment(same, np.arange(ROWS)), axis=0)) == ROWS


def test_what_comes_in_gets_a_new_array(images: np.ndarray) -> None:
    before = images.copy()
    assert augment(images, np.arange(ROWS)).shape == images.shape
    np.testing.assert_array_equal(images, before)


def centres(images: np.ndarray) -> np.ndarray:
    """The centre of the light of each image: (n, 2), down and right."""
    light = images[..., 0].astype(float)
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
    images = np.zeros((ROWS, 41, 61, 1), np.uint8)
    images[:, 18:23, 28:33] = 200
    away = np.abs(centres(augment(images, np.arange(ROWS), options)) - [20, 30]).max(axis=0)
    assert away[0] <= down
    assert away[1] <= right
    assert (away > [down / 2, right / 2]).all() or options.shift == 0


def test_zoom_grows_and_shrinks_within_its_bounds() -> None:
    images = np.zeros((ROWS, 41, 41, 1), np.uint8)
    images[:, 11:30, 11:30] = 200
    shares = (augment(images, np.arange(ROWS), Augmentation(rotate=0.0, shift=0.0, zoom=0.2)) > 100).mean(
        axis=(1, 2, 3)
    )
    areas = shares * 41**2 / 19**2
    assert areas.min() == pytest.approx(0.8**2, abs=0.1)
    assert areas.max() == pytest.approx(1.2**2, abs=0.1)


def lit(images: np.ndarray) -> np.ndarray:
    """The upright box around the light of each image: (n, 4) left, top, width, height."""
    boxes = []
    for image in images[..., 0] > 100:
        down, right = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
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
        replace(STILL, flip="horizontal"),
        replace(STILL, shear=40.0),
        replace(STILL, perspective=0.2),
        replace(LIVELY, shear=20.0, flip="horizontal"),
        replace(STILL, shrink=0.4),
        replace(STILL, stretch=0.3),
        Augmentation(**{**EXTRAS, **LIGHT, "rotate": 20.0, "shift": 0.1, "zoom": 0.1, "shrink": 0.1, "stretch": 0.1}),
    ],
    ids=[
        *("still", "shift", "zoom", "rotate", "all three", "flip", "shear", "perspective", "all affine"),
        *("shrink", "stretch", "everything"),
    ],
)
def test_a_box_is_where_the_light_in_it_moved(options: Augmentation) -> None:
    """The rectangle stays off the border, so no flipped light comes in. A pixel is half lit at the most: ±1."""
    images = np.zeros((ROWS, 101, 121, 1), np.uint8)
    images[:, 40:52, 45:72] = 255
    boxes = np.repeat(np.array([[45, 40, 27, 12]], np.float32), ROWS, axis=0)
    rows = np.arange(ROWS)
    np.testing.assert_array_equal(lit(images), boxes)
    augmented = Augmenter(options, 0, 0, ROWS).augment_boxes(boxes, rows, 121, 101)
    assert augmented.dtype == np.float32
    seen = lit(augment(images, rows, options))
    edges, expected = (np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1) for box in (augmented, seen))
    assert np.abs(edges - expected).max() < (0.01 if options == STILL else 1.5)
    assert np.abs((edges - expected).mean(axis=0)).max() < 0.5  # not shifted by half a pixel or more
    assert options == STILL or np.abs(augmented - boxes).max() > 3


def test_a_box_is_clipped_to_its_image() -> None:
    boxes = np.array([[0, 0, 20, 10], [18, 8, 2, 2], [-1, 3, 4, 4]], np.float32).repeat(ROWS, axis=0)
    rows = np.arange(ROWS).repeat(3)
    far = Augmentation(rotate=90.0, shift=0.9, zoom=0.9)
    left, top, width, height = Augmenter(far, 0, 0, ROWS).augment_boxes(boxes, rows, 20, 10).T
    for begin, side, size in ((left, width, 20), (top, height, 10)):
        assert (begin >= 0).all()
        assert (side >= 0).all()
        assert (begin + side <= size + 1e-5).all()
    assert ((width == 0) | (height == 0)).any()  # moved out altogether
    assert ((width > 10) & (height > 5)).any()


def test_a_box_moves_by_its_row_and_not_by_its_batch() -> None:
    boxes = np.random.default_rng(0).uniform(1, 5, (ROWS, 4)).astype(np.float32)
    order = np.random.default_rng(1).permutation(ROWS)
    augmenter = Augmenter(LIVELY, 0, 0, ROWS)
    whole = augmenter.augment_boxes(boxes, np.arange(ROWS), 20, 10)
    np.testing.assert_array_equal(augmenter.augment_boxes(boxes[order], order, 20, 10), whole[order])


def test_what_a_page_with_the_first_three_kinds_draws_is_what_it_always_drew() -> None:
    """The images that models were trained with, to the byte; Augmenter of an older version made them."""
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 9, 7, 1), dtype=np.uint8)
    augmented = augment(images, np.arange(ROWS), seed=5, epoch=2)
    assert (
        hashlib.sha256(augmented.tobytes()).hexdigest()
        == "eaba08d84646e83f5c30ad1a653abcf358dded37e55dedf8f0efab99c697e8c3"
    )


@pytest.mark.parametrize("name", EXTRAS)
def test_a_further_kind_changes_no_draw_of_the_others(name: str) -> None:
    alone, among = Augmenter(replace(LIVELY, **{name: EXTRAS[name]}), 3, 4, ROWS), Augmenter(EVERYTHING, 3, 4, ROWS)
    drawn = {attribute: value for attribute, value in vars(alone).items() if value is not None}
    assert len(drawn) == 5
    for attribute, value in drawn.items():
        np.testing.assert_array_equal(value, vars(among)[attribute])


@pytest.mark.parametrize("name", EXTRAS)
def test_every_kind_changes_images_and_none_at_all_changes_nothing(images: np.ndarray, name: str) -> None:
    rows = np.arange(ROWS)
    assert not np.array_equal(augment(images, rows, replace(STILL, **{name: EXTRAS[name]})), images)
    none = None if name == "flip" else 0.0
    np.testing.assert_array_equal(augment(images, rows, replace(STILL, **{name: none})), images)


def test_a_flip_mirrors_about_half_of_the_images_and_leaves_the_rest(images: np.ndarray) -> None:
    augmented = augment(images, np.arange(ROWS), replace(STILL, flip="horizontal"))
    flipped = [np.array_equal(one, other[:, ::-1]) for one, other in zip(augmented, images, strict=True)]
    same = [np.array_equal(one, other) for one, other in zip(augmented, images, strict=True)]
    assert [*map(sum, zip(flipped, same, strict=True))] == [1] * ROWS
    assert ROWS / 4 < sum(flipped) < ROWS * 3 / 4
    np.testing.assert_array_equal(augment(images, np.arange(ROWS), replace(STILL, flip="forced")), augmented)


def planted(down: int, right: int) -> np.ndarray:
    """Images of 81 × 121 pixels with a bright square of 5 whose middle is at that pixel."""
    images = np.zeros((ROWS, 81, 121, 1), np.uint8)
    images[:, down - 2 : down + 3, right - 2 : right + 3] = 200
    return images


def test_shear_moves_what_is_above_the_middle_one_way_and_what_is_below_the_other() -> None:
    """20 pixels from the middle a light moves 20 × tan(angle), sideways alone, opposite on the other side."""
    options, rows = replace(STILL, shear=30.0), np.arange(ROWS)
    above, middle, below = (centres(augment(planted(down, 60), rows, options)) - [down, 60] for down in (20, 40, 60))
    np.testing.assert_allclose(middle, 0, atol=0.2)
    np.testing.assert_allclose(above, -below, atol=0.2)
    np.testing.assert_allclose(below[:, 0], 0, atol=0.2)
    farthest = 20 * np.tan(np.radians(30))
    assert farthest * 0.85 < np.abs(below[:, 1]).max() <= farthest + 0.2
    assert below[:, 1].min() < 0 < below[:, 1].max()


def test_perspective_brings_points_near_the_corners_to_the_corners() -> None:
    """At most as far as asked: half of it on average. What is straight stays straight, what is parallel does not."""
    boxes = np.array([[5, 5, 90, 90]], np.float32).repeat(ROWS, axis=0)
    augmented = Augmenter(replace(STILL, perspective=0.04), 0, 0, ROWS).augment_boxes(boxes, np.arange(ROWS), 100, 100)
    edges = np.concatenate([augmented[:, :2], augmented[:, :2] + augmented[:, 2:]], axis=1) - [5, 5, 95, 95]
    assert np.abs(edges).max() < 5
    assert 1 < np.abs(edges).mean() < 3
    images = np.zeros((ROWS, 101, 101, 1), np.uint8)
    images[:, 30:71, 30:71] = 200
    sides = []
    for image in augment(images, np.arange(ROWS), replace(STILL, perspective=0.2)):
        (outline,), _ = cv2.findContours(
            (image[..., 0] > 100).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        quad = cv2.approxPolyDP(outline, 4, closed=True)[:, 0]
        assert len(quad) == 4
        sides.append(np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1))
    opposite = np.array(sides)[:, :2] / np.array(sides)[:, 2:]
    assert np.abs(np.log(opposite)).max() > 0.2


def test_the_strongest_perspective_never_turns_an_image_inside_out() -> None:
    """Each of the 256 ways to move four corners as far as may be leaves every pixel in front of the eye."""
    augmenter = Augmenter(replace(STILL, perspective=0.249), 0, 0, 256)
    augmenter._corners = 0.249 * np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(4, 2, 256)
    pixels = np.array([[0, 120, 0, 120], [0, 0, 80, 80], [1, 1, 1, 1]])
    for row in range(256):
        assert ((np.linalg.inv(augmenter._matrix(row, 121, 81)) @ pixels)[2] > 0).all()


def test_brightness_adds_the_same_everywhere_and_stops_at_black_and_white() -> None:
    images = np.tile(np.array([0, 60, 128, 200, 255], np.uint8).reshape(1, 1, 5, 1), (ROWS, 3, 1, 1))
    augmented = augment(images, np.arange(ROWS), replace(STILL, brightness=0.5))[:, 0, :, 0].astype(int)
    added = augmented[:, 2] - 128
    assert added.min() < -100
    assert added.max() > 100
    assert np.abs(added).max() <= 128
    np.testing.assert_array_equal(augmented, np.clip(np.array([0, 60, 128, 200, 255]) + added[:, None], 0, 255))
    assert ((augmented == 255).sum(axis=1) > 1).any()
    assert ((augmented == 0).sum(axis=1) > 1).any()


def test_contrast_stretches_around_middle_gray_and_stops_at_black_and_white() -> None:
    levels = np.array([0, 64, 127, 128, 191, 255])
    images = np.tile(levels.astype(np.uint8).reshape(1, 1, 6, 1), (ROWS, 3, 1, 3))
    augmented = augment(images, np.arange(ROWS), replace(STILL, contrast=0.5))
    np.testing.assert_array_equal(augmented[..., :1].repeat(3, axis=3), augmented)
    row = augmented[:, 0, :, 0].astype(int)
    gain = (row[:, 4] - row[:, 1]) / 127
    assert 0.5 <= gain.min() < 0.6
    assert 1.4 < gain.max() <= 1.5
    expected = np.clip(127.5 + (levels - 127.5) * gain[:, None], 0, 255)
    np.testing.assert_allclose(row, expected, atol=1.6)
    assert (row[:, [0, 5]] == [0, 255]).all(axis=1)[gain > 1.1].all()


def squares() -> np.ndarray:
    """A square so far from the border that its mirror image stays outside."""
    images = np.zeros((ROWS, 121, 121, 1), np.uint8)
    images[:, 40:81, 40:81] = 200
    return images


def test_shrinking_makes_everything_smaller_and_nothing_larger() -> None:
    sizes = lit(augment(squares(), np.arange(ROWS), replace(STILL, shrink=0.3)))[:, 2:]
    np.testing.assert_allclose(sizes[:, 0], sizes[:, 1], atol=1)
    assert 41 * 0.7 - 1 <= sizes.min() < 41 * 0.75
    assert 41 * 0.95 < sizes.max() <= 41


def test_a_stretch_changes_the_width_alone_and_leaves_the_middle_where_it_is() -> None:
    boxes = lit(augment(squares(), np.arange(ROWS), replace(STILL, stretch=0.3)))
    np.testing.assert_array_equal(boxes[:, [1, 3]], [[40, 41]] * ROWS)
    np.testing.assert_allclose(boxes[:, 0] + boxes[:, 2] / 2, 60.5, atol=1)
    assert 41 * 0.7 - 1 <= boxes[:, 2].min() < 41 * 0.8
    assert 41 * 1.2 < boxes[:, 2].max() <= 41 * 1.3 + 1


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_inverted_as_often_as_asked(images: np.ndarray, channels: int) -> None:
    images = images.repeat(channels, axis=3)
    augmented = augment(images, np.arange(ROWS), replace(STILL, invert=0.5))
    negative = [np.array_equal(one, 255 - other) for one, other in zip(augmented, images, strict=True)]
    same = [np.array_equal(one, other) for one, other in zip(augmented, images, strict=True)]
    assert [*map(sum, zip(negative, same, strict=True))] == [1] * ROWS
    assert ROWS / 4 < sum(negative) < ROWS * 3 / 4
    np.testing.assert_array_equal(augment(images, np.arange(ROWS), replace(STILL, invert=1.0)), 255 - images)


def test_what_is_inverted_is_what_the_other_kinds_of_light_made(images: np.ndarray) -> None:
    rows, light = np.arange(ROWS), replace(STILL, brightness=0.2, contrast=0.3)
    negatives = augment(images, rows, replace(light, invert=1.0))
    np.testing.assert_allclose(negatives.astype(int), 255 - augment(images, rows, light).astype(int), atol=1)


def test_colour_changes_each_channel_on_its_own() -> None:
    images = np.full((ROWS, 4, 4, 3), 128, np.uint8)
    augmented = augment(images, np.arange(ROWS), replace(STILL, colour=0.2)).astype(int)[:, 0, 0]
    assert (np.abs(augmented - 128) <= 0.2 * 255 + 1).all()
    assert (augmented.std(axis=1) > 3).mean() > 0.8
    gray = augment(images[..., :1], np.arange(ROWS), replace(STILL, colour=0.2)).astype(int)[:, 0, 0]
    np.testing.assert_array_equal(gray[:, 0], augmented[:, 0])


def test_a_cut_out_part_has_the_mean_colour_and_the_rest_is_as_it_was() -> None:
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 40, 60, 3), dtype=np.uint8)
    augmented = augment(images, np.arange(ROWS), replace(STILL, cutout=0.25))
    areas = []
    for one, other in zip(augmented, images, strict=True):
        hole = (one == np.rint(other.mean(axis=(0, 1)))).all(axis=2)
        down, right = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
        inside = np.s_[down[0] : down[-1] + 1, right[0] : right[-1] + 1]
        assert hole[inside].all()
        np.testing.assert_array_equal(one[~hole], other[~hole])
        areas.append(hole.sum())
    assert max(areas) == 10 * 15  # a quarter of the height, a quarter of the width
    assert min(areas) < 100  # partly outside


def digest(seed: int) -> str:
    """What one process makes of images that every process draws alike."""
    images = np.random.default_rng(0).integers(0, 256, (ROWS, 30, 40, 3), dtype=np.uint8)
    return hashlib.sha256(augment(images, np.arange(ROWS), EVERYTHING, seed=seed).tobytes()).hexdigest()


def test_other_processes_move_alike() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        one, two, other = pool.map(digest, [7, 7, 8], chunksize=1)
    assert one == two == digest(7) != other


@pytest.mark.parametrize("options", [replace(EVERYTHING, zoom=0.9, rotate=180.0, shift=0.5, perspective=0.249)])
def test_boxes_of_the_wildest_moves_stay_in_their_images(options: Augmentation) -> None:
    boxes = np.array([[0, 0, 20, 10], [18, 8, 2, 2], [-1, 3, 4, 4], [5, 3, 8, 4]], np.float32).repeat(ROWS, axis=0)
    augmented = Augmenter(options, 0, 0, ROWS).augment_boxes(boxes, np.arange(ROWS).repeat(4), 20, 10)
    assert np.isfinite(augmented).all()
    assert (augmented[:, 2:] >= 0).all()
    assert (augmented[:, :2] >= 0).all()
    assert (augmented[:, :2] + augmented[:, 2:] <= np.array([20, 10]) + 1e-5).all()
    assert (augmented[:, 2:] > 0).all(axis=1).mean() > 0.5
