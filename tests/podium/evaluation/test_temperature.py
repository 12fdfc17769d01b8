"""A temperature against scikit-learn's own, where there is one to find, and where there is none."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from podium.evaluation import temperature
from podium.evaluation.temperature import BOUNDS, LEAST_IMAGES, fit_temperature, with_temperature


def draw(count: int, classes: int, sharper: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels from a model's probabilities, and say what it would say if it were so much too sure."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, classes))
    shares = softmax(logits, axis=1)
    labels = (shares.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    return labels, softmax(sharper * logits, axis=1).astype(np.float32)


@pytest.mark.parametrize("sharper", [0.7, 1.0, 1.4, 3.0])
def test_what_was_done_to_a_model_is_found(sharper: float) -> None:
    labels, probabilities = draw(20_000, 10, sharper)
    assert fit_temperature(labels, probabilities) == pytest.approx(sharper, rel=0.03)


@pytest.mark.parametrize("count", [100, 3_000])
def test_with_two_classes_it_is_the_slope_of_a_logistic_regression_on_platts_targets(count: int) -> None:
    labels, probabilities = draw(count, 2, 2.0)
    logit = np.log(probabilities[:, 1] / probabilities[:, 0]).astype(np.float64)[:, None]
    doubt = 1 / (count + 2)
    oracle = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
    weights = np.repeat([1 - doubt, doubt], count)
    oracle.fit(np.concatenate([logit, logit]), np.concatenate([labels, 1 - labels]), sample_weight=weights)
    assert fit_temperature(labels, probabilities) == pytest.approx(1 / oracle.coef_[0, 0], abs=2e-4)


@pytest.mark.parametrize(("count", "classes"), [(100, 3), (2_000, 24)])
def test_where_all_images_are_right_it_does_not_make_a_model_certain(count: int, classes: int) -> None:
    labels = np.arange(count) % classes
    logits = np.where(np.arange(classes) == labels[:, None], 12.0, 0.0)
    probabilities = softmax(logits, axis=1).astype(np.float32)
    warmer = with_temperature(probabilities, fit_temperature(labels, probabilities))
    assert warmer.max(axis=1) == pytest.approx(1 - 1 / (count + 2), abs=1e-4)


def test_classes_that_are_out_of_the_question_do_not_matter() -> None:
    labels, probabilities = draw(60, 3, 2.0)
    more = np.full((60, 1000), 1e-30, np.float32)
    more[:, :3] = probabilities
    assert fit_temperature(labels, more) == pytest.approx(fit_temperature(labels, probabilities), rel=0.01)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        (np.arange(2), np.eye(2)),
        (np.zeros(LEAST_IMAGES - 1, np.int64), np.full((LEAST_IMAGES - 1, 2), 0.5)),
        (np.zeros(100, np.int64), np.ones((100, 1))),
    ],
    ids=["two images", "few images", "one class"],
)
def test_what_tells_nothing_leaves_it_at_1(labels: np.ndarray, probabilities: np.ndarray) -> None:
    assert fit_temperature(labels, probabilities.astype(np.float32)) == 1.0


@pytest.mark.parametrize("row", [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_any_answer_that_is_always_the_same_gives_one_within_the_bounds(row: list[float], label: int) -> None:
    probabilities = np.tile(np.array(row, np.float32), (50, 1))
    assert BOUNDS[0] <= fit_temperature(np.full(50, label), probabilities) <= BOUNDS[1]


def test_of_ten_thousand_classes_some_images_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    probabilities = softmax(random.normal(0, 3, (80, 10_000)).astype(np.float32), axis=1)
    labels = random.integers(0, 10_000, 80)
    whole = fit_temperature(labels, probabilities)
    monkeypatch.setattr(temperature, "_CELLS", 400_000)
    assert fit_temperature(labels, probabilities) == pytest.approx(whole, rel=0.2)


@pytest.mark.parametrize("degree", [0.5, 1.0, 2.5])
def test_a_temperature_divides_logits_and_can_be_taken_back(degree: float) -> None:
    _, probabilities = draw(50, 5, 1.0)
    changed = with_temperature(probabilities, degree)
    np.testing.assert_allclose(changed, np.exp(log_softmax(np.log(probabilities) / degree, axis=1)), rtol=1e-5)
    np.testing.assert_allclose(with_temperature(changed, 1 / degree), probabilities, rtol=1e-5)
    assert changed.dtype == np.float32
