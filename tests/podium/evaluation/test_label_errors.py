from pathlib import Path

import numpy as np
import pytest

from podium.datasets.validation.quarantine import load_review
from podium.evaluation.label_errors import MAX_SUSPECTS, class_thresholds, find_suspects, list_suspects
from podium.paths import REVIEW_COLUMNS
from tests.podium.evaluation.failing import make_predictions


def test_planted_label_errors_are_found_the_surest_first() -> None:
    labels = np.arange(30) % 3
    predicted, confidence = labels.copy(), np.full(30, 0.9)
    predicted[[4, 20]] = 0
    confidence[[4, 20]] = 0.95, 0.97
    lines, count = list_suspects("animals", [make_predictions(labels, predicted, confidence)])
    assert count == 2
    assert lines["id"].tolist() == ["image-20", "image-4"]
    assert lines["note"].tolist()[1] == "the label is dog, the model says cat: 0.950 against 0.025"


def test_an_error_of_which_the_model_is_less_sure_than_usual_is_no_label_error() -> None:
    labels = np.arange(30) % 3
    predicted = labels.copy()
    predicted[4] = 0
    confidence = np.full(30, 0.9)
    confidence[4] = 0.5
    assert list_suspects("animals", [make_predictions(labels, predicted, confidence)])[1] == 0


def test_the_lines_are_those_of_the_review_file(tmp_path: Path) -> None:
    splits = [make_predictions([0, 0, 1, 1], [0, 1, 1, 1], 0.9), make_predictions([2, 0, 0], [1, 0, 0], 0.95)]
    lines, _ = list_suspects("animals", splits)
    lines.to_csv(tmp_path / "review.csv", index=False)
    assert [*lines.columns] == REVIEW_COLUMNS
    review = load_review(tmp_path / "review.csv", "animals")
    assert review["id"].tolist() == ["image-0", "image-1"]
    assert set(review["decision"]) == {"leave_out"}
    assert review["sha256"].str.len().eq(64).all()


def test_more_than_a_person_looks_through_are_counted_not_listed() -> None:
    labels = np.zeros(1_000, np.int64)
    labels[:500] = 1
    lines, count = list_suspects("animals", [make_predictions(labels, np.ones(1_000, np.int64))])
    assert (len(lines), count) == (MAX_SUSPECTS, 500)


def test_a_class_without_images_is_no_likely_class() -> None:
    thresholds = class_thresholds([make_predictions([0, 1], [0, 2])])
    assert np.isinf(thresholds[2])
    assert list_suspects("animals", [make_predictions([0, 1], [0, 2])])[1] == 0


def test_a_model_that_knows_nothing_suspects_nobody() -> None:
    labels = np.arange(60) % 3
    assert list_suspects("animals", [make_predictions(labels, np.zeros(60, np.int64), 0.4)])[1] == 0


def test_nothing_is_suspected_where_all_is_right() -> None:
    lines, count = list_suspects("animals", [make_predictions([0, 1, 2], [0, 1, 2])])
    assert (len(lines), count) == (0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_is_what_the_definition_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, probabilities = random.integers(0, 4, 200), random.dirichlet(np.ones(4), 200).astype(np.float32)
    thresholds = class_thresholds([make_predictions(labels, labels, 0.25, classes="abcd", probabilities=probabilities)])
    means = [probabilities[labels == label, label].mean() for label in range(4)]
    np.testing.assert_allclose(thresholds, np.maximum(means, 0.5), atol=1e-6)
    expected = []
    for label, row in zip(labels, probabilities, strict=True):
        meant = [one for one in range(4) if row[one] >= thresholds[one]]
        likely = max(meant, key=lambda one: row[one], default=label)
        expected.append(likely if likely != label and row.argmax() != label else -1)
    assert find_suspects(labels, probabilities, thresholds).tolist() == expected
