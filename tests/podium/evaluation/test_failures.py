import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.evaluation.failures import MAX_ERRORS, MAX_HITS, MAX_PAIRS, Failures, conflicting_rows, find_failures
from podium.evaluation.predictions import Predictions
from podium.evaluation.reasons import MIN_IMAGES_FOR_FAR
from tests.podium.evaluation.failing import CLASSES, NOISE, WIDTH, make_features, make_predictions, make_training

TRAIN = np.arange(90) % 3
HELD = np.arange(60) % 3


def look(test: Predictions, features: np.ndarray, **changes: Any) -> Failures:
    """Look at test images beside a validation split that is all right."""
    keys = {
        "validation": make_predictions(HELD, HELD),
        "validation_features": make_features(HELD, seed=2, noise=NOISE),
        "training": make_training(TRAIN),
    }
    return find_failures(test, features, **(keys | changes))


def test_an_image_with_the_label_of_another_class_is_said_to_have_a_wrong_label() -> None:
    seen = np.array([0, 1, 2, 1])  # what is in the images
    failures = look(make_predictions([0, 1, 2, 0], seen, 0.95), make_features(seen))
    (error,) = failures.errors
    assert (error.row, error.actual, error.predicted, error.why) == (3, "cat", "dog", "label")
    assert error.text == (
        "The label may be wrong: the model is 95 % sure of dog, and the training images that it sees as most like this "
        "one are all dog."
    )
    assert [neighbour.label for neighbour in error.neighbours] == ["dog"] * 3
    assert failures.counts == {"wrong": 1, "near_duplicate": 0, "label": 1, "unlike_training": 0, "confusable": 0}


@pytest.mark.parametrize("confidence", [0.4, 0.85])
def test_a_model_that_is_less_sure_than_usual_does_not_doubt_a_label(confidence: float) -> None:
    failures = look(make_predictions([0], [1], confidence), make_features([1]))
    assert [error.why for error in failures.errors] == ["confusable"]


def test_nearest_images_of_another_class_do_not_speak_against_a_label() -> None:
    failures = look(make_predictions([0], [1], 0.95), make_features([0]))
    (error,) = failures.errors
    assert error.why == "confusable"
    assert error.text == "The model confuses these classes: it takes 1 of 1 images of cat for dog."


def test_a_near_duplicate_in_train_with_another_label_is_named_before_all() -> None:
    test = make_predictions([0, 0], [1, 1], 0.95, groups=np.array([4, 7]))
    training = make_training(TRAIN)
    failures = look(test, make_features([1, 1]), training=training)
    assert conflicting_rows(test, training.labels, training.groups) == [4, 7]
    assert [error.why for error in failures.errors] == ["near_duplicate"] * 2
    assert failures.errors[0].text == "Train has nearly the same image with another label, dog: train-4."


def test_a_near_duplicate_with_the_same_label_explains_nothing() -> None:
    test = make_predictions([1], [0], groups=np.array([4]))
    assert conflicting_rows(test, make_training(TRAIN).labels, np.arange(90)) == []
    assert look(test, make_features([1])).counts["near_duplicate"] == 0


def test_of_several_near_duplicates_the_one_with_the_predicted_label_is_named() -> None:
    groups = np.where(np.isin(np.arange(90), [1, 5, 8]), 77, np.arange(90))  # a dog, an owl, an owl
    test = make_predictions([0], [2], groups=np.array([77]))
    failures = look(test, make_features([0]), training=make_training(TRAIN, groups=groups))
    assert failures.errors[0].text.endswith("owl: train-5.")


def test_an_image_from_elsewhere_is_said_to_be_unlike_train() -> None:
    elsewhere = np.zeros((1, WIDTH), np.float32)
    elsewhere[0, 9] = 1  # no class has this direction
    failures = look(make_predictions([0], [1], 0.95), elsewhere)
    assert failures.errors[0].why == "unlike_training"
    assert failures.errors[0].text.startswith("Train has little that is like it: its distance to train, 1.")


def test_of_few_validation_images_nobody_can_tell_what_is_far() -> None:
    few = HELD[: MIN_IMAGES_FOR_FAR - 1]
    failures = look(
        make_predictions([0], [1]),
        -make_features([0]),
        validation=make_predictions(few, few),
        validation_features=make_features(few, seed=2, noise=NOISE),
    )
    assert failures.errors[0].why == "confusable"


