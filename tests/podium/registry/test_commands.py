"""What people ask of the registry, in each state that it may be in."""

import argparse
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from podium.cli import history
from podium.config import Gate
from podium.errors import PodiumError
from podium.registry.commands import promote_version, read_history, recall, roll_back
from podium.registry.outcome import Outcome
from podium.registry.registry import Registry
from podium.tracking.names import WITHDRAWN, find_logged_model
from tests.challenges import Serving, describe_registry, make_result
from tests.podium.registry.test_promotion import actions, aliases, ask_for, challenge
from tests.trained import DATASET

pytestmark = pytest.mark.usefixtures("serving")
NOWHERE = Path("nowhere")


def ask(client: Any, name: str, *, rules: Gate | None = None, **further: Any) -> Outcome:
    return promote_version(client, ask_for(rules or Gate()), NOWHERE, name, **further)


def make_champions(client: MlflowClient, *rights: int) -> None:
    """Let results challenge one after the other; each that is better becomes champion."""
    for right in rights:
        challenge(client, make_result(client, "digits-cnn", right))


def test_a_waiting_version_is_promoted_by_name_at_no_cost(client: MlflowClient) -> None:
    rules = Gate(approval="person")
    challenge(client, make_result(client, "digits-dense", 60), rules=rules)
    outcome = ask(client, "digits/1", rules=rules)
    assert (outcome.promoted, aliases(client)) == (True, {"champion": "1"})
    challenge(client, make_result(client, "digits-cnn", 90), rules=rules)
    assert aliases(client) == {"champion": "1", "challenger": "2"}
    outcome = ask(client, "digits@challenger", rules=rules, why="read it")
    assert outcome.promoted
    assert "as decision 3 says" in outcome.reason
    assert aliases(client) == {"champion": "2", "previous": "1"}
    entry = read_history(client, DATASET)[-1].entry
    assert (entry.action, entry.why, entry.spent, entry.sketch) == ("approve", "read it", 0, ())
    version = client.get_model_version(DATASET, "2")
    assert version.description.startswith("**Promoted after its card was read**")
    assert "decision 3" in version.description


def test_a_waiting_version_is_decided_again_where_the_champion_has_changed(client: MlflowClient) -> None:
    rules = Gate(approval="person")
    make_champions(client, 40)
    challenge(client, make_result(client, "digits-dense", 60), rules=rules)
    make_champions(client, 90)
    outcome = ask(client, "digits/2", rules=rules)
    assert (outcome.promoted, outcome.decision.verdict) == (False, "keep")
    assert "digits-cnn (version 3)" in outcome.reason
    assert aliases(client) == {"champion": "3", "previous": "1"}


def test_what_the_gate_does_not_promote_needs_force_and_a_reason(client: MlflowClient) -> None:
    make_champions(client, 60, 50)
    assert "Nothing is new since decision 2" in ask(client, "digits/2").reason
    with pytest.raises(PodiumError, match="Expected a reason for a forced promotion"):
        ask(client, "digits/2", force=True, why=" ")
    with pytest.raises(PodiumError, match="Expected at most 1,000"):
        ask(client, "digits/2", force=True, why="x" * 1001)
    outcome = ask(client, "digits/2", force=True, why="it *is* better")
    assert (outcome.promoted, aliases(client)) == (True, {"champion": "2", "previous": "1"})
    entry = read_history(client, DATASET)[-1].entry
    assert (entry.action, entry.verdict, entry.why) == ("force", "keep", "it *is* better")
    assert "@" in entry.who
    version = client.get_model_version(DATASET, "2")
    assert "Promoted whatever the gate says" in version.description
    assert r"it \*is\* better" in version.description
    assert version.tags["podium.decision"] == "keep"


def test_a_forced_promotion_of_what_was_not_decided_before_is_decided_and_counted(client: MlflowClient) -> None:
    make_champions(client, 60, 50)
    make_champions(client, 90)
    ask(client, "digits/2", force=True, why="a test")
    forced = read_history(client, DATASET)[-1].entry
    assert (forced.action, forced.verdict, forced.champion_before) == ("force", "keep", "3")
    assert forced.spent > 0
    assert len(forced.sketch) == 120
    assert ask(client, "digits@champion").reason == "digits-cnn is the champion already (version 2)."


