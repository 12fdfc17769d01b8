"""The tables of a candidate's figures."""

import pytest

from flows.artifacts import COMPARED_METRICS, list_figures

pytestmark = pytest.mark.slow  # it imports Prefect

FIGURES = {key: number / 8 for number, key in enumerate(COMPARED_METRICS)}


def test_every_split_has_its_row() -> None:
    metrics = {"validation": FIGURES | {"box_mse": 0.1}, "test": FIGURES, "test_clean": FIGURES | {"pictures": 7.0}}
    assert list_figures(metrics) == [{"split": split, **FIGURES} for split in metrics]


def test_several_seeds_have_their_mean_and_deviation() -> None:
    repeats = {
        f"{split}_{key}_{end}": value + more
        for split, more in (("validation", 1), ("test", 2))
        for key, value in FIGURES.items()
        for end in ("mean", "std")
    }
    rows = list_figures({"validation": FIGURES, "test": FIGURES, "repeats": repeats | {"seeds": 3.0}})
    assert [row["split"] for row in rows] == [
        *("validation", "test"),
        *("validation, mean of 3 seeds", "validation, standard deviation of 3 seeds"),
        *("test, mean of 3 seeds", "test, standard deviation of 3 seeds"),
    ]
    assert [row["accuracy"] for row in rows] == [0, 0, 1, 1, 2, 2]
