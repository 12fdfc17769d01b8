"""The names of MLflow's metrics."""

import json
from pathlib import Path
from typing import Any

import pytest

from podium.tracking.connection import shown_uri, training_view, where_to_look
from podium.tracking.figures import describe_result, read_figures

ESTIMATE = {"value": 0.75, "low": 0.5, "high": 0.875, "method": "Wilson"}


def write(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_an_interval_is_two_metrics_below_its_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        metrics={"test": {"accuracy": 0.75, "accuracy_low": 0.5, "accuracy_high": 0.875, "loss": 0.25}},
        evaluation={"metrics": {"test": {"accuracy": ESTIMATE, "balanced_accuracy": ESTIMATE}}},
    )
    names = [f"test/{name}{end}" for name in ("accuracy", "balanced_accuracy") for end in ("", "/low", "/high")]
    assert read_figures(tmp_path) == dict(zip(names, [0.75, 0.5, 0.875] * 2, strict=True)) | {"test/loss": 0.25}


def test_calibration_seeds_and_cost_have_names_of_their_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        metrics={"test_clean": {"images": 340}, "repeats": {"seeds": 3, "test_accuracy_mean": 0.5}},
        evaluation={"calibration": {"temperature": 1.5, "ece": {"test": ESTIMATE}}},
        cost={"parameters": 1000, "training_seconds": None, "machine": "two cores", "milliseconds_per_image": 0.5},
    )
    assert read_figures(tmp_path) == {
        **{"test_clean/images": 340, "repeats/seeds": 3, "repeats/test_accuracy_mean": 0.5},
        **{"test/ece": 0.75, "test/ece/low": 0.5, "test/ece/high": 0.875},
        **{"cost/parameters": 1000, "cost/milliseconds_per_image": 0.5},
    }


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), "words"])
def test_what_is_no_number_is_no_metric(tmp_path: Path, value: Any) -> None:
    write(tmp_path, metrics={"test": {"accuracy": 0.5}}, evaluation={"metrics": {"test": {"f1": {"value": value}}}})
    assert read_figures(tmp_path) == {"test/accuracy": 0.5}


def test_no_calibration_is_no_mistake(tmp_path: Path) -> None:
    assert read_figures(write(tmp_path, evaluation={"calibration": None, "metrics": {}})) == {}


def test_a_result_without_page_picture_and_interval_is_described_all_the_same(tmp_path: Path) -> None:
    text = describe_result(write(tmp_path, metrics={"test": {"accuracy": 0.75}}), "dense", "", "")
    assert text == "dense: accuracy **0.7500** on the test split.\n"


@pytest.mark.parametrize(("clean", "told"), [(0.75, False), (0.5, True)])
def test_the_clean_part_of_the_test_split_is_told_where_it_differs(tmp_path: Path, clean: float, told: bool) -> None:
    write(tmp_path, metrics={"test": {"accuracy": 0.75}, "test_clean": {"accuracy": clean}})
    assert ("near-duplicate" in describe_result(tmp_path, "dense", "", "")) is told


def test_an_address_opens_the_training_view_and_holds_no_password() -> None:
    view = "?workflowType=machine_learning"
    assert training_view("http://mlflow.example:5000") == f"http://mlflow.example:5000/#/experiments{view}"
    assert training_view("https://me:secret@mlflow.example/", "7") == f"https://mlflow.example/#/experiments/7{view}"
    assert training_view("", "7", "3f", "reports/index.html") == (
        f"#/experiments/7/runs/3f/artifacts/reports/index.html{view}"
    )
    assert shown_uri("postgresql://me:secret@db.example/mlflow") == "postgresql://…@db.example/mlflow"
    assert where_to_look("sqlite:////a/mlflow.db") == "sqlite:////a/mlflow.db"
    assert where_to_look("http://me:secret@mlflow.example") == f"http://mlflow.example/#/experiments{view}"
