import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from podium.config.datasets import ArchiveDrawnSplit, ArchiveFirstSplit, ArchiveSplit, Split, StratifiedSplit
from podium.datasets.splits import assign_splits
from podium.errors import PodiumError
from tests.makers import STRATIFIED

ARCHIVE = ArchiveSplit(kind="archive")


def make_manifest(train: int, test: int = 0) -> pd.DataFrame:
    count = train + test
    return pd.DataFrame(
        {
            "id": [f"image-{row}" for row in range(count)],
            "part": ["train"] * train + ["test"] * test,
            "label": [str(row % 10 // 8) for row in range(count)],  # eight zeros, two ones, and again
            "sha256": [f"{row:064x}" for row in range(count)],
            "group": range(count),
            "left_out": pd.Series(pd.NA, index=range(count), dtype="str"),
        }
    )


def from_archive(part: str, count: int) -> ArchiveFirstSplit:
    return ArchiveFirstSplit(kind="archive_first", validation_from=part, count=count)


def drawn(share: float = 0.2, *, stratify: bool = False, seed: int = 42, test: str = "test") -> ArchiveDrawnSplit:
    return ArchiveDrawnSplit(kind="archive_drawn", test_from=test, validation=share, stratify=stratify, seed=seed)


def test_a_stratified_split_covers_all_and_keeps_the_share_of_each_class() -> None:
    manifest = make_manifest(200)
    assigned = assign_splits(manifest, StratifiedSplit(kind="stratified", validation=0.1, test=0.2, seed=3))
    assert [*assigned.columns] == ["id", "sha256", "split", "reason"]
    pd.testing.assert_frame_equal(assigned[["id", "sha256"]], manifest[["id", "sha256"]])
    counts = manifest["label"].groupby([assigned["split"], manifest["label"]]).size()
    assert counts["train"].tolist() == [112, 28]
    assert counts["validation"].tolist() == [16, 4]
    assert counts["test"].tolist() == [32, 8]
    assert set(assigned["reason"]) == {"drawn by class, seed 3"}


def test_a_stratified_split_depends_on_its_seed_and_on_nothing_else() -> None:
    manifest = make_manifest(100)
    first, again, other = (
        assign_splits(manifest, StratifiedSplit(kind="stratified", validation=0.2, test=0.2, seed=seed))["split"]
        for seed in (0, 0, 1)
    )
    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("part", "splits"),
    [
        ("test", ["train"] * 5 + ["validation"] * 2 + ["test"] * 4),
        ("train", ["validation"] * 2 + ["train"] * 3 + ["test"] * 6),
    ],
)
def test_the_archives_split_gives_the_first_of_a_part_to_validation(part: str, splits: list[str]) -> None:
    assigned = assign_splits(make_manifest(5, 6), from_archive(part, 2))
    assert assigned["split"].tolist() == splits
    reasons = dict(zip(splits, assigned["reason"], strict=True))
    assert reasons["validation"] == f"the first 2 of the archive's {part}"
    assert reasons["test"] == "the archive's own test"


@pytest.mark.parametrize(
    ("train", "test", "split", "words"),
    [
        (5, 6, from_archive("test", 6), "test part has 6 images; 6 of them cannot become.*Lower split.count"),
        (5, 6, from_archive("train", 9), "train part has 5 images; 9 of them"),
        (5, 0, from_archive("test", 1), "test part has 0 images"),
        (5, 5, drawn(test="validation"), "The archive has no validation part"),
        (5, 5, ARCHIVE, "The archive has no validation part"),
        (5, 0, from_archive("train", 1), "The archive has no test part.*'hashed' draws all three"),
        (9, 0, STRATIFIED, "cannot be split: .*Change the dataset's split"),
    ],
)
def test_too_few_images_are_refused(train: int, test: int, split: Split, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        assign_splits(make_manifest(train, test), split)


def test_the_archives_own_three_parts_are_taken_as_they_are() -> None:
    manifest = make_manifest(6, 4)
    manifest.loc[2:3, "part"] = "validation"
    assert assign_splits(manifest, ARCHIVE)["split"].tolist() == manifest["part"].tolist()


def test_a_draw_from_the_archives_train_is_scikit_learns() -> None:
    """The published protocol of SVHN: train_test_split(range(n), test_size=0.2, random_state=42)."""
    assigned = assign_splits(make_manifest(50, 7), drawn())
    _, validation = train_test_split(np.arange(50), test_size=0.2, random_state=42)
    assert sorted(assigned.index[assigned["split"] == "validation"]) == sorted(validation)
    assert assigned["split"].tolist()[50:] == ["test"] * 7
    assert set(assigned.loc[validation, "reason"]) == {"drawn from the archive's train, seed 42"}


def test_a_draw_by_class_keeps_every_share() -> None:
    manifest = make_manifest(100, 10)
    assigned = assign_splits(manifest, drawn(stratify=True))
    counts = manifest["label"].groupby([assigned["split"], manifest["label"]]).size()
    assert counts["validation"].tolist() == [16, 4]


def test_the_archives_validation_can_be_the_test_split() -> None:
    manifest = make_manifest(50, 7).replace({"part": {"test": "validation"}})
    assigned = assign_splits(manifest, drawn(test="validation"))
    assert assigned["split"].tolist()[50:] == ["test"] * 7
    assert assigned["reason"].tolist()[50:] == ["the archive's own validation"] * 7


def test_parts_that_the_split_does_not_take_are_left_and_said_so() -> None:
    manifest = make_manifest(50, 7)
    manifest.loc[50, "part"] = "validation"
    assigned = assign_splits(manifest, drawn())
    assert assigned.loc[50, ["split", "reason"]].tolist() == ["left", "not taken by the split"]


@pytest.mark.parametrize("split", [STRATIFIED, drawn(), from_archive("test", 2)])
def test_images_without_labels_take_no_part(split: Split) -> None:
    manifest = make_manifest(40, 8)
    manifest.loc[[3, 44], "part"] = "unlabelled"
    manifest.loc[[3, 44], "label"] = ""
    assigned = assign_splits(manifest, split)
    assert assigned.index[assigned["split"] == "unlabelled"].tolist() == [3, 44]


@pytest.mark.parametrize("split", [STRATIFIED, drawn(0.3), drawn(0.3, stratify=True)])
def test_a_draw_never_parts_images_of_the_same_bytes(split: Split) -> None:
    manifest = make_manifest(400, 20)
    manifest["group"] = [row % 100 if row < 400 else row for row in range(420)]
    assigned = assign_splits(manifest, split)[:400]
    assert (assigned.groupby(manifest["group"])["split"].nunique() == 1).all()
    assert assigned["split"].nunique() > 1
