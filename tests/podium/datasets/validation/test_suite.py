import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.config.datasets import Dataset, Image
from podium.datasets.formats import Example
from podium.datasets.validation.findings import Finding
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.manifest import as_seen
from podium.datasets.validation.scan import build_manifest
from podium.datasets.validation.suite import MAX_EXAMPLES, balance, count_by_part
from tests.makers import NO_REVIEW, make_dataset, make_images

pytestmark = pytest.mark.slow

DATASET = make_dataset()  # three classes, at least two images of each, the largest twice the smallest at most


def make_examples(count: int = 12, part: str = "train") -> list[Example]:
    images, labels = make_images(count, seed=len(part))
    return [
        Example(f"{part}.csv:{row + 2}", part, str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def find(examples: list[Example], dataset: Dataset = DATASET) -> list[Finding]:
    return inspect_dataset("dots", dataset, build_manifest(examples), NO_REVIEW, None).findings


def failures(examples: list[Example], dataset: Dataset = DATASET) -> list[tuple[str, str, int, list[str]]]:
    return [(one.level, one.expectation, one.count, one.examples) for one in find(examples, dataset) if not one.success]


def test_a_good_dataset_fails_nothing() -> None:
    found = find([*make_examples(), *make_examples(part="test")])
    assert len(found) == 14
    assert [one for one in found if not one.success or one.count or one.examples] == []


def relabelled(label: str) -> Callable[[Example], Example]:
    return lambda example: Example(example.id, example.part, label, example.image)


@pytest.mark.parametrize(
    ("change", "level", "expectation", "examples"),
    [
        (relabelled("9"), "critical", "every label is one of the recipe's classes", ["train.csv:2 (label 9)"]),
        (
            lambda e: Example(e.id, e.part, e.label, None, "16 cells where 17 were expected"),
            *("critical", "every image can be decoded in full"),
            ["train.csv:2 (fault 16 cells where 17 were expected)"],
        ),
        (
            lambda e: Example("train.csv:3", e.part, e.label, e.image),
            *("critical", "every image has an id of its own", ["train.csv:3", "train.csv:3"]),
        ),
        (
            lambda e: Example(e.id, e.part, e.label, np.full((4, 4, 1), 7, np.uint8)),
            *("warning", "no image is of a single colour", ["train.csv:2 (brightest 7, darkest 7)"]),
        ),
        (
            lambda e: Example(e.id, e.part, e.label, e.image[:3, :2]),
            *("warning", "every image is at least 4 pixels high", ["train.csv:2 (height 3)"]),
        ),
        (
            lambda e: Example(e.id, e.part, e.label, e.image[:3, :2]),
            *("warning", "every image is at least 4 pixels wide", ["train.csv:2 (width 2)"]),
        ),
    ],
)
def test_a_bad_image_is_named(
    change: Callable[[Example], Example], level: str, expectation: str, examples: list[str]
) -> None:
    first, *others = make_examples()
    assert (level, expectation, len(examples), examples) in failures([change(first), *others])


def test_an_image_that_cannot_be_used_is_reported_once() -> None:
    first, *others = make_examples()
    assert len(failures([Example(first.id, first.part, first.label, None, "cut short"), *others])) == 1


def test_of_many_bad_images_the_first_are_named_and_all_are_counted() -> None:
    examples = [*make_examples(), *map(relabelled("9"), make_examples(30, part="test"))]
    level, expectation, count, named = failures(examples)[0]
    assert (level, expectation, count) == ("critical", "every label is one of the recipe's classes", 30)
    assert named == [f"test.csv:{row + 2} (label 9)" for row in range(MAX_EXAMPLES)]


@pytest.mark.parametrize(
    ("keep", "level", "named"),
    [
        (lambda e: e.label != "1", "critical", ["right in train (count 0)"]),
        (lambda e: e.label != "1" or e.id == "train.csv:3", "critical", ["right in train (count 1)"]),
        (lambda e: e.label == "1" or e.id in ("train.csv:2", "train.csv:5"), "warning", ["train (imbalance 4)"]),
    ],
    ids=["an empty class", "too few", "imbalance"],
)
def test_a_class_with_too_few_images_is_named(keep: Callable[[Example], bool], level: str, named: list[str]) -> None:
    found = failures([example for example in make_examples() if keep(example)])
    assert named in [examples for its_level, _, _, examples in found if its_level == level]


def test_each_part_needs_its_images() -> None:
    found = failures([*make_examples(), *make_examples(3, part="test")])
    assert ("critical", ["left in test (count 1)", "right in test (count 1)", "both in test (count 1)"]) in [
        (level, examples) for level, _, _, examples in found
    ]


def test_classes_are_counted_in_the_order_of_the_recipe_part_by_part() -> None:
    manifest = build_manifest([*make_examples(7), *make_examples(2, part="test")])
    counts = count_by_part(manifest, DATASET)
    assert counts["count"].tolist() == [3, 2, 2, 1, 1, 0]
    assert counts["class"].tolist()[2:4] == ["both in train", "left in test"]
    assert dict(balance(manifest, DATASET).to_numpy().tolist()) == {"train": 1.5, "test": 1.0}


def test_without_parts_a_class_is_named_alone() -> None:
    examples = [Example(e.id, "", e.label, e.image) for e in make_examples()]
    assert count_by_part(build_manifest(examples), DATASET)["class"].tolist() == ["left", "right", "both"]


def test_an_image_larger_than_asked_is_welcome() -> None:
    larger = make_dataset(image=Image(height=2, width=3, channels=1, resize="stretch"))
    assert all(one.success for one in find(make_examples(), larger))


def test_images_without_labels_need_none_and_are_counted_apart() -> None:
    bare = Example("test/1.jpg", "unlabelled", "", make_examples(1)[0].image)
    assert failures([*make_examples(), bare]) == []
    assert set(count_by_part(as_seen(build_manifest([*make_examples(), bare])), DATASET)["part"]) == {"train"}
    broken = Example("test/2.jpg", "unlabelled", "", None, "cut short")
    assert [level for level, *_ in failures([*make_examples(), broken])] == ["critical"]


def test_an_odd_image_is_a_warning() -> None:
    content = io.BytesIO()
    Pillow.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).save(content, "PNG")
    odd = Example("a.jpg", "train", "0", content.getvalue())
    (level, expectation, count, named) = failures([*make_examples(), odd])[0]
    assert (level, expectation, count) == ("warning", "no image is odd in any way", 1)
    assert "a.jpg (notice its content is PNG" in named[0]


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ((0, 0, 4, 4), []),
        ((1.5, 2, 1, 1.5), []),
        (None, [("critical", "every image has a box")]),
        ((1, 1, 0, 2), [("critical", "every box holds a pixel at least")]),
        ((3, 1, -1, 2), [("critical", "every box holds a pixel at least")]),
        ((-1, 0, 4, 4), [("warning", "every box lies inside its image (the rest is cut off)")]),
        ((0, 0, 4, 5), [("warning", "every box lies inside its image (the rest is cut off)")]),
        (
            (9, 9, 2, 2),
            [
                ("critical", "every box holds a pixel at least"),
                ("warning", "every box lies inside its image (the rest is cut off)"),
            ],
        ),
    ],
)
def test_where_boxes_are_a_target_each_must_be_one(
    box: tuple[float, float, float, float] | None, found: list[tuple[str, str]]
) -> None:
    first, *others = (Example(e.id, e.part, e.label, e.image, box=(0, 0, 2, 2)) for e in make_examples())
    changed = Example(first.id, first.part, first.label, first.image, box=box)
    dataset = make_dataset(target="label_and_box")
    got = failures([changed, *others], dataset)
    assert [(level, expectation) for level, expectation, *_ in got] == found
    assert all(named[0].startswith("train.csv:2") for *_, named in got)
    assert failures([changed, *others]) == [], "without boxes as a target nobody asks for them"
