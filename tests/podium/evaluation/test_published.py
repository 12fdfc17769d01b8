from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import Reference
from podium.evaluation.intervals import Estimate, Z
from podium.evaluation.published import COLUMNS, compare, find_error, judge

BAR = Z * 0.04
FIGURES = {
    "validation": {"accuracy": Estimate(0.5, 0.5 - Z * 0.1, 0.5 + Z * 0.1, "Wilson")},
    "test": {
        "accuracy": Estimate(0.8, 0.8 - BAR, 0.8 + BAR, "Wilson"),
        "box_mse": Estimate(0.01, 0.01 - Z * 0.002, 0.01 + Z * 0.002, "cluster bootstrap"),
        "mean_iou": Estimate(0.6),
        "boxes": Estimate(90),
    },
}
IMAGES = {"validation": 25, "test": 100}


def refer(metric: str, split: str, value: float, error: float | None = None, model: str = "theirs") -> Reference:
    return Reference(
        model=model, metric=metric, split=split, value=value, standard_error=error, source="https://example.org"
    )


def test_our_figures_stand_before_the_published_ones_that_ask_for_them() -> None:
    references = [
        refer("accuracy", "test", 0.75, 0.03, "first, of two"),
        refer("box_mse", "test", 0.03),
        refer("accuracy", "test", 0.5, 0.25, "second"),
        refer("accuracy", "validation", 0.625),
        refer("macro_f1", "test", 0.25),  # which we do not have here
    ]
    table = compare("ours", FIGURES, IMAGES, references)
    assert [*table.columns] == [*COLUMNS]
    assert table["model"].tolist() == ["ours"] * 3 + ["first, of two", "theirs", "second", "theirs", "theirs"]
    assert table["metric"].tolist()[:3] == ["accuracy", "box_mse", "accuracy"]
    assert table["images"].tolist()[:3] == [100, 90, 25]
    assert table["standard_error"].tolist()[:4] == pytest.approx([0.04, 0.002, 0.1, 0.03])
    assert table["difference"].tolist()[3:7] == pytest.approx([0.05, -0.02, 0.3, -0.125])
    assert table["verdict"].tolist()[3:] == [
        "cannot be told apart",
        "better, more than our noise; no error bar is published",
        "cannot be told apart",
        "cannot be told apart; no error bar is published",
        "not measured here",
    ]
    assert table["low"][3] == pytest.approx(0.75 - Z * 0.03)


def test_where_nothing_is_published_our_test_accuracy_stands_alone(tmp_path: Path) -> None:
    compare("ours", FIGURES, IMAGES, []).to_csv(tmp_path / "comparison.csv", index=False)
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert table[["model", "metric", "split", "value", "images"]].to_numpy().tolist() == [
        ["ours", "accuracy", "test", 0.8, 100]
    ]
    assert table[["difference", "verdict", "source"]].isna().all(axis=None)


def test_the_mean_of_several_seeds_has_a_row() -> None:
    repeats = {"seeds": 3.0, "test_accuracy_mean": 0.79, "test_accuracy_std": 0.01}
    table = compare("ours", FIGURES, IMAGES, [refer("accuracy", "test", 0.7, 0.01)], repeats)
    assert table["model"].tolist() == ["ours", "ours, mean of 3 seeds", "theirs"]
    assert table["value"].tolist() == [0.8, 0.79, 0.7]


@pytest.mark.parametrize(
    ("metric", "published", "error", "verdict"),
    [
        ("accuracy", 0.7, 0.02, "better, more than noise"),
        ("accuracy", 0.9, 0.02, "worse, more than noise"),
        ("accuracy", 0.72, 0.02, "cannot be told apart"),
        ("accuracy", 0.72, 0.0, "better, more than noise"),
        ("accuracy", 0.79, None, "cannot be told apart; no error bar is published"),
        ("accuracy", 0.95, None, "worse, more than our noise; no error bar is published"),
        ("box_mse", 0.02, 0.001, "better, more than noise"),
        ("box_mse", 0.003, 0.001, "worse, more than noise"),
        ("mean_iou", 0.5, 0.001, "better, but ours has no error bar"),
        ("mean_iou", 0.6, 0.001, "cannot be told apart"),
    ],
)
def test_a_verdict_looks_at_both_errors(metric: str, published: float, error: float | None, verdict: str) -> None:
    assert judge(FIGURES["test"][metric], refer(metric, "test", published, error)) == verdict


def test_equal_results_differ_by_more_than_noise_one_time_of_twenty() -> None:
    generator = np.random.default_rng(0)
    ours, theirs = generator.normal(0.8, 0.04, 2000), generator.normal(0.8, 0.03, 2000)
    verdicts = [
        judge(Estimate(one, one - BAR, one + BAR, "Wilson"), refer("accuracy", "test", other, 0.03))
        for one, other in zip(ours, theirs, strict=True)
    ]
    assert 0.04 < np.mean([verdict != "cannot be told apart" for verdict in verdicts]) < 0.06


def test_an_error_is_that_of_the_interval() -> None:
    assert find_error(FIGURES["test"]["accuracy"]) == pytest.approx(0.04)
    assert find_error(Estimate(0.5)) is None
