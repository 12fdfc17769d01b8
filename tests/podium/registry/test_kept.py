"""A decision's file: written, read again, and refused where it is none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from podium.config import Gate
from podium.errors import PodiumError
from podium.registry import decision as parts
from podium.registry.decision import Context, Decision, Floor, Harm, Measures
from podium.registry.kept import DECISION, MAX_BYTES, KeptDecision, load_kept

TEST = parts.Test("accuracy", 0.9, 0.95, 0.05, 0.01, None, 0.001, 0.03, 100, 90, 7, 2, None, "Tango; McNemar mid-p")
KEPT = KeptDecision(
    dataset="digits",
    number=3,
    challenger_version="2",
    challenger_run="b" * 32,
    champion_version="1",
    champion_run="a" * 32,
    rules=Gate(minimum={"accuracy": 0.5}, latency=1.5),
    context=Context("digits-cnn", "digits-dense (version 1)", Measures({"accuracy": 0.95}), Measures({}), number=2),
    decision=Decision(
        "promote",
        "better",
        "It is.",
        TEST,
        (Harm("one", 0.5, 0.25, 4, 0.2, shown=False),),
        (Floor("a", "b", "c", None),),
    ),
    who="ada@lovelace",
    when="2026-05-01T12:00:00+00:00",
)


@pytest.mark.parametrize("champion", ["1", None])
def test_a_kept_decision_is_read_as_it_was_written(tmp_path: Path, champion: str | None) -> None:
    kept = replace(KEPT, champion_version=champion, champion_run=champion and "a" * 32)
    kept.save(tmp_path)
    assert load_kept(tmp_path) == kept
    assert json.loads((tmp_path / DECISION).read_text())["journal"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no"),
        ("{", "holds no decision"),
        ("[]", "holds no decision"),
        ('{"format": 2}', "its format is 2, expected 1"),
        ('{"format": 1}', "holds no decision"),
        ("[" * 100_000, "holds no decision"),
        (" " * (MAX_BYTES + 1), "Expected at most"),
    ],
)
def test_what_is_no_decision_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / DECISION).write_text(text)
    with pytest.raises(PodiumError, match=message):
        load_kept(tmp_path)


def test_rules_that_are_none_are_refused(tmp_path: Path) -> None:
    KEPT.save(tmp_path)
    content = json.loads((tmp_path / DECISION).read_text())
    content["rules"]["error"] = 2
    (tmp_path / DECISION).write_text(json.dumps(content))
    with pytest.raises(PodiumError, match="holds no decision"):
        load_kept(tmp_path)
