from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from podium.evaluation.learning_curve import LearningCurve, extrapolate, fit_power_law

SIZES = np.array([100, 200, 500, 1000])
VALIDATION = 600
ALONE = np.arange(VALIDATION)


def power_law(images: np.ndarray, limit: float, loss: float, exponent: float) -> np.ndarray:
    return limit - loss * (images / 1000) ** -exponent


def make_curve(
    limit: float, loss: float, exponent: float, seed: int = 0, validation: int = VALIDATION
) -> LearningCurve:
    """Train at random: images have a difficulty, seeds differ a little, and each image is right by luck or not."""
    random = np.random.default_rng(seed)
    difficulty = random.uniform(size=validation)
    runs = []
    for images in SIZES:
        for number in range(3):
            skill = power_law(images, limit, loss, exponent) + random.normal(0, 0.005)
            runs.append((int(images), images / 1000, number, difficulty + random.normal(0, 0.03, validation) < skill))
    return LearningCurve.of(runs)


@pytest.mark.parametrize(("limit", "loss", "exponent"), [(0.9, 0.1, 0.5), (0.95, 0.05, 1.2), (0.85, 0.2, 0.25)])
def test_a_law_without_noise_is_found_as_scipy_finds_it(limit: float, loss: float, exponent: float) -> None:
    accuracies = power_law(SIZES, limit, loss, exponent)
    weights = np.arange(1, 5) / 4
    ours = fit_power_law(SIZES, accuracies[None], weights[None])
    theirs, _ = curve_fit(
        power_law, SIZES, accuracies, p0=(0.8, 0.1, 0.6), sigma=weights**-0.5, bounds=([0, 0, 0.05], [1, 1, 2])
    )
    further = np.array([100.0, 1000.0, 2000.0])
    np.testing.assert_allclose(ours(further)[0], power_law(further, *theirs), atol=2e-3)
    np.testing.assert_allclose(ours(further)[0], power_law(further, limit, loss, exponent), atol=2e-3)


def test_noise_is_fitted_no_worse_than_by_scipy() -> None:
    random = np.random.default_rng(0)
    weights = np.arange(1, 5) / 4
    for _ in range(10):
        accuracies = power_law(SIZES, 0.9, 0.1, 0.5) + random.normal(0, 0.01, 4)
        theirs, _ = curve_fit(
            power_law, SIZES, accuracies, p0=(0.9, 0.1, 0.5), sigma=weights**-0.5, bounds=([0, 0, 0.05], [1, 1, 2])
        )
        ours = fit_power_law(SIZES, accuracies[None], weights[None])(SIZES.astype(float))[0]
        errors = [(weights * (some - accuracies) ** 2).sum() for some in (ours, power_law(SIZES, *theirs))]
        assert errors[0] <= errors[1] + 1e-5


@pytest.mark.parametrize(
    "accuracies", [[0.9, 0.8, 0.7, 0.6], [0.5, 0.5, 0.5, 0.5], [0.97, 0.99, 1.0, 1.0], [0.1, 0.4, 0.8, 1.0]]
)
def test_a_curve_never_falls_and_never_ends_above_one(accuracies: list[float]) -> None:
    law = fit_power_law(SIZES, np.array([accuracies]), np.ones((1, 4)))
    values = law(np.geomspace(100, 2000, 20))[0]
    assert (np.diff(values) >= -1e-12).all()
    assert values[-1] <= 1


def test_the_gain_lies_in_its_band_and_the_band_in_the_curve() -> None:
    truth = power_law(2000, 0.9, 0.1, 0.5) - power_law(1000, 0.9, 0.1, 0.5)
    inside = []
    for seed in range(8):
        found = extrapolate(make_curve(0.9, 0.1, 0.5, seed), ALONE)
        assert found is not None
        inside.append(found["gain"]["low"] <= truth <= found["gain"]["high"])
        for point in found["curve"]:
            assert point["low"] <= point["value"] <= point["high"]
    assert sum(inside) >= 7


def test_it_goes_no_further_than_to_twice_the_images() -> None:
    found = extrapolate(make_curve(0.9, 0.1, 0.5), ALONE)
    assert found is not None
    assert [found["curve"][place]["images"] for place in (0, -1)] == [100, 2000]
    assert found["doubled"] == found["curve"][-1]
    gain = found["gain"]
    assert found["text"] == (
        f"Twice as many images would bring about {100 * gain['value']:.1f} points "
        f"({100 * gain['low']:.1f} to {100 * gain['high']:.1f})."
    )


def test_images_that_are_alike_widen_the_band() -> None:
    curve = make_curve(0.9, 0.1, 0.5)
    tens = np.argsort(np.argsort(curve.hits.mean(axis=0), kind="stable")) // 10  # alike ones are right together
    widths = []
    for groups in (ALONE, tens):
        found = extrapolate(curve, groups)
        assert found is not None
        widths.append(found["doubled"]["high"] - found["doubled"]["low"])
    assert widths[1] > 2 * widths[0]


def test_the_same_runs_give_the_same_words() -> None:
    assert extrapolate(make_curve(0.9, 0.1, 0.5), ALONE) == extrapolate(make_curve(0.9, 0.1, 0.5), ALONE)


@pytest.mark.parametrize("hits", [np.ones((12, 30), bool), np.zeros((12, 30), bool), np.ones((12, 1), bool)])
def test_where_all_or_nothing_is_right_more_images_bring_nothing(hits: np.ndarray) -> None:
    curve = LearningCurve.of(
        [(int(size), size / 1000, 0, one) for size, one in zip(np.repeat(SIZES, 3), hits, strict=True)]
    )
    found = extrapolate(curve, np.arange(hits.shape[1]))
    assert found is not None
    assert found["text"] == "Twice as many images would bring about 0.0 points (0.0 to 0.0)."


def test_two_sizes_are_no_curve_and_it_is_said() -> None:
    curve = LearningCurve.of(
        [(2, 0.1, 0, np.ones(3, bool)), (2, 0.2, 0, np.ones(3, bool)), (4, 1.0, 0, np.ones(3, bool))]
    )
    assert extrapolate(curve, np.arange(3)) is None
    assert "so small" in curve.reason


def test_where_there_is_none_the_table_is_empty(tmp_path: Path) -> None:
    curve = LearningCurve.missing("The model is another.")
    curve.save(tmp_path / "curve.csv")
    assert (tmp_path / "curve.csv").read_text() == "images,share,seed,accuracy\n"
    assert extrapolate(curve, np.arange(3)) is None


def test_the_table_has_a_row_a_run(tmp_path: Path) -> None:
    curve = make_curve(0.9, 0.1, 0.5)
    curve.save(tmp_path / "curve.csv")
    table = pd.read_csv(tmp_path / "curve.csv")
    assert table["images"].tolist() == np.repeat(SIZES, 3).tolist()
    assert table["seed"].tolist() == [0, 1, 2] * 4
    np.testing.assert_allclose(table["accuracy"], curve.hits.mean(axis=1), atol=1e-6)
