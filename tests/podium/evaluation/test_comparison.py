"""Models beside each other on the images that all of them saw, and the page of it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from podium.datasets.arrays import SplitWriter
from podium.errors import PodiumError
from podium.evaluation.boxes import overlap
from podium.evaluation.comparison import Contender, compare, page_path, read_contender, write_page
from podium.evaluation.comparison.contenders import find_common
from podium.evaluation.comparison.curves import draw_curves, round_steps
from podium.evaluation.comparison.differing import MAX_SHOWN, Images, find_disagreements
from podium.evaluation.predictions import Predictions, save_predictions

CLASSES = ("cat", "dog", "fox")


def make_predictions(
    labels: Sequence[int], predicted: Sequence[int], confidence: Any = 0.8, **changes: Any
) -> Predictions:
    """Give predictions of images `0`, `1`, … that say so, and share the rest of the probability among the others."""
    count = len(labels)
    sure = np.broadcast_to(np.float64(confidence), count)
    probabilities = np.repeat((1 - sure)[:, np.newaxis] / (len(CLASSES) - 1), len(CLASSES), axis=1)
    probabilities[np.arange(count), predicted] = sure
    ids = np.arange(count).astype(str)
    keys = {
        "ids": ids,
        "labels": np.array(labels),
        "probabilities": probabilities.astype(np.float32),
        "groups": np.arange(count),
        "digests": np.array([f"sha-{one}" for one in ids]),
        "classes": CLASSES,
        "shape": (8, 8, 1),
    }
    return Predictions(**(keys | changes))


def contend(name: str, predictions: Predictions, **changes: Any) -> Contender:
    return Contender(name, "pets", f"reports/pets/{name}", {"test": predictions}, **changes)


def random_pair(count: int = 90, **changes: Any) -> list[Contender]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, count)
    right = [np.where(generator.random(count) < share, labels, (labels + 1) % 3) for share in (0.7, 0.9)]
    sure = generator.uniform(0.4, 1, count)
    pair = zip("ab", right, strict=True)
    return [contend(name, make_predictions(labels, said, sure, **changes)) for name, said in pair]


def test_the_figures_are_scikit_learns() -> None:
    pair = random_pair()
    figures = {figure.name: figure for figure in compare(pair).figures}
    for place, one in enumerate(pair):
        some = one.predictions["test"]
        exact = some.probabilities.astype(np.float64)
        expected = {
            "accuracy": accuracy_score(some.labels, some.predicted),
            "macro_f1": f1_score(some.labels, some.predicted, average="macro"),
            "loss": log_loss(some.labels, exact / exact.sum(axis=1, keepdims=True)),
        }
        assert {name: figure.estimates[place].value for name, figure in figures.items()} == pytest.approx(expected)
    for figure in figures.values():
        one, two = figure.estimates
        assert figure.differences[0].value == pytest.approx(two.value - one.value)
        assert one.low is not None
        assert one.low < one.value < (one.high or 0)
        assert figure.verdict(0) == "better"


def test_a_class_that_is_neither_there_nor_predicted_counts_for_nothing() -> None:
    some = make_predictions([0, 0, 1, 1], [0, 1, 1, 1])
    (_, macro, _) = compare([contend("a", some), contend("b", some)]).figures
    assert macro.estimates[0].value == pytest.approx(f1_score([0, 0, 1, 1], [0, 1, 1, 1], average="macro"))


def test_boxes_are_compared_where_a_true_one_is_known() -> None:
    generator = np.random.default_rng(1)
    true = np.abs(generator.normal(4, 1, (30, 4))).astype(np.float32)
    true[3] = np.nan
    near, far = (true + np.float32(off) for off in (0.1, 1.5))
    pair = [
        contend(name, make_predictions([0] * 30, [0] * 30, boxes=true, predicted_boxes=boxes))
        for name, boxes in (("far", far), ("near", near))
    ]
    figures = {figure.name: figure for figure in compare(pair).figures}
    known = np.arange(30) != 3
    assert figures["mean_iou"].estimates[1].value == pytest.approx(overlap(true[known], near[known]).mean())
    assert figures["mean_iou"].verdict(0) == figures["joint_accuracy"].verdict(0) == "better"
    right = (overlap(true[known], far[known]) >= 0.5).mean()
    assert figures["joint_accuracy"].estimates[0].value == pytest.approx(right)


def test_three_models_are_compared_with_the_first_and_pay_for_their_number() -> None:
    one, two = random_pair()
    pair, three = compare([one, two]), compare([one, two, replace(two, name="c")])
    alone, (first, second) = pair.figures[0].differences[0], three.figures[0].differences
    assert first.p_value == second.p_value == pytest.approx(2 * alone.p_value)
    assert (first.value, first.low) == (alone.value, alone.low)


def test_only_images_that_both_saw_count_found_by_id_and_content() -> None:
    one = make_predictions([0, 1, 2, 0], [0, 1, 2, 1])
    other = one.take(np.array([3, 1, 0, 2]))  # in another order
    other = replace(other, digests=np.where(other.ids == "2", "sha-another", other.digests))
    common = find_common([contend("a", one), contend("b", other)], "test")
    assert [some.ids.tolist() for some in common.predictions] == [["0", "1", "3"]] * 2
    assert common.left_out == (1, 1)
    assert compare([contend("a", one), contend("b", other)]).describe() == [
        "3 images of the test split, seen by both.",
        "Left out: 1 image that only a saw.",
        "Left out: 1 image that only b saw.",
        "What they can show: nothing, they are too few.",
    ]


def test_an_image_with_another_label_since_is_left_out_and_counted() -> None:
    one, other = make_predictions([0, 1, 2], [0, 1, 2]), make_predictions([0, 1, 1], [0, 1, 2])
    common = find_common([contend("a", one), contend("b", other)], "test")
    assert (len(common), common.relabelled) == (2, 1)


def test_near_duplicates_in_the_eyes_of_one_are_so_for_both() -> None:
    one = make_predictions([0] * 5, [0] * 5, groups=np.array([7, 7, 8, 9, 10]))
    other = replace(one, groups=np.array([3, 1, 1, 2, 4]))
    groups = find_common([contend("a", one), contend("b", other)], "test").groups
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_an_image_that_is_there_twice_is_matched_twice() -> None:
    one = make_predictions([0, 0, 1], [0, 0, 1], ids=np.array(["x", "x", "y"]), digests=np.array(["s", "s", "t"]))
    assert len(find_common([contend("a", one), contend("b", one)], "test")) == 3


OTHER_IMAGES = make_predictions([0], [0], digests=np.array(["sha-other"]))


@pytest.mark.parametrize(
    ("other", "split", "message"),
    [
        ({"dataset": "cars"}, "test", "a is of the dataset pets, b of cars"),
        ({}, "tets", "no predictions for a split 'tets'. Did you mean 'test'"),
        ({"predictions": {"test": OTHER_IMAGES}}, "test", "a and b have no image of the test split in common"),
        ({"predictions": {"test": make_predictions([0], [0], classes=("cat", "dog", "wolf"))}}, "test", "fox, wolf"),
        ({"predictions": {"test": make_predictions([0], [0], classes=("dog", "cat", "fox"))}}, "test", "another order"),
        ({"predictions": {"test": make_predictions([1], [0])}}, "test", "have got other labels since"),
    ],
    ids=["dataset", "split", "images", "classes", "order", "labels"],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(other: dict[str, Any], split: str, message: str) -> None:
    one = contend("a", make_predictions([0], [0]))
    with pytest.raises(PodiumError, match=message):
        compare([one, replace(one, name="b", **other)], split)


def test_two_images_and_one_group_have_a_comparison() -> None:
    one = make_predictions([0, 0], [0, 1], groups=np.array([5, 5]))
    comparison = compare([contend("a", one), contend("b", make_predictions([0, 0], [0, 0], groups=one.groups))])
    accuracy, macro, _ = comparison.figures
    assert (accuracy.differences[0].value, accuracy.verdict(0)) == (0.5, "no more than noise")
    assert (macro.differences[0].low, macro.verdict(0)) == (None, "no more than noise")


# The images on which they differ


def test_who_is_right_alone_comes_apart_and_those_first_of_which_both_were_sure(tmp_path: Path) -> None:
    labels = [0, 0, 0, 1, 1, 2]
    one = make_predictions(labels, [0, 0, 1, 1, 2, 0], [0.9, 0.9, 0.5, 0.8, 0.7, 0.9])
    other = make_predictions(labels, [1, 2, 0, 1, 0, 0], [0.6, 0.9, 0.9, 0.9, 0.8, 0.9])
    comparison = compare([contend("a", one), contend("b", other)])
    found = find_disagreements(comparison, Images(tmp_path, "test"))
    assert [(each.title, [image.id for image in each.images]) for each in found] == [
        ("a is right, b is wrong", ["1", "0"]),
        ("b is right, a is wrong", ["2"]),
        ("both are wrong, and say different things", ["4"]),
    ]
    first = found[0].images[0]
    assert (first.actual, first.thumbnail) == ("cat", None)
    assert [(one.model, one.predicted, one.right) for one in first.answers] == [("a", "cat", True), ("b", "fox", False)]


def test_of_many_some_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    one, other = make_predictions([0] * 90, [0] * 90), make_predictions([0] * 90, [1] * 90)
    comparison = compare([contend("a", one), contend("b", other)])
    (found, *_) = find_disagreements(comparison, Images(tmp_path, "test"))
    assert (found.count, len(found.images)) == (90, MAX_SHOWN // 3)


def write_images(processed: Path, ids: Sequence[str]) -> None:
    with SplitWriter(processed / "test", (8, 8, 1), ids) as writer:
        for _ in ids:
            writer.write(np.full((8, 8, 1), 200, np.uint8), 0)
    table = pd.DataFrame({"id": ids, "sha256": [f"sha-{one}" for one in ids], "split": "test"})
    table.to_csv(processed / "split.csv", index=False)


def test_an_image_of_the_same_name_with_another_content_is_not_shown_for_it(tmp_path: Path) -> None:
    write_images(tmp_path, ["0", "1"])
    images = Images(tmp_path, "test")
    assert images.thumbnail("0", "sha-0")
    assert images.thumbnail("0", "sha-of-another-content") is None
    assert images.thumbnail("7", "sha-7") is None


def test_the_true_box_is_drawn_where_the_images_have_the_shape_that_it_was_measured_in(tmp_path: Path) -> None:
    write_images(tmp_path, ["0"])
    images = Images(tmp_path, "test")
    boxes = [None, np.array([2, 2, 4, 4], np.float32), np.full(4, np.nan, np.float32)]
    plain, boxed, unknown = (images.thumbnail("0", "sha-0", box) for box in boxes)
    assert plain == unknown != boxed
    assert images.are_of((8, 8, 1))
    assert not images.are_of((16, 16, 1))


# The curves


def test_curves_share_their_axes_and_a_missing_one_is_no_line() -> None:
    long = pd.DataFrame({"step": range(1, 21), "validation_accuracy": np.linspace(0.5, 0.9, 20)})
    short = pd.DataFrame({"step": range(1, 6), "validation_accuracy": np.linspace(0.1, 0.3, 5)})
    (panel,) = draw_curves([long, pd.DataFrame(), short])
    assert [*panel.lines] == [0, 2]
    assert panel.lines[0][-1] == (320, 0)
    assert panel.lines[2][0] == (0, 140)
    assert panel.across[0] == (0, "1")


@pytest.mark.parametrize("bad", ["", "nan", "inf", "x"])
def test_a_value_that_is_no_number_is_left_out_of_a_curve(bad: str) -> None:
    (panel,) = draw_curves([pd.DataFrame({"step": ["1", "2", "3"], "validation_loss": ["2", bad, "1"]})])
    assert len(panel.lines[0]) == 2


def test_a_history_of_one_epoch_and_one_of_many_can_be_drawn() -> None:
    assert draw_curves([pd.DataFrame({"step": [1], "validation_loss": [0.5]})])[0].lines == {0: [(0.0, 70.0)]}
    many = pd.DataFrame({"step": range(1, 10_001), "validation_loss": np.linspace(1, 0, 10_000)})
    assert len(draw_curves([many])[0].lines[0]) <= 410


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.11), (0, 1), (1, 1000), (-3, 5), (0.9471, 0.9921)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = round_steps(low, high)
    assert 1 <= len(ticks) <= 5
    assert all(low <= tick <= high for tick in ticks)


# The page


def test_the_page_is_whole_and_shows_strangers_names_as_text(tmp_path: Path) -> None:
    write_images(tmp_path / "processed", [str(number) for number in range(90)])
    one, two = random_pair(classes=("<b>cat</b>", "dog", "fox"))
    one = replace(one, cost={"parameters": 1000, "model_bytes": 2_500_000, "machine": "<i>two cores</i>"})
    path = tmp_path / "compare" / "page.html"
    write_page(compare([one, two]), tmp_path / "processed", path)
    page = path.read_text(encoding="utf-8")
    assert "<b>cat</b>" not in page
    assert "<i>two" not in page
    assert "&lt;b&gt;cat&lt;/b&gt;" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    assert "is better than" in page
    assert "2.5" in page
    assert page.count("<img") == sum(
        len(each.images) for each in find_disagreements(compare([one, two]), Images(tmp_path, "test"))
    )
    write_page(compare([one, two]), tmp_path / "processed", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_the_page_says_that_the_images_are_not_here(tmp_path: Path) -> None:
    write_page(compare(random_pair()), tmp_path / "processed", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "dvc repro preprocess@pets" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["digits-dense", "digits-cnn"], "digits-dense-vs-digits-cnn.html"),
        (["models:/digits/3", "digits@champion"], "models-digits-3-vs-digits-champion.html"),
        (["../../etc/x", "a b"], "etc-x-vs-a-b.html"),
    ],
)
def test_a_page_has_a_name_that_any_disk_takes(names: list[str], expected: str) -> None:
    assert page_path("digits", names) == Path("reports/digits/compare") / expected


def test_long_names_make_no_long_name_and_stay_apart() -> None:
    pages = {page_path("digits", ["x" * 200, end]).name for end in ("a", "b")}
    assert len(pages) == 2
    assert all(len(page) < 140 for page in pages)


def test_a_contender_is_read_from_its_folder(tmp_path: Path) -> None:
    some = make_predictions([0, 1], [0, 1])
    save_predictions({"test": some}, tmp_path / "predictions.parquet")
    (tmp_path / "cost.json").write_text('{"parameters": 12}')
    found = read_contender("a", "pets", tmp_path, pd.DataFrame(), "here")
    assert found.predictions["test"].ids.tolist() == ["0", "1"]
    assert found.cost == {"parameters": 12}
    with pytest.raises(PodiumError, match=r"no .*predictions\.parquet"):
        read_contender("a", "pets", tmp_path / "elsewhere", pd.DataFrame(), "here")
