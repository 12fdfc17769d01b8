"""How two builds of a candidate are told apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from podium.errors import PodiumError
from podium.evaluation.predictions import Predictions
from podium.paths import CandidatePaths
from podium.registry.proof.likeness import TOLERANCE, Distance, compare_outputs, measure_distance
from podium.registry.proof.reproduce import Reproduction
from podium.workspace.lock import Output

PLACES = CandidatePaths("a", "digits")
MODEL, COST = PLACES.model, PLACES.reports / "cost.json"


def outputs(**digests: str) -> dict[str, dict[Path, Output]]:
    paths = {"model": MODEL, "cost": COST, "page": PLACES.reports.parent / "validation/index.html"}
    return {"train@a": {paths[name]: Output(paths[name], digest) for name, digest in digests.items()}}


def predictions(**changes: object) -> Predictions:
    said = np.array([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]], np.float32)
    known = {
        "ids": np.array(["x", "y", "z"]),
        "labels": np.array([0, 1, 1]),
        "probabilities": said,
        "groups": np.arange(3),
        "digests": np.array(["1", "2", "3"]),
        "classes": ("no", "yes"),
        "shape": (8, 8, 1),
    }
    return Predictions(**(known | changes))  # type: ignore[arg-type]


def made(*, model: str = "1", distance: Distance | None = None, excused: bool = False) -> Reproduction:
    compared = compare_outputs(outputs(model="1", cost="1"), outputs(model=model, cost="2"), PLACES)
    return Reproduction("digits/1", (), tuple(compared), distance, excused)


def test_equal_digests_are_the_same_bytes_and_reports_with_times_need_not_be() -> None:
    (one, other) = compare_outputs(outputs(model="1", cost="1"), outputs(model="1", cost="2"), PLACES)
    assert {one.path: one.same, other.path: other.same} == {MODEL: True, COST: None}
    (page,) = compare_outputs(outputs(page="1"), outputs(page="2"), PLACES)
    assert page.same is False  # the page of a validation holds no times


def test_an_output_that_one_of_the_two_lacks_is_another() -> None:
    (lost,) = compare_outputs(outputs(model="1"), {"train@a": {}}, PLACES)
    (new,) = compare_outputs({}, outputs(model="1"), PLACES)
    assert (lost.same, lost.text, new.same, new.text) == (False, "not made now", False, "not made then")


def test_a_distance_says_how_far_and_how_many_classes() -> None:
    said = np.array([[0.7, 0.3], [0.2, 0.8], [0.4, 0.6]], np.float32)
    found = measure_distance({"test": predictions()}, {"test": predictions(probabilities=said)})
    assert (found.images, found.changed) == (3, 1)
    assert found.largest == pytest.approx(0.2)
    assert found.accuracies == {"test": (pytest.approx(2 / 3), 1.0)}
    assert found.text == (
        "probabilities differ by at most 0.2, 1 of 3 images have another class; test accuracy 0.6667 then, 1.0000 now"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ids": np.array(["x", "y", "w"])}, "other images"),
        ({"digests": np.array(["1", "2", "4"])}, "other images"),
        ({"classes": ("no", "maybe")}, "different classes"),
    ],
)
def test_other_images_and_classes_have_no_distance(change: dict[str, object], why: str) -> None:
    with pytest.raises(PodiumError, match=why):
        measure_distance({"test": predictions()}, {"test": replace(predictions(), **change)})  # type: ignore[arg-type]
    with pytest.raises(PodiumError, match="splits"):
        measure_distance({"test": predictions()}, {"validation": predictions()})


NEAR = Distance(100, TOLERANCE, 0, {"test": (0.9, 0.9)})
FAR = Distance(100, 2 * TOLERANCE, 0, {"test": (0.9, 0.9)})
OTHER = Distance(100, TOLERANCE, 1, {"test": (0.9, 0.91)})


@pytest.mark.parametrize(
    ("model", "distance", "excused", "verdict", "holds", "said"),
    [
        ("1", NEAR, False, "identical", True, "all 2 outputs have the same bytes, but for 1 that hold times"),
        ("2", NEAR, True, "close", True, "within the tolerance of 0.001: 1 of 2 outputs have other bytes"),
        ("2", NEAR, False, "close", False, "in the same circumstances the same bytes were expected"),
        ("2", FAR, True, "apart", False, "is not what was built now: 1 of 2 outputs have other bytes"),
        ("2", OTHER, True, "apart", False, "test accuracy 0.9000 then, 0.9100 now"),
        ("2", None, True, "apart", False, "the images are others"),
    ],
)
def test_the_promise_is_the_same_bytes_in_the_same_circumstances_else_the_tolerance(
    model: str, distance: Distance | None, excused: bool, verdict: str, holds: bool, said: str
) -> None:
    one = made(model=model, distance=distance, excused=excused)
    assert (one.verdict, one.holds) == (verdict, holds)
    assert said in one.text