def test_a_rollback_goes_back_and_a_second_one_further(client: MlflowClient, serving: Serving) -> None:
    make_champions(client, 30, 60, 90)
    serving.asked.clear()
    assert roll_back(client, DATASET, "it was slow") == "digits/2 is champion again; digits/3 is not any more."
    assert aliases(client) == {"champion": "2", "previous": "1"}
    assert serving.asked == ["2"]
    assert client.get_model_version(DATASET, "2").description.startswith("**Made champion again by a rollback**")
    roll_back(client, DATASET)
    assert aliases(client) == {"champion": "1"}
    with pytest.raises(PodiumError, match="digits/1 has no champion before it"):
        roll_back(client, DATASET)


def test_a_rollback_to_what_does_not_serve_is_refused(client: MlflowClient, serving: Serving) -> None:
    make_champions(client, 30, 60)
    serving.faults["1"] = "It is broken."
    before = describe_registry(client)
    with pytest.raises(PodiumError, match=r"digits/1 does not serve: It is broken\. Nothing was moved.*--force --why"):
        roll_back(client, DATASET)
    assert describe_registry(client) == before


def test_a_rollback_passes_over_what_was_recalled(client: MlflowClient) -> None:
    make_champions(client, 30, 60, 90)
    recall(client, "digits/2", "its data was wrong")
    assert aliases(client) == {"champion": "3"}
    roll_back(client, DATASET)
    assert aliases(client) == {"champion": "1"}


@pytest.mark.parametrize("dataset", ["digits", "nothing", "it's"])
def test_what_has_no_champion_is_not_rolled_back(client: MlflowClient, dataset: str) -> None:
    if dataset == DATASET:
        challenge(client, make_result(client, "digits-dense", 9), rules=Gate(approval="person"))
    with pytest.raises(PodiumError, match=r"has no champion to go back from|MLflow has no model"):
        roll_back(client, dataset)
    with pytest.raises(PodiumError, match="MLflow has no model 'other'"):
        read_history(client, "other")


