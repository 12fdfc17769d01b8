"""What validation remembers of an accepted version, and says of a sticky split."""

from pathlib import Path

import pandas as pd
import pytest

from podium.config.datasets import HashedSplit
from podium.datasets.formats import Example
from podium.datasets.sticky import BETWEEN
from podium.datasets.validation.findings import Inspection
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.manifest import COLUMNS, COMPARED, save_manifest
from podium.datasets.validation.places import add_gone, of_its_version, read_accepted
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from tests.makers import NO_REVIEW, STRATIFIED, make_dataset, make_images

STICKY = HashedSplit(kind="hashed", validation=0.25, test=0.25, seed=0)


def make_examples(count: int = 60) -> list[Example]:
    images, labels = make_images(count)
    return [
        Example(f"p{row}", "train", str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def brighter(example: Example) -> Example:
    """A near-duplicate with other bytes."""
    assert example.image is not None
    return Example(f"{example.id}-brighter", "train", example.label, example.image + 1)


def look(
    examples: list[Example], accepted: pd.DataFrame | None = None, split: object = STICKY, **changes: object
) -> Inspection:
    dataset = make_dataset(split=split, **changes)
    return inspect_dataset("dots", dataset, build_manifest(examples), NO_REVIEW, accepted)


@pytest.fixture(scope="module")
def accepted() -> pd.DataFrame:
    return look(make_examples()).manifest


def expectation(found: Inspection, words: str) -> tuple[bool, list[str]]:
    (finding,) = [one for one in found.findings if words in one.expectation]
    assert finding.level == "warning"
    return finding.success, finding.examples


def test_the_manifest_says_in_which_split_an_image_is_and_why(accepted: pd.DataFrame) -> None:
    assert [*accepted.columns] == COLUMNS
    assert set(accepted["split"]) == {"train", "validation", "test"}
    assert set(accepted["reason"]) == {"drawn by content, seed 0"}
    assert set(look(make_examples(), split=STRATIFIED).manifest["reason"]) == {"drawn by class, seed 0"}


def test_near_duplicates_follow_the_accepted_version_also_images_that_are_gone(accepted: pd.DataFrame) -> None:
    first, *others = make_examples()
    there, twins = others[:20], [brighter(one) for one in [first, *others]]
    found = look([*there, *twins], accepted)
    manifest = found.manifest.set_index("id")
    before = accepted.set_index("id")["split"]
    for id_, split in before.items():
        assert manifest.loc[f"{id_}-brighter", "split"] == split
    assert manifest.loc["p1", "split"] == before["p1"]
    assert manifest.loc["p0-brighter", "group"] == 20, "groups are of the images that are there"
    assert found.drift is not None
    assert len(found.drift.removed) == 40
    assert expectation(found, "no image is like images of two splits") == (True, [])

    carried = add_gone(found.manifest, accepted)
    assert len(of_its_version(carried)) == len(found.manifest)
    again = look(make_examples(), carried)
    assert again.manifest["split"].tolist() == accepted["split"].tolist()
    assert again.drift is not None
    assert len(again.drift.removed) == 60, "what was gone before is not gone now"


def test_images_between_two_splits_are_left_out_and_told(accepted: pd.DataFrame) -> None:
    examples = make_examples()
    examples.append(brighter(examples[0]))
    had = look(examples).manifest
    had.loc[0, "split"], had.loc[60, "split"] = "train", "test"
    found = look(examples, had)
    assert found.manifest.loc[60, ["split", "reason"]].tolist() == ["left", BETWEEN]
    assert found.manifest.loc[0, "split"] == "train"
    assert found.leaks.empty
    assert expectation(found, "no image is like images of two splits") == (False, ["p0-brighter"])


def test_other_splits_remember_nothing(accepted: pd.DataFrame) -> None:
    turned = accepted.assign(split="train")
    fresh, found = (look(make_examples(), known, STRATIFIED) for known in (None, turned))
    assert found.splits.equals(fresh.splits)
    assert not [
        one
        for one in found.findings
        if "two splits" in one.expectation or "every class has images in" in one.expectation
    ]


def test_a_class_that_is_in_no_image_of_a_split_is_told() -> None:
    examples = make_examples()
    rare = [Example(f"rare{n}", "train", "3", one.image) for n, one in enumerate(make_examples(62)[60:])]
    found = look([*examples, *rare], classes={"0": "left", "1": "right", "2": "both", "3": "owl"})
    success, told = expectation(found, "every class has images in train, validation and test")
    assert not success
    assert set(told) < {f"owl has none in {split}" for split in ("train", "validation", "test")}


def test_a_manifest_that_was_accepted_before_there_were_sticky_splits_is_read(
    tmp_path: Path, accepted: pd.DataFrame
) -> None:
    save_manifest(accepted[COMPARED], tmp_path / "old.parquet")
    old = read_accepted(tmp_path / "old.parquet")
    assert [*old.columns] == COLUMNS
    assert look(make_examples(), old).manifest["reason"].str.startswith("drawn").all()
    with pytest.raises(PodiumError, match="There is no manifest"):
        read_accepted(tmp_path / "none.parquet")
