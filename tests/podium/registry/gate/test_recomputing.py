"""A kept decision, decided again; and files of strangers."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from podium.config.gates import Gate, Metric
from podium.errors import PodiumError
from podium.registry.decision import Context, Decision, Pairs, read_decision, save_pairs, to_dict
from podium.registry.gate import decide, recompute, recomputing
from tests.podium.registry.gate.making import OWN, context, draw, pairs


def keep(folder: Path, some: Pairs | None, rules: Gate, now: Context, changed: Any = None) -> Decision:
    """Write a decision as it is kept; `changed` replaces parts of its JSON."""
    decision = decide(some, rules, now)
    whole = {"format": 1, "dataset": "digits", "rules": asdict(rules), "context": to_dict(now), "journal": 3}
    whole |= {"decision": to_dict(decision), "challenger": {"version": "4", "run_id": "…"}, "champion": None}
    (folder / "decision.json").write_text(json.dumps(whole | (changed or {})))
    if some is not None:
        save_pairs(some, folder / "pairs.parquet")
    return decision


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy"])
def test_a_kept_decision_comes_out_again_to_the_last_digit(tmp_path: Path, metric: Metric) -> None:
    rules = Gate(metric=metric, margin=0.02, minimum={"accuracy": 0.5}, maximum_ece=0.5)
    now = context(number=2, candidates=3, epochs=9, newer_data=True, left_out={"labelled differently": 3})
    decision = keep(tmp_path, draw(1, most_alike=4, ahead=0.1), rules, now)
    assert recompute(tmp_path) == decision
    assert read_decision(json.loads((tmp_path / "decision.json").read_text())["decision"]) == decision


@pytest.mark.parametrize(
    ("some", "rules", "now"),
    [
        (None, Gate(), context(champion=None, champion_measures=None)),
        (None, Gate(), context(incomparable="It is gone.")),
        (None, Gate(minimum={"accuracy": 0.99}), context()),
        (pairs(9, 1, 0), Gate(), context(measures=replace(OWN, fault="It does not load."))),
        (pairs(9, 1, 0), Gate(), context(measures=replace(OWN, metrics={"loss": float("nan")}))),
    ],
    ids=["first", "incomparable", "floor", "servable", "not a number"],
)
def test_so_does_one_without_a_comparison(tmp_path: Path, some: Pairs | None, rules: Gate, now: Context) -> None:
    decision = keep(tmp_path, some, rules, now)
    assert recompute(tmp_path) == decision


def test_a_decision_that_was_written_by_hand_does_not_come_out_again(tmp_path: Path) -> None:
    forged = to_dict(decide(pairs(90, 5, 400), Gate(), context()))
    keep(tmp_path, pairs(5, 90, 400), Gate(), context(), {"decision": forged})
    assert recompute(tmp_path).verdict == "keep"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": 2}, "its format is not 1"),
        ({"rules": {"metric": "luck"}}, "its rules or its context"),
        ({"rules": asdict(Gate()) | {"code": "import os"}}, "its rules or its context"),
        ({"rules": None}, "its rules or its context"),
        ({"context": to_dict(context()) | {"number": "many"}}, "its rules or its context"),
        ({"context": to_dict(context()) | {"number": 0}}, "not from 1 to"),
        ({"context": to_dict(context()) | {"candidates": 10**400}}, "not from 1 to"),
        ({"context": to_dict(context()) | {"candidates": 10**9}}, "not from 1 to"),
        ({"context": to_dict(context()) | {"epochs": -3}}, "not from 1 to"),
        ({"context": to_dict(context()) | {"measures": []}}, "its rules or its context"),
        ({"context": {}}, "its rules or its context"),
    ],
)
def test_a_strange_decision_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    keep(tmp_path, pairs(9, 1, 90), Gate(), context(), changed)
    with pytest.raises(PodiumError, match=said):
        recompute(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\udcff"])
def test_what_is_no_decision_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "decision.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PodiumError, match="no decision that can be made again"):
        recompute(tmp_path)


def test_a_folder_without_a_decision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="that folder holds no decision"):
        recompute(tmp_path)


def _labels(some: Pairs, value: int) -> Pairs:
    return replace(some, labels=np.full(len(some), value))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda some: _labels(some, 4), "a class in it has no name"),
        (lambda some: _labels(some, -1), "a class in it has no name"),
        (lambda some: replace(some, classes=()), "it names no classes"),
        (lambda some: replace(some, classes=(3, 4, 5, 6)), "it names no classes"),
        (lambda some: replace(some, labels=some.labels.astype(np.float64)), "a class in it has no name"),
        (lambda some: replace(some, groups=some.groups / 2), "its groups are no whole numbers"),
        (
            lambda some: replace(some, champion=replace(some.champion, losses=np.full(100, np.inf))),
            "a loss or an overlap in it is no number that can be",
        ),
        (
            lambda some: replace(some, champion=replace(some.champion, overlaps=np.full(100, 1.5))),
            "a loss or an overlap in it is no number that can be",
        ),
        (lambda some: replace(some, ids=np.array(["x" * 5000] * 100)), "an id has more than 4,096 characters"),
    ],
)
def test_strange_pairs_are_refused(tmp_path: Path, spoil: Any, said: str) -> None:
    keep(tmp_path, pairs(9, 1, 90), Gate(), context())
    save_pairs(spoil(pairs(9, 1, 90)), tmp_path / "pairs.parquet")
    with pytest.raises(PodiumError, match=said):
        recompute(tmp_path)


def test_more_pairs_than_anybody_has_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, pairs(9, 1, 90), Gate(), context())
    monkeypatch.setattr(recomputing, "MOST_ROWS", 99)
    with pytest.raises(PodiumError, match="it has more than 99 rows"):
        recompute(tmp_path)


@pytest.mark.parametrize("content", ["no table", "other columns"])
def test_a_file_that_is_no_table_of_pairs_is_refused(tmp_path: Path, content: str) -> None:
    keep(tmp_path, pairs(9, 1, 90), Gate(), context())
    if content == "no table":
        (tmp_path / "pairs.parquet").write_text(content)
    else:
        parquet.write_table(pa.table({"id": ["a"], "number": [1]}), tmp_path / "pairs.parquet")
    with pytest.raises(PodiumError, match=r"pairs\.parquet"):
        recompute(tmp_path)
