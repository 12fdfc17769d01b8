"""Every figure is scikit-learn's on the same predictions: it is the oracle."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle

from podium.errors import PodiumError
from podium.evaluation.metrics import (
    Metrics,
    measure,
    measure_all,
    measure_classes,
    measure_clean,
    measure_repeats,
    summarise,
    tabulate_repeats,
)
from podium.evaluation.predictions import Predictions

ACTUAL = np.array([[2, 2, 4, 4], [2, 2, 4, 4], [0, 0, 2, 2], [0, 0, 4, 4]], np.float32)
PREDICTED = np.array([[2, 2, 4, 4], [4, 2, 4, 4], [5, 5, 1, 1], [0, 0, 4, 2]], np.float32)  # of 20 × 10 pixels
OVERLAPS = [1, 8 / 24, 0, 1 / 2]


def predict(images: int, classes: int, seed: int = 0, skill: float = 1.5) -> Predictions:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    scores = generator.normal(size=(images, classes))
    scores[np.arange(images), labels] += skill
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(
        ids=np.arange(images).astype(str),
        labels=labels,
        probabilities=shares.astype(np.float32),
        groups=generator.integers(0, images, images),
        digests=np.arange(images).astype(str),
        classes=tuple(f"class {number}" for number in range(classes)),
        shape=(10, 20, 3),
    )


def without_class(some: Predictions, label: int) -> Predictions:
    return some.take(some.labels != label)


def never_predicting(some: Predictions, label: int) -> Predictions:
    shares = some.probabilities.copy()
    shares[:, label] = 0
    return replace(some, probabilities=shares / shares.sum(axis=1, keepdims=True))


def all_alike(some: Predictions) -> Predictions:
    return replace(some, probabilities=np.tile(some.probabilities[:1], (len(some), 1)))


CASES: dict[str, Callable[[], Predictions]] = {
    "many": lambda: predict(500, 24),
    "three": lambda: predict(200, 3),
    "binary": lambda: predict(150, 2),
    "skilled": lambda: predict(150, 5, skill=6),
    "right": lambda: predict(60, 3, skill=60),
    "class_absent": lambda: without_class(predict(300, 6), 2),
    "class_never_predicted": lambda: never_predicting(predict(300, 6), 4),
    "all_alike": lambda: all_alike(predict(90, 4)),
    "ties": lambda: replace(predict(6, 3), probabilities=np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]),
    "one_class": lambda: (lambda some: some.take(some.labels == 1))(predict(90, 3)),
    "two_images": lambda: predict(2, 3, seed=3),
}


@pytest.fixture(params=[*CASES])
def case(request: pytest.FixtureRequest) -> Predictions:
    return CASES[request.param]()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_every_figure_is_the_oracles(case: Predictions) -> None:
    labels, predicted, classes = case.labels, case.predicted, range(len(case.classes))
    exact = case.probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    wanted = {
        "accuracy": oracle.accuracy_score(labels, predicted),
        "balanced_accuracy": oracle.balanced_accuracy_score(labels, predicted),
        "loss": oracle.log_loss(labels, exact, labels=classes),
        "brier": oracle.brier_score_loss(labels, exact[:, 1] if len(classes) == 2 else exact, labels=classes),
    }
    for average in ("macro", "weighted"):
        scores = oracle.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        wanted |= {f"{average}_{name}": some for name, some in zip(("precision", "recall", "f1"), scores, strict=False)}
    if len(np.unique(labels)) > 1:
        wanted["matthews"] = oracle.matthews_corrcoef(labels, predicted)
        binary = [1] if len(classes) == 2 else np.unique(labels)
        of_class = [(labels == place, case.probabilities[:, place]) for place in binary]
        wanted["roc_auc"] = np.mean([oracle.roc_auc_score(*some) for some in of_class])
        wanted["pr_auc"] = np.mean([oracle.average_precision_score(*some) for some in of_class])
    found = measure_all(case)
    top = {name: found.pop(name).value for name in [*found] if name.startswith("top_")}
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(wanted, abs=1e-12)
    assert [*top] == [f"top_{count}" for count in (2, 3, 5) if count < len(classes)]
    if len(np.unique(case.probabilities[0])) == len(classes):  # of equal probabilities scikit-learn takes the last
        for name, value in top.items():
            assert value == oracle.top_k_accuracy_score(labels, exact, k=int(name[4:]), labels=classes)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_every_row_of_a_class_is_the_oracles(case: Predictions) -> None:
    classes, table = range(len(case.classes)), measure_classes(case)
    scores = oracle.precision_recall_fscore_support(case.labels, case.predicted, labels=classes, zero_division=0)
    np.testing.assert_allclose(table[["precision", "recall", "f1", "support"]].to_numpy().T, scores, atol=1e-12)
    for place in classes:
        is_it, area, average = case.labels == place, table["roc_auc"][place], table["pr_auc"][place]
        if 0 < is_it.sum() < len(is_it):
            assert area == pytest.approx(oracle.roc_auc_score(is_it, case.probabilities[:, place]), abs=1e-12)
            assert average == pytest.approx(oracle.average_precision_score(is_it, case.probabilities[:, place]))
        else:
            assert math.isnan(area)
            assert math.isnan(average)


def test_the_value_lies_in_its_interval(case: Predictions) -> None:
    for name, estimate in measure_all(case).items():
        if estimate.low is not None and estimate.high is not None:
            assert estimate.low - 1e-12 <= estimate.value <= estimate.high + 1e-12, name
            assert estimate.low < estimate.high, name
    table = measure_classes(case)
    for name in ("precision", "recall", "f1"):
        rows = table[table[f"{name}_low"].notna()]
        assert (rows[f"{name}_low"] <= rows[name] + 1e-12).all()
        assert (rows[name] <= rows[f"{name}_high"] + 1e-12).all()
    assert table.loc[table["support"] == 0, ["recall_low", "recall_high"]].isna().all(axis=None)


def test_headline_figures_of_a_seed_are_those_of_all_figures(case: Predictions) -> None:
    known = measure_all(case)
    assert measure(case) == {name: known[name].value for name in ("accuracy", "macro_f1", "loss")}


@pytest.mark.parametrize("name", ["many", "two_images"])
def test_the_same_predictions_have_the_same_intervals(name: str) -> None:
    assert measure_all(CASES[name]()) == measure_all(CASES[name]())


def test_images_alike_widen_every_interval() -> None:
    alone = replace(predict(400, 4), groups=np.arange(400))
    twenty = np.arange(400) // 20 * 20  # twenty times the same image
    alike = replace(alone, labels=alone.labels[twenty], probabilities=alone.probabilities[twenty], groups=twenty)
    ours, theirs = measure_all(alone), measure_all(alike)
    for name, estimate in ours.items():
        other = theirs[name]
        assert None not in (estimate.low, estimate.high, other.low, other.high)
        assert other.high - other.low > 1.5 * (estimate.high - estimate.low), name  # type: ignore[operator]


def test_certainty_of_the_wrong_class_costs_much_but_is_a_number() -> None:
    some = replace(predict(2, 2), labels=np.array([0, 1]), probabilities=np.eye(2, dtype=np.float32)[[1, 0]])
    assert 10 < measure(some)["loss"] < 100


def test_ten_thousand_classes_are_measured() -> None:
    some = predict(1_001, 10_000, skill=8)
    found = measure_all(some)
    assert {"accuracy", "top_5", "macro_f1", "matthews", "loss", "brier"} < {*found}
    assert "roc_auc" not in found, "areas are taken of ten million probabilities at most"
    assert len(measure_classes(some)) == 10_000


def with_boxes(known: list[bool]) -> Predictions:
    actual = np.where(np.array(known)[:, np.newaxis], ACTUAL, np.nan).astype(np.float32)
    some = replace(predict(4, 3), labels=np.array([0, 1, 2, 0]), groups=np.arange(4))
    shares = np.eye(3, dtype=np.float32)[[0, 1, 2, 1]]  # the last is wrong
    return replace(some, probabilities=shares, boxes=actual, predicted_boxes=PREDICTED)


def test_figures_of_boxes_are_those_counted_by_hand() -> None:
    """The second is 2 too far right on both sides, the third 5, 5, 4 and 4 off, the last 2 too short."""
    squares = 2 * (2 / 20) ** 2 + (5 / 20) ** 2 + (5 / 10) ** 2 + (4 / 20) ** 2 + (4 / 10) ** 2 + (2 / 10) ** 2
    figures: Metrics = {
        **{"mean_iou": float(np.mean(OVERLAPS)), "box_mse": squares / 16},
        **{"iou_50": 2 / 4, "iou_75": 1 / 4, "joint_accuracy": 1 / 4, "boxes": 4},
    }
    some = with_boxes([True] * 4)
    found = measure_all(some)
    assert {name: found[name].value for name in figures} == pytest.approx(figures)
    assert measure(some) == {name: found[name].value for name in measure(some)}


def test_images_without_a_known_box_are_left_out_and_counted() -> None:
    found = measure_all(with_boxes([True, False, True, True]))
    assert found["boxes"].value == 3
    assert found["mean_iou"].value == pytest.approx((1 + 0 + 1 / 2) / 3)
    assert found["joint_accuracy"].value == pytest.approx(1 / 3)
    assert found["accuracy"].value == pytest.approx(3 / 4)


def test_where_no_box_is_known_there_are_no_figures_of_boxes() -> None:
    assert not {"mean_iou", "boxes", "box_mse", "joint_accuracy"} & {*measure_all(with_boxes([False] * 4))}


def test_predicted_boxes_that_are_not_numbers_are_refused() -> None:
    some = replace(with_boxes([True] * 4), predicted_boxes=np.full((4, 4), np.nan, np.float32))
    with pytest.raises(PodiumError, match="Lower the learning"):
        measure_all(some)


def test_clean_images_have_the_same_figures() -> None:
    some = predict(100, 3)
    whole, half = measure_all(some), np.arange(100) < 50
    assert measure_clean(some, half, whole) == measure_all(some.take(np.arange(50)))
    assert measure_clean(some, np.ones(100, bool), whole) == whole
    assert measure_clean(some, np.zeros(100, bool), whole) == {}


def test_the_summary_holds_what_people_compare() -> None:
    some = with_boxes([True] * 4)
    metrics = {
        "validation": measure_all(some),
        "test": measure_all(some),
        "test_clean": measure_all(some.take(np.array([0, 1]))),
    }
    seeds = tabulate_repeats({seed: {"validation": measure(some), "test": measure(some)} for seed in (1, 2)})
    summary = summarise(metrics, clean=2, repeats=measure_repeats(seeds))
    assert [*summary] == ["validation", "test", "test_clean", "repeats"]
    assert [*summary["test"]] == [
        *("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "loss"),
        *("mean_iou", "joint_accuracy", "box_mse"),  # of four groups no bootstrap says anything
    ]
    assert [*summary["test_clean"]] == ["accuracy", "accuracy_low", "accuracy_high", "images"]
    assert summary["repeats"] == {
        **{"seeds": 2, "validation_accuracy_mean": 0.75, "validation_accuracy_std": 0},
        **{"test_accuracy_mean": 0.75, "test_accuracy_std": 0},
    }


def test_the_summary_has_no_clean_figures_where_no_image_is_clean() -> None:
    metrics = measure_all(predict(10, 3))
    assert [*summarise({"validation": metrics, "test": metrics, "test_clean": {}}, clean=0)] == ["validation", "test"]
