from dataclasses import replace
from typing import Any

import pytest

from podium.config.gates import Gate
from podium.registry.gate import decide
from podium.registry.gate.floors import check_floors
from tests.podium.registry.gate.making import CHAMPIONS, OWN, context, pairs


def holds(rules: Gate, **own: Any) -> dict[str, bool | None]:
    return {one.name: one.holds for one in check_floors(rules, context(measures=replace(OWN, **own)))}


@pytest.mark.parametrize(
    ("rules", "own", "floor", "expected"),
    [
        (Gate(), {}, "servable", True),
        (Gate(), {"fault": "It answers other probabilities."}, "servable", False),
        (Gate(minimum={"accuracy": 0.95}), {}, "minimum accuracy", True),
        (Gate(minimum={"accuracy": 0.951}), {}, "minimum accuracy", False),
        (Gate(minimum={"loss": 0.2}), {}, "maximum log loss", True),
        (Gate(minimum={"loss": 0.19}), {}, "maximum log loss", False),
        (Gate(minimum={"mean_iou": 0.5}), {}, "minimum mean IoU", False),
        (Gate(minimum={"accuracy": 0.1}), {"metrics": {"accuracy": float("nan")}}, "minimum accuracy", False),
        (Gate(), {"ece": 0.9}, "calibration error", None),
        (Gate(maximum_ece=0.02), {}, "calibration error", True),
        (Gate(maximum_ece=0.01), {}, "calibration error", False),
        (Gate(maximum_ece=0.01), {"ece": None}, "calibration error", False),
        (Gate(), {"model_bytes": 10**12}, "size", None),
        (Gate(size=1.5), {"model_bytes": 7_500_000}, "size", True),
        (Gate(size=1.5), {"model_bytes": 7_500_001}, "size", False),
        (Gate(size=1.5), {"model_bytes": 7_500_000, "machine": "another"}, "size", True),
        (Gate(latency=2.0), {"p95_ms": 8.0}, "latency", True),
        (Gate(latency=2.0), {"p95_ms": 8.1}, "latency", False),
        (Gate(latency=2.0), {"p95_ms": 8.1, "machine": "another"}, "latency", None),
        (Gate(latency=2.0), {"p95_ms": None}, "latency", None),
        (Gate(memory=1.0), {"peak_mb": 301.0}, "memory", False),
    ],
)
def test_a_floor_holds_or_not_or_is_not_known(
    rules: Gate, own: dict[str, Any], floor: str, expected: bool | None
) -> None:
    assert holds(rules, **own)[floor] is expected


@pytest.mark.parametrize("champion", [None, replace(CHAMPIONS, p95_ms=None), replace(CHAMPIONS, machine="")])
def test_a_champion_of_which_nothing_is_known_forbids_nothing_and_that_is_said(champion: Any) -> None:
    found = {one.name: one for one in check_floors(Gate(latency=1.0), context(champion_measures=champion))}
    assert found["latency"].holds is None
    assert "of which nothing is known on this machine" in found["latency"].limit


def test_all_floors_that_fail_are_named_and_nothing_is_compared() -> None:
    rules = Gate(minimum={"accuracy": 0.99}, size=1.0, latency=1.0)
    decision = decide(pairs(90, 0, 10), rules, context(measures=replace(OWN, model_bytes=9_000_000)))
    assert (decision.verdict, decision.ground, decision.test, decision.spent) == ("keep", "floor", None, 0)
    assert "minimum accuracy: 0.95 (asked: at least 0.99)" in decision.reason
    assert "size: 9 MB (asked: at most 5 MB, 1 times the champion's)" in decision.reason
    assert "latency" not in decision.reason


def test_the_first_champion_needs_the_floors() -> None:
    assert decide(None, Gate(), context(champion=None, champion_measures=None)).ground == "first"
    failed = decide(None, Gate(minimum={"accuracy": 0.99}), context(champion=None, champion_measures=None))
    assert (failed.verdict, failed.ground) == ("keep", "floor")
    assert failed.reason.endswith("There is no champion yet.")
