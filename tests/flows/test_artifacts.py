"""The tables of a candidate's figures."""

import pytest

from flows.artifacts import SHOWN_METRICS, describe_accuracy, list_figures
from podium.tracking import Result

pytestmark = pytest.mark.slow  # it imports Prefect


def test_every_split_has_its_row_and_every_figure_its_interval() -> None:
    figures = {
        **{f"{split}/accuracy{end}": 0.5 for split in ("validation", "test") for end in ("", "/low", "/high")},
        **{"test/loss": 0.25, "test_clean/accuracy": 0.75, "test_clean/images": 7.0, "test/box_mse": 0.125},
    }
    assert list_figures(figures) == [
        {"split": "validation", "accuracy": "0.5000 (0.500 to 0.500)", "loss": ""},
        {"split": "test", "accuracy": "0.5000 (0.500 to 0.500)", "loss": "0.2500"},
        {"split": "test_clean", "accuracy": "0.7500", "loss": ""},
    ]


def test_several_seeds_have_their_mean_and_deviation() -> None:
    figures = {f"{split}/{name}": 0.5 for split in ("validation", "test") for name in SHOWN_METRICS}
    for number, split in enumerate(("validation", "test")):
        figures |= {f"repeats/{split}_accuracy_mean": number, f"repeats/{split}_accuracy_std": number / 8}
    rows = list_figures(figures | {"repeats/seeds": 3.0})
    assert [(row["split"], row["accuracy"], row["loss"]) for row in rows] == [
        ("validation", "0.5000", "0.5000"),
        ("test", "0.5000", "0.5000"),
        ("validation, mean of 3 seeds", "0.0000", ""),
        ("validation, standard deviation of 3 seeds", "0.0000", ""),
        ("test, mean of 3 seeds", "1.0000", ""),
        ("test, standard deviation of 3 seeds", "0.1250", ""),
    ]


@pytest.mark.parametrize(
    ("metrics", "repeats", "expected"),
    [
        ({}, {}, "0.5000"),
        ({"accuracy_low": 0.25, "accuracy_high": 0.75}, {}, "0.5000 (0.250–0.750)"),
        ({}, {"seeds": 3.0, "test_accuracy_std": 0.125}, "0.5000 (± 0.1250 over 3 seeds)"),
        (
            {"accuracy_low": 0.25, "accuracy_high": 0.75},
            {"seeds": 3.0, "test_accuracy_std": 0.125},
            "0.5000 (0.250–0.750; ± 0.1250 over 3 seeds)",
        ),
    ],
)
def test_an_accuracy_is_told_with_what_is_known_of_its_error(
    metrics: dict[str, float], repeats: dict[str, float], expected: str
) -> None:
    whole = {"test": {"accuracy": 0.5} | metrics} | ({"repeats": repeats} if repeats else {})
    assert describe_accuracy(Result("dense", "", "", whole, "", is_new=True), "test") == expected
