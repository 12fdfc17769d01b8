from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.arrays import SPLITS, load_classes, open_split
from podium.config.tables import ArchiveSplit, Image, StratifiedSplit
from podium.errors import PodiumError
from podium.formats import Example
from podium.preprocessing import assign_splits, fit, write_arrays
from tests.makers import STRATIFIED, make_dataset, make_pictures


def make_manifest(train: int, test: int = 0) -> pd.DataFrame:
    count = train + test
    return pd.DataFrame(
        {
            "id": [f"picture-{row}" for row in range(count)],
            "part": ["train"] * train + ["test"] * test,
            "label": [str(row % 10 // 8) for row in range(count)],  # eight zeros, two ones, and again
            "sha256": [f"{row:064x}" for row in range(count)],
        }
    )


def from_archive(part: str, count: int) -> ArchiveSplit:
    return ArchiveSplit(kind="archive", validation_from=part, count=count)


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
        (5, 6, from_archive("test", 6), "test part has 6 pictures; 6 of them cannot become.*Lower split.count"),
        (5, 6, from_archive("train", 9), "train part has 5 pictures; 9 of them"),
        (5, 0, from_archive("test", 1), "test part has 0 pictures"),
        (5, 0, from_archive("train", 1), "The archive has no test part. Choose split.kind 'stratified'"),
        (9, 0, STRATIFIED, "cannot be split: .*Change the dataset's split"),
    ],
)
def test_too_few_pictures_are_refused(train: int, test: int, split: ArchiveSplit, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        assign_splits(make_manifest(train, test), split)


def test_arrays_hold_each_picture_in_its_split_in_the_archives_order(tmp_path: Path) -> None:
    images, labels = make_pictures(9)
    examples = [
        Example(f"picture-{row}", "train", str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    places = ["train", "test", "validation", "train", "test", "train", "train", "validation", "train"]
    assigned = pd.DataFrame({"id": [e.id for e in examples], "sha256": "", "split": places, "reason": "told so"})
    dataset = make_dataset(classes={"2": "señal", "0": "猫", "1": "NA"})
    write_arrays(iter(examples), assigned, dataset, tmp_path / "dots")
    for name in SPLITS:
        rows = [row for row, place in enumerate(places) if place == name]
        split = open_split(tmp_path / "dots" / name)
        assert split.ids.tolist() == [f"picture-{row}" for row in rows]
        assert split.labels.tolist() == [["2", "0", "1"].index(str(labels[row])) for row in rows]
        np.testing.assert_array_equal(split.images, images[rows])
    assert load_classes(tmp_path / "dots") == ["señal", "猫", "NA"]
    assert pd.read_csv(tmp_path / "dots/split.csv")["split"].tolist() == places


def test_pictures_without_a_place_in_the_split_manifest_are_no_silent_loss(tmp_path: Path) -> None:
    images, _ = make_pictures(2)
    assigned = pd.DataFrame({"id": ["a"], "sha256": [""], "split": ["train"], "reason": [""]})
    with pytest.raises(ValueError, match="zip"):
        write_arrays([Example(name, "", "0", images[0]) for name in "ab"], assigned, make_dataset(), tmp_path / "dots")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("asked", [1, 3])
@pytest.mark.parametrize("size", [(6, 9), (4, 12), (12, 18), (3, 2)])
def test_a_picture_of_one_colour_keeps_it_at_every_size(channels: int, asked: int, size: tuple[int, int]) -> None:
    pixels = np.full((6, 9, channels), 200, np.uint8)
    fitted = fit(pixels, Image(height=size[0], width=size[1], channels=asked))
    assert fitted.shape == (*size, asked)
    assert fitted.dtype == np.uint8
    assert (fitted == 200).all()


def test_shrinking_averages_the_area() -> None:
    pixels = np.array([[0, 100, 50, 50], [100, 200, 50, 50]], np.uint8)[..., np.newaxis]
    assert fit(pixels, Image(height=1, width=2, channels=1))[0, :, 0].tolist() == [100, 50]


def test_gray_is_the_luminance_of_red_green_blue() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert fit(pixels, Image(height=1, width=3, channels=1))[0, :, 0].tolist() == [76, 150, 29]
