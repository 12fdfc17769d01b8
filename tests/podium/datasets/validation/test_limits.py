from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import ArchiveSplit, DigitsFormat, SklearnSource
from podium.datasets.formats import Example, read
from podium.datasets.sources import fetch
from podium.datasets.validation.duplicates import find_pairs
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.limits import choose_distance, infer_validation
from podium.datasets.validation.manifest import as_seen
from podium.datasets.validation.scan import build_manifest
from podium.images.phash import unpack
from tests.makers import NO_REVIEW, make_dataset


def make_examples(count: int = 30, side: int = 40) -> list[Example]:
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 200, (side + n % 3, side, 1), dtype=np.uint8) for n in range(count)]
    return [
        Example(f"p{n}", ("train", "validation", "test")[n // 2 % 3], str(n % 2), each) for n, each in enumerate(images)
    ]


def infer(manifest: pd.DataFrame, *, leaking: bool = False):  # type: ignore[no-untyped-def]
    counts = pd.crosstab(manifest["label"], manifest["part"])
    return infer_validation(manifest, counts, leaking=leaking)


def test_the_images_that_limits_were_inferred_from_keep_them() -> None:
    seen = build_manifest(make_examples())
    validation = infer(as_seen(seen))
    dataset = make_dataset(classes={"0": "even", "1": "odd"}, split=ArchiveSplit(kind="archive"), validation=validation)
    found = inspect_dataset("dots", dataset, seen, NO_REVIEW, None)
    assert found.verdict == "passed"
    assert len(found.findings) > 18


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image // 4, "the brightness of every image is within"),
        (lambda image: np.tile(image, (2, 1, 1)), "the height of every image is within"),
        (lambda image: np.tile(image, (1, 3, 1)), "the aspect of every image is within"),
        (lambda image: np.full_like(image, 100), "the sharpness of every image is within"),
    ],
)
def test_an_image_unlike_them_is_a_warning(change, words: str) -> None:  # type: ignore[no-untyped-def]
    examples = make_examples()
    validation = infer(as_seen(build_manifest(examples)))
    examples[7] = Example("p7", examples[7].part, examples[7].label, change(examples[7].image))
    dataset = make_dataset(classes={"0": "even", "1": "odd"}, split=ArchiveSplit(kind="archive"), validation=validation)
    failed = inspect_dataset("dots", dataset, build_manifest(examples), NO_REVIEW, None).failed
    assert all(one.level == "warning" for one in failed)
    assert any(one.expectation.startswith(words) and one.examples[0].startswith("p7") for one in failed)


def test_limits_have_room_and_two_digits() -> None:
    manifest = as_seen(build_manifest(make_examples()))
    manifest["brightness"] = np.linspace(52.3, 211.7, len(manifest))
    manifest["width"] = 40
    warning = infer(manifest).warning
    assert warning.brightness == [47, 240]  # a tenth less than 52.3 and more than 211.7, outwards
    assert warning.width == [40, 40]
    assert warning.modes is None  # pixels from tables have none


def test_leaks_that_are_there_can_only_be_warned_of() -> None:
    manifest = as_seen(build_manifest(make_examples()))
    for leaking in (True, False):
        validation = infer(manifest, leaking=leaking)
        assert validation.critical.exact_duplicates == (None if leaking else 0)
        assert validation.warning.exact_duplicates == (0 if leaking else None)


@pytest.mark.parametrize(("side", "distance"), [(8, 8), (28, 24), (40, 40), (100, 64)])
def test_smaller_images_have_to_be_more_alike(side: int, distance: int) -> None:
    assert choose_distance(pd.DataFrame({"height": [side], "width": [side + 9]})) == distance


def test_digits_that_are_merely_alike_are_no_duplicates(tmp_path: Path) -> None:
    """At the distance for their size hardly any of scikit-learn's digits are taken for another."""
    fetch(SklearnSource(kind="sklearn", name="digits"), tmp_path, tmp_path)
    seen = build_manifest(read(tmp_path, DigitsFormat(kind="digits")))
    assert len(find_pairs(unpack(seen["hash"]), choose_distance(seen)).first) < 10
