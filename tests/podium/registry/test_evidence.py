"""Which images count when two models are compared."""

from dataclasses import replace

import numpy as np
import pytest

from podium.errors import PodiumError
from podium.registry.evidence import Seen, append_predictions, find_unpredicted, make_pairs
from tests.challenges import digest, predict

NAMES = ["a", "b", "c", "d", "e"]
NOBODY: dict[str, Seen] = {}


def seen(*names: str, alike: tuple[str, ...] = ()) -> Seen:
    return Seen(frozenset(map(digest, names)), frozenset(map(digest, alike)))


def test_two_models_speak_of_the_same_images_in_one_order() -> None:
    champion, challenger = predict(2, names=NAMES[::-1], labels=[1, 0, 2, 1, 0]), predict(4, names=NAMES)
    pairs, left_out = make_pairs(champion, challenger, NOBODY)
    assert pairs is not None
    assert sorted(pairs.ids) == NAMES
    assert left_out == {}
    by_id = {name: place for place, name in enumerate(pairs.ids)}
    assert [pairs.labels[by_id[name]] for name in NAMES] == [0, 1, 2, 0, 1]
    right = {name: bool(pairs.challenger.predicted[row] == pairs.labels[row]) for name, row in by_id.items()}
    assert right == {"a": True, "b": True, "c": True, "d": True, "e": False}
    assert pairs.challenger.losses[by_id["a"]] == pytest.approx(-np.log(0.8))
    assert np.isnan(pairs.champion.overlaps).all()


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (
            {"champion": seen("a"), "challenger": seen("a", "b")},
            {"trained on by the champion": 1, "trained on by the challenger": 1},
        ),
        (
            {"champion": seen("a", alike=("c",))},
            {
                "trained on by the champion": 1,
                "near-duplicate of an image that the champion was trained on": 2,
            },
        ),
        ({"challenger": seen("x", alike=("a",))}, {"near-duplicate of an image that the challenger was trained on": 1}),
        ({"champion": seen("x")}, {}),
    ],
)
def test_what_a_model_has_seen_does_not_count(who: dict[str, Seen], expected: dict[str, int]) -> None:
    groups = [0, 0, 1, 2, 3]  # b is a near-duplicate of a
    if "challenger" in who:
        groups = [0, 1, 2, 3, 4]
    models = [predict(right, names=NAMES, groups=groups) for right in (2, 4)]
    pairs, left_out = make_pairs(models[0], models[1], who)
    assert left_out == expected
    assert pairs is not None
    assert len(pairs) == len(NAMES) - sum(expected.values())


def test_what_the_champion_does_not_predict_or_has_another_label_does_not_count() -> None:
    champion = predict(2, names=["a", "b", "c", "x"], labels=[0, 1, 0, 0])
    pairs, left_out = make_pairs(champion, predict(4, names=NAMES), NOBODY)
    assert pairs is not None
    assert (sorted(pairs.ids), left_out) == (
        ["a", "b"],
        {"not predicted by the champion": 2, "labelled differently": 1},
    )


def test_an_image_with_the_same_name_and_another_content_is_another_image() -> None:
    challenger = predict(4, names=NAMES)
    other = replace(challenger, digests=np.array([digest(f"new {name}") for name in NAMES]))
    assert make_pairs(other, challenger, NOBODY) == (None, {"not predicted by the champion": 5})


def test_nothing_is_left_where_everything_was_trained_on() -> None:
    some = predict(2, names=NAMES)
    assert make_pairs(some, some, {"champion": seen(*NAMES)}) == (None, {"trained on by the champion": 5})


def test_near_duplicates_of_either_are_one_group() -> None:
    one, other = predict(2, names=NAMES, groups=[0, 0, 1, 2, 3]), predict(2, names=NAMES, groups=[0, 1, 1, 2, 3])
    pairs, _ = make_pairs(one, other, NOBODY)
    assert pairs is not None
    assert len({*pairs.groups[:3].tolist()}) == 1
    assert len({*pairs.groups.tolist()}) == 3


def test_models_of_other_classes_are_not_compared() -> None:
    with pytest.raises(PodiumError, match="have other classes"):
        make_pairs(predict(2, classes=("zero", "one")), predict(2), NOBODY)


def test_images_of_other_sizes_are_compared_by_what_is_predicted() -> None:
    pairs, _ = make_pairs(predict(40, side=28), predict(60, side=8), NOBODY)
    assert pairs is not None
    assert len(pairs) == 120


def test_further_predictions_have_groups_of_their_own() -> None:
    some, further = predict(1, names=["a", "b"]), predict(1, names=["c", "d"])
    whole = append_predictions(some, further)
    assert whole.ids.tolist() == ["a", "b", "c", "d"]
    assert len({*whole.groups.tolist()}) == 4
    assert append_predictions(None, further) is further
    assert find_unpredicted(some, whole).tolist() == [False, False, True, True]
    assert find_unpredicted(None, some).all()
