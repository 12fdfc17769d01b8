"""Which object labels an image, whose annotation is whose, and where a box is."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from podium.datasets.formats.objects.boxes import place, turn
from podium.datasets.formats.objects.pairing import pair
from podium.datasets.formats.objects.tally import NO_LARGEST, NONE, SEVERAL, Object, Tally, check_box
from tests.podium.datasets.formats.boxed import image

SMALL, LARGE = (0.0, 0.0, 2.0, 2.0), (1.0, 1.0, 3.0, 3.0)


def tally(*things: tuple[str, tuple[float, float, float, float] | None]) -> Tally:
    made = Tally()
    for label, box in things:
        made.add(label, box)
    return made


@pytest.mark.parametrize(
    ("things", "one", "largest", "label"),
    [
        ([("cat", SMALL)], "", "", "cat"),
        ([("cat", None)], "", "", "cat"),
        ([("cat", SMALL), ("dog", LARGE)], SEVERAL, "", "dog"),
        ([("dog", LARGE), ("cat", SMALL)], SEVERAL, "", "dog"),
        ([("dog", LARGE), ("cat", LARGE)], SEVERAL, "", "dog"),
        ([("cat", LARGE), ("cat", LARGE)], "", "", "cat"),
        ([("cat", None), ("dog", LARGE)], SEVERAL, NO_LARGEST, "dog"),
        ([("cat", None), ("cat", None)], SEVERAL, NO_LARGEST, "cat"),
        ([], NONE, NONE, None),
    ],
)
def test_an_image_has_the_label_of_its_one_or_its_largest_object(
    things: list[tuple[str, tuple[float, float, float, float] | None]], one: str, largest: str, label: str | None
) -> None:
    made = tally(*things)
    assert (made.left_out("one"), made.left_out("largest")) == (one, largest)
    assert (made.largest.label if made.largest else None) == label


def test_a_crowd_is_no_object_and_leaves_none_alone() -> None:
    made = tally(("cat", SMALL))
    made.crowd = True
    assert (made.left_out("one"), made.left_out("largest")) == (SEVERAL, "")


def test_what_is_not_understood_matters_where_it_may_be_the_label() -> None:
    made = tally(("cat", SMALL), ("dog", LARGE))
    made.fail("first")
    made.fail("second")
    assert (made.left_out("one"), made.left_out("largest"), made.fault) == (SEVERAL, "", "first")


def test_two_annotations_of_one_image_are_one() -> None:
    made = tally(("cat", SMALL))
    made.merge(tally(("cat", SMALL)))
    assert made.count == 1
    made.merge(tally(("dog", LARGE)))
    assert (made.count, made.largest) == (2, Object("dog", LARGE))
    empty = Tally()
    empty.merge(tally(("dog", LARGE)))
    assert (empty.count, empty.largest) == (1, Object("dog", LARGE))


@pytest.mark.parametrize(
    "edges", [(0, 0, -1, 1), (0, 0, float("nan"), 1), (0, 0, float("inf"), 1), ("0", 0, 1, 1), (0, 0, 10**400, 1)]
)
def test_a_box_is_four_finite_numbers_with_sides(edges: tuple[object, object, object, object]) -> None:
    assert check_box(*edges) is None
    assert check_box(-1, 0, 0, 2) == (-1.0, 0.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("images", "annotations", "found"),
    [
        (["a/1", "b/1"], ["a/1", "b/1"], {"a/1": "a/1", "b/1": "b/1"}),
        (["x/1", "x/2"], ["1", "y/2"], {"x/1": "1", "x/2": "y/2"}),
        (["x/1", "y/1"], ["1"], {}),
        (["1"], ["x/1", "y/1"], {}),
        (["A/Café"], ["a/cafe\u0301"], {"A/Café": "a/cafe\u0301"}),
        (["IMG", "img"], ["img"], {"img": "img"}),
    ],
)
def test_images_and_annotations_meet_by_path_then_by_a_name_that_is_alone(
    images: list[str], annotations: list[str], found: dict[str, str]
) -> None:
    pairs = pair(zip(images, images, strict=True), zip(annotations, annotations, strict=True))
    assert pairs.found == found
    assert pairs.clashes == {}
    assert sorted(pairs.orphans) == sorted(set(annotations) - set(found.values()))


def test_an_annotation_of_two_images_is_of_neither() -> None:
    pairs = pair([("1", "1.jpg"), ("1", "1.png"), ("2", "2.jpg")], [("1", "1.xml"), ("2", "2.xml")])
    assert pairs.found == {"2.jpg": "2.xml"}
    assert pairs.clashes == {
        "1.jpg": "'1.xml' may be its annotation or that of '1.png'",
        "1.png": "'1.xml' may be its annotation or that of '1.jpg'",
    }


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_as_its_image_does(orientation: int) -> None:
    pixels = np.zeros((20, 24), np.uint8)
    pixels[3:11, 2:5] = 255
    stored, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    stored.save(content, "PNG", exif=exif)
    rows, columns = np.nonzero(np.asarray(ImageOps.exif_transpose(Image.open(content))))
    left, top = columns.min(), rows.min()
    assert turn((2, 3, 3, 8), (24, 20), orientation) == (left, top, columns.max() - left + 1, rows.max() - top + 1)


BOX = (2.0, 3.0, 10.0, 8.0)


@pytest.mark.parametrize(
    ("size", "orientation", "expected"),
    [
        (None, 6, BOX),
        ((24, 20), 1, BOX),
        ((20, 24), 6, BOX),
        ((24, 20), 6, (9.0, 2.0, 8.0, 10.0)),
        ((24, 20), 3, BOX),
        ((48, 40), 1, None),
    ],
    ids=["no size", "as stored", "drawn upright", "drawn lying", "either way up", "another size"],
)
def test_the_annotations_size_says_what_a_box_was_drawn_on(
    size: tuple[int, int] | None, orientation: int, expected: tuple[float, ...] | None
) -> None:
    assert place(BOX, Tally(size=size), image(orientation=orientation)) == expected


def test_shares_are_of_the_upright_image() -> None:
    shares = Tally(shares=True)
    assert place((0.25, 0.5, 0.5, 0.25), shares, image(orientation=6)) == (5.0, 12.0, 10.0, 6.0)
    assert place((0.25, 0.5, 0.5, 0.25), shares, b"no image") is None