def test_a_recalled_version_says_so_wherever_it_is_asked_for(
    client: MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    make_champions(client, 30, 60)
    said = recall(client, "digits/2", "its data was wrong")
    assert "nothing is promoted in its place: `podium rollback digits`" in said
    assert aliases(client) == {"champion": "2", "previous": "1"}
    version = client.get_model_version(DATASET, "2")
    assert version.tags[WITHDRAWN] == "its data was wrong"
    assert version.description.startswith("**Recalled**")
    assert client.get_run(version.run_id).data.tags[WITHDRAWN] == "its data was wrong"
    assert client.get_logged_model(find_logged_model(version)).tags[WITHDRAWN] == "its data was wrong"
    assert recall(client, "digits/2", "again").startswith("digits/2 is recalled: its data was wrong")
    assert actions(client).count("recall") == 1
    assert "digits/2 was recalled: its data was wrong" in caplog.text
    roll_back(client, DATASET)
    for further in ({}, {"force": True, "why": "I want it"}):
        with pytest.raises(PodiumError, match=r"digits/2 was recalled and is never promoted again"):
            ask(client, "digits/2", **further)


def test_a_recalled_challenger_is_not_promoted_by_a_flow_either(client: MlflowClient) -> None:
    make_champions(client, 30)
    result = make_result(client, "digits-dense", 60)
    challenge(client, result, rules=Gate(approval="person"))
    recall(client, "digits/2", "no")
    assert aliases(client) == {"champion": "1"}
    outcome = challenge(client, result)
    assert (outcome.promoted, outcome.decision.ground) == (False, "withdrawn")


def test_a_recalled_champion_is_still_the_one_to_beat_and_is_called_recalled(client: MlflowClient) -> None:
    make_champions(client, 60)
    recall(client, "digits/1", "no")
    outcome = challenge(client, make_result(client, "digits-dense", 40))
    assert not outcome.promoted
    assert "digits-cnn (version 1, recalled)" in outcome.reason


@pytest.mark.parametrize("name", ["digits/9", "digits@nobody", "other/1"])
def test_a_version_that_is_not_there_is_answered_with_what_is(client: MlflowClient, name: str) -> None:
    make_champions(client, 60)
    with pytest.raises(PodiumError, match=f"MLflow has no '{name}'"):
        ask(client, name)
    with pytest.raises(PodiumError, match=f"MLflow has no '{name}'"):
        recall(client, name, "why")


def test_an_alias_moved_by_hand_is_written_down_and_is_the_one_to_beat(client: MlflowClient) -> None:
    make_champions(client, 60, 50)
    client.set_registered_model_alias(DATASET, "champion", "2")
    entries = read_history(client, DATASET)
    moved = entries[-1].entry
    assert (moved.action, moved.version, moved.champion_before, moved.champion_after) == (
        "moved by hand",
        "2",
        "1",
        "2",
    )
    assert moved.why == "In MLflow the alias champion was moved from version 1 to version 2."
    assert read_history(client, DATASET) == entries
    assert challenge(client, make_result(client, "digits-dense", 80)).promoted
    assert aliases(client) == {"champion": "3", "previous": "2"}


def test_an_alias_removed_by_hand_leaves_the_last_champion_to_beat(client: MlflowClient) -> None:
    result = make_result(client, "digits-dense", 60)
    challenge(client, result)
    client.delete_registered_model_alias(DATASET, "champion")
    outcome = challenge(client, make_result(client, "digits-cnn", 50))
    assert (outcome.promoted, outcome.decision.verdict, aliases(client)) == (False, "keep", {})
    removed = read_history(client, DATASET)[1].entry
    assert (removed.action, removed.version) == ("removed by hand", "1")
    assert "`podium promote digits/1 --force --why TEXT` puts it back" in removed.why
    assert "puts it back" in challenge(client, result).reason
    ask(client, "digits/1", force=True, why="by mistake")
    assert aliases(client) == {"champion": "1"}


def test_a_champion_deleted_by_hand_leaves_the_one_before_to_beat(client: MlflowClient) -> None:
    make_champions(client, 60, 90)
    client.delete_model_version(DATASET, "2")
    outcome = challenge(client, make_result(client, "digits-dense", 50))
    assert not outcome.promoted
    assert "version 1" in outcome.reason
    assert "which was deleted" in read_history(client, DATASET)[2].entry.why


def test_a_registry_without_journal_is_taken_over_as_it_is(client: MlflowClient) -> None:
    result = make_result(client, "digits-dense", 60)
    client.create_registered_model(DATASET)
    mlflow.set_tracking_uri(client.tracking_uri)
    client.create_model_version(DATASET, f"models:/{result.model_id}", run_id=result.run_id, model_id=result.model_id)
    client.set_registered_model_alias(DATASET, "champion", "1")
    outcome = challenge(client, make_result(client, "digits-cnn", 50))
    assert not outcome.promoted
    first = read_history(client, DATASET)[0].entry
    assert (first.champion_before, first.champion_after) == (None, "1")
    assert first.why == "The aliases are older than this journal; they are taken over as they are."


@pytest.mark.parametrize("command", ["approve", "force", "rollback", "recall"])
def test_a_command_that_breaks_behind_the_journal_is_carried_out_by_whoever_comes_next(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    make_champions(client, 30, 60)
    challenge(client, make_result(client, "digits-cnn", 120), rules=Gate(approval="person"))
    commands: dict[str, Any] = {
        "approve": lambda: ask(client, "digits/3").reason,
        "force": lambda: ask(client, "digits/1", force=True, why="so").reason,
        "rollback": lambda: roll_back(client, DATASET),
        "recall": lambda: recall(client, "digits/3", "no"),
    }
    monkeypatch.setattr(Registry, "_move", die)
    with pytest.raises(RuntimeError, match="power cut"):
        commands[command]()
    monkeypatch.undo()
    count = len(actions(client))
    monkeypatch.setattr("podium.registry.measures.serve", Serving())
    said = commands[command]()
    after = {"approve": "3", "force": "1", "rollback": "1", "recall": "2"}
    assert (aliases(client)["champion"], len(actions(client))) == (after[command], count)
    assert said
    assert all(one.done for one in read_history(client, DATASET))


def die(*_: Any) -> None:
    raise RuntimeError("power cut")


def test_history_prints_a_line_of_facts_an_entry_and_why_below(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_champions(client, 60, 50)
    roomy = "a reason that is long enough to be broken into lines, " * 4
    ask(client, "digits/2", force=True, why=roomy)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    history.run(tmp_path, argparse.Namespace(dataset=DATASET, last=2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "… 1 earlier"
    third = next(place for place, line in enumerate(lines) if line.startswith("   3  "))
    assert "force digits/2: keep  champion: version 1 → version 2" in lines[third]
    assert " ".join(line.strip() for line in lines[third + 1 :]) == roomy.strip()
    assert max(map(len, lines)) <= 120