def test_errors_come_the_surest_first_and_hits_the_most_doubtful_and_few_of_them() -> None:
    labels = np.zeros(100, np.int64)
    predicted, confidence = np.arange(100) % 2, np.linspace(0.5, 0.99, 100)
    failures = look(make_predictions(labels, predicted, confidence), make_features(labels))
    assert failures.error_rows.tolist() == [*range(99, 99 - 2 * MAX_ERRORS, -2)]
    assert [hit.row for hit in failures.hits] == [*range(0, 2 * MAX_HITS, 2)]
    assert {hit.why for hit in failures.hits} == {None}
    assert failures.hits[0].text == "Right, but the model is only 50 % sure."
    assert failures.counts["wrong"] == 50
    assert sum(failures.counts.values()) == 100  # each error has one reason


def test_the_most_confused_classes_come_first() -> None:
    failures = look(make_predictions([0, 0, 0, 1, 1, 2], [1, 1, 0, 0, 1, 0]), make_features([0] * 6))
    assert [(pair.actual, pair.predicted, pair.count, pair.share) for pair in failures.pairs] == [
        ("cat", "dog", 2, 0.6667),
        ("owl", "cat", 1, 1.0),
        ("dog", "cat", 1, 0.5),
    ]


@pytest.mark.parametrize("maps", [None, np.ones((1, 2, 7, 7), np.float16)])
def test_the_same_failures_are_the_same_bytes_whenever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maps: np.ndarray | None
) -> None:
    seen = []
    for day in (0, 3):
        failures = look(make_predictions([0, 1], [1, 1]), make_features([1, 1]))
        monkeypatch.setattr(time, "time", lambda day=day: 1.7e9 + 86_400 * day)
        failures.save(tmp_path, maps)
        seen.append([(tmp_path / name).read_bytes() for name in ("failures.json", "heat_maps.npz")])
    assert seen[0] == seen[1]
    content = json.loads(seen[0][0])
    assert set(content) == {"errors", "hits", "pairs", "counts", "reference"}
    assert content["errors"][0]["heat_map"] == (None if maps is None else 0)
    assert content["hits"][0]["heat_map"] is None
    assert content["reference"] == {"images": 90, "of": 90}
    with np.load(tmp_path / "heat_maps.npz", allow_pickle=False) as file:
        assert file["rows"].tolist() == ([] if maps is None else [0])
        assert file["maps"].dtype == np.float16


@pytest.mark.parametrize(
    ("labels", "predicted", "errors"), [([0, 1], [0, 1], 0), ([0, 1], [1, 0], 2), ([0, 0], [0, 0], 0), ([0], [1], 1)]
)
def test_a_test_split_of_one_or_two_images_has_what_it_has(
    labels: list[int], predicted: list[int], errors: int, tmp_path: Path
) -> None:
    two = make_predictions([0, 1], [0, 1])
    failures = look(
        make_predictions(labels, predicted),
        make_features(labels),
        validation=two,
        validation_features=make_features([0, 1], seed=2, noise=NOISE),
        training=make_training([0, 1]),
    )
    failures.save(tmp_path, None)
    assert (len(failures.errors), len(failures.hits)) == (errors, len(labels) - errors)
    assert all(len(item.neighbours) == 2 for item in failures.errors + failures.hits)


def test_a_validation_split_without_hits_gives_no_wrong_labels() -> None:
    failures = look(
        make_predictions([0], [1], 0.95), make_features([1]), validation=make_predictions(HELD, (HELD + 1) % 3)
    )
    assert failures.errors[0].why != "label"


def test_features_that_are_all_zero_are_like_nothing() -> None:
    failures = look(make_predictions([0], [1]), np.zeros((1, WIDTH), np.float32))
    assert {neighbour.similarity for neighbour in failures.errors[0].neighbours} == {0.0}


def test_ten_thousand_classes_take_no_longer_than_a_few() -> None:
    count, names = 400, [f"class {number}" for number in range(10_000)]
    labels = np.arange(count) * 25
    training = make_training(np.arange(10_000), features=np.ones((10_000, WIDTH), np.float32))
    test = make_predictions(labels, labels[::-1], classes=names)
    began = time.process_time()
    failures = look(
        test,
        np.ones((count, WIDTH), np.float32),
        validation=make_predictions(labels, labels, classes=names),
        validation_features=np.ones((count, WIDTH), np.float32),
        training=training,
    )
    assert time.process_time() - began < 5
    assert len(failures.pairs) == MAX_PAIRS
    assert failures.counts["wrong"] == count
    assert set(CLASSES).isdisjoint(pair.actual for pair in failures.pairs)
