from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.predictions import Predictions, collect, find_clean, load_predictions, save_predictions

CLASSES = ("NA", "007", "1e3")  # names that look like numbers, or like nothing
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.25, 0.25, 0.5]], np.float32)
BOXES = np.array([[2, 2, 4, 4], [0, 0, 2, 2], [np.nan] * 4, [1, 1, 1, 1]], np.float32)


def make(*, boxes: bool = False, count: int = 4) -> Predictions:
    return Predictions(
        ids=np.array([f"a/{row}.png" for row in range(count)]),
        labels=np.array([0, 0, 1, 2])[:count],
        probabilities=PROBABILITIES[:count],
        groups=np.array([7, 7, 9, 11])[:count],
        digests=np.array([f"{row:064x}" for row in range(count)]),
        classes=CLASSES,
        shape=(10, 20, 3),
        boxes=BOXES[:count] if boxes else None,
        predicted_boxes=BOXES[:count] + 1 if boxes else None,
    )


def same(one: Predictions, other: Predictions) -> bool:
    names = ("ids", "labels", "probabilities", "groups", "digests", "boxes", "predicted_boxes")
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    return (one.classes, one.shape) == (other.classes, other.shape)


def test_the_class_of_the_greatest_probability_is_predicted() -> None:
    some = make()
    assert some.predicted.tolist() == [0, 1, 0, 2]
    assert some.confidence.tolist() == pytest.approx([0.8, 0.7, 0.5, 0.5])
    assert some.right.tolist() == [True, False, False, True]


@pytest.mark.parametrize("boxes", [False, True])
def test_a_file_gives_back_what_was_written(tmp_path: Path, boxes: bool) -> None:
    written = {"validation": make(boxes=boxes, count=2), "test": make(boxes=boxes)}
    save_predictions(written, tmp_path / "predictions.parquet")
    read = load_predictions(tmp_path / "predictions.parquet")
    assert [*read] == ["validation", "test"]
    assert all(same(read[name], written[name]) for name in written)


def test_the_same_predictions_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_predictions({"test": make(boxes=True)}, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_others_read_the_file_without_podium(tmp_path: Path) -> None:
    save_predictions({"test": make(boxes=True)}, tmp_path / "predictions.parquet")
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert table.columns.tolist() == [
        *("split", "id", "sha256", "group", "actual", "predicted", "confidence", "probabilities"),
        *("true_left", "true_top", "true_width", "true_height", "left", "top", "width", "height", "iou"),
    ]
    assert table["predicted"].tolist() == ["NA", "007", "NA", "1e3"]
    assert table["probabilities"][1].tolist() == pytest.approx([0.2, 0.7, 0.1])


@pytest.mark.parametrize(
    "row",
    [[np.nan, 0.5, 0.5], [0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [np.inf, 0, 0]],
    ids=["nan", "sum", "sign", "infinite"],
)
def test_what_is_no_probability_is_refused_with_the_image(row: list[float]) -> None:
    probabilities = PROBABILITIES.copy()
    probabilities[2] = row
    with pytest.raises(PodiumError, match=r"for 1 of 4 images, the first of them a/2\.png"):
        replace(make(), probabilities=probabilities)


def test_a_split_without_images_is_refused() -> None:
    with pytest.raises(PodiumError, match="no image"):
        make().take(np.zeros(4, bool))


def test_some_are_taken_by_mask_or_number() -> None:
    some = make(boxes=True)
    assert same(some.take(np.array([True, False, True, False])), some.take(np.array([0, 2])))
    assert some.take(np.array([2])).ids.tolist() == ["a/2.png"]


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing more", "other columns"])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "predictions.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pd.DataFrame({"id": ["a"]}).to_parquet(path)
    with pytest.raises(PodiumError, match="holds no predictions"):
        load_predictions(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="dvc repro"):
        load_predictions(tmp_path / "predictions.parquet")


class TestCollect:
    SPLIT = Split(np.zeros((2, 1, 1, 1), np.uint8), np.array([0, 2]), np.array(["b", "a"]))
    MANIFEST = pd.DataFrame({"id": ["a", "b", "c"], "sha256": ["aa", "bb", "cc"], "group": [4, 5, 6]})

    def test_the_manifest_is_looked_up_by_id(self) -> None:
        some = collect(self.SPLIT, {"label": PROBABILITIES[:2]}, CLASSES, self.MANIFEST)
        assert some.groups.tolist() == [5, 4]
        assert some.digests.tolist() == ["bb", "aa"]
        assert some.boxes is None

    def test_a_manifest_of_another_version_is_refused(self) -> None:
        with pytest.raises(PodiumError, match="does not know 1 of 2 images, the first of them b"):
            collect(self.SPLIT, {"label": PROBABILITIES[:2]}, CLASSES, self.MANIFEST.drop(1))

    def test_a_model_of_other_classes_is_refused(self) -> None:
        with pytest.raises(PodiumError, match="knows 3 classes, the dataset has 2"):
            collect(self.SPLIT, {"label": PROBABILITIES[:2]}, CLASSES[:2], self.MANIFEST)


def test_clean_images_have_no_twin_that_training_or_selection_used() -> None:
    leaks = pd.DataFrame(
        {"id": ["a", "b", "c"], "split": ["test", "test", "validation"], "twin_split": ["train", "validation", "train"]}
    )
    assert find_clean(np.array(["a", "b", "c", "d"]), leaks).tolist() == [False, False, True, True]
