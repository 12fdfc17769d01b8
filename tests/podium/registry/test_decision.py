import json
from pathlib import Path

import numpy as np
import pytest

from podium.errors import PodiumError
from podium.registry import decision as kept
from podium.registry.decision import Answers, Context, Decision, Floor, Harm, Measures, Pairs

TEST = kept.Test("accuracy", 0.9, 0.95, 0.05, 0.01, 0.09, 0.001, 0.03, 100, 90, 7, 2, None, "McNemar")


def make_pairs() -> Pairs:
    rng = np.random.default_rng(0)
    answers = [Answers(rng.integers(0, 3, 9), rng.random(9), np.full(9, np.nan)) for _ in "ab"]
    names = np.array([f"{place}.png" for place in range(9)])
    return Pairs(names, names, np.arange(9), rng.integers(0, 3, 9), ("a", "b", "c"), *answers)


@pytest.mark.parametrize(
    "decision",
    [
        Decision("promote", "first", "It is the first."),
        Decision("undecided", "too_few_images", "…", TEST, (Harm("a", 0.9, 0.8, 20, 0.2, False),), missing=90),
        Decision("keep", "floor", "…", floors=(Floor("latency", "9 ms", "at most 5 ms", False),), spent=0.01),
    ],
    ids=lambda one: one.ground,
)
def test_a_decision_comes_back_from_json_as_it_was(decision: Decision) -> None:
    assert kept.read_decision(json.loads(json.dumps(kept.to_dict(decision)))) == decision


@pytest.mark.parametrize("champion", [None, Measures({"accuracy": 0.5}, 0.01, 9, 1.5, 300.0, "a machine")])
def test_a_context_comes_back_from_json_as_it_was(champion: Measures | None) -> None:
    context = Context("cnn", "mlp (version 1)", Measures({"accuracy": 0.6}), champion, 3, 9, 2, True, "", {"gone": 4})
    assert kept.read_context(json.loads(json.dumps(kept.to_dict(context)))) == context


def test_pairs_come_back_as_they_were_and_the_same_ones_give_the_same_bytes(tmp_path: Path) -> None:
    pairs = make_pairs()
    for name in "ab":
        kept.save_pairs(pairs, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found = kept.load_pairs(tmp_path / "a")
    assert found.classes == pairs.classes
    for name in ("ids", "digests", "groups", "labels", "differ"):
        np.testing.assert_array_equal(getattr(found, name), getattr(pairs, name))
    for name in ("predicted", "losses", "overlaps"):
        np.testing.assert_array_equal(getattr(found.challenger, name), getattr(pairs.challenger, name))


def test_a_file_that_holds_no_pairs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.parquet").write_text("no table")
    with pytest.raises(PodiumError, match="does not hold the answers of two models"):
        kept.load_pairs(tmp_path / "pairs.parquet")
