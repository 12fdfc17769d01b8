"""A challenge: every one a version, the aliases as the journal says, nothing twice."""

import shutil
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.config import Gate, Params, load_params
from podium.registry import judging
from podium.registry.decision import Decision
from podium.registry.journal import Journal
from podium.registry.kept import load_kept
from podium.registry.outcome import Outcome
from podium.registry.promotion import promote
from podium.tracking import Result
from tests.challenges import IMAGES, Serving, describe_registry, make_client, make_result, predict
from tests.makers import REPOSITORY
from tests.trained import DATASET, Unreliable

pytestmark = pytest.mark.usefixtures("serving")

PAGE = load_params(REPOSITORY / "params.yaml")
NAMES = ("digits-dense", "digits-cnn")
LONG = partial(pytest.param, marks=pytest.mark.soak)


def challenge(client: Any, *results: Result, rules: Gate | None = None, root: Path = Path("nowhere")) -> Outcome:
    return promote(client, ask_for(rules or Gate()), DATASET, results, root)


def ask_for(rules: Gate) -> Params:
    return replace(PAGE, gates={DATASET: rules})


def aliases(client: MlflowClient) -> dict[str, str]:
    return {alias: str(version) for alias, version in client.get_registered_model(DATASET).aliases.items()}


def actions(client: MlflowClient) -> list[str]:
    return [one.entry.action for one in Journal(client, DATASET).read()]


def test_the_first_challenger_becomes_champion(client: MlflowClient) -> None:
    result = make_result(client, "digits-cnn", 50)
    outcome = challenge(client, result)
    assert outcome.promoted
    assert outcome.decision.ground == "first"
    champion = client.get_model_version_by_alias(DATASET, "champion")
    assert (champion.run_id, champion.source) == (result.run_id, f"models:/{result.model_id}")
    assert aliases(client) == {"champion": "1"}
    tags = champion.tags
    assert {key: tags[f"podium.{key}"] for key in ("candidate", "data", "decision", "card", "p95_ms")} == {
        "candidate": "digits-cnn",
        "data": "data",
        "decision": "promote",
        "card": "decisions/0001",
        "p95_ms": "2.5",
    }
    assert outcome.decision.reason in champion.description
    (entry,) = Journal(client, DATASET).read()
    assert (entry.done, entry.entry.verdict, entry.entry.images, entry.entry.spent) == (True, "promote", "", 0)


def test_a_better_challenger_takes_over_and_the_champion_becomes_previous(client: MlflowClient) -> None:
    for number, right in enumerate((40, 80, 120), 1):
        assert challenge(client, make_result(client, "digits-cnn", right)).promoted
        assert aliases(client) == {"champion": str(number)} | ({"previous": str(number - 1)} if number > 1 else {})


def test_every_challenge_is_a_version_with_its_decision(client: MlflowClient, tmp_path: Path) -> None:
    challenge(client, make_result(client, "digits-dense", 80))
    worse = make_result(client, "digits-cnn", 40)
    outcome = challenge(client, worse)
    assert (outcome.promoted, outcome.decision.verdict, outcome.version) == (False, "keep", "2")
    assert aliases(client) == {"champion": "1"}
    kept = load_kept(Path(client.download_artifacts(worse.run_id, "decisions/0002", str(tmp_path))))
    assert (kept.decision, kept.number, kept.champion_version) == (outcome.decision, 2, "1")
    assert kept.context.champion == "digits-dense (version 1)"
    assert kept.context.measures.metrics["accuracy"] == pytest.approx(40 / IMAGES)
    assert (kept.context.measures.ece, kept.context.measures.model_bytes) == (0.05, 1000)
    assert "decisions/0002/index.html" in outcome.card
    files = {Path(item.path).name for item in client.list_artifacts(worse.run_id, "decisions/0002")}
    assert {"decision.json", "pairs.parquet", "index.html"} <= files


def test_an_undecided_challenger_keeps_the_alias_until_the_next_one(client: MlflowClient) -> None:
    challenge(client, make_result(client, "digits-dense", 60))
    assert challenge(client, make_result(client, "digits-cnn", 62)).decision.verdict == "undecided"
    assert aliases(client) == {"champion": "1", "challenger": "2"}
    challenge(client, make_result(client, "digits-cnn", 50))
    assert aliases(client) == {"champion": "1", "challenger": "2"}
    challenge(client, make_result(client, "digits-cnn", 90))
    assert aliases(client) == {"champion": "4", "previous": "1"}


def test_the_same_challenge_again_does_nothing_and_spends_nothing(client: MlflowClient, serving: Serving) -> None:
    challenge(client, make_result(client, "digits-dense", 60))
    result = make_result(client, "digits-cnn", 60)
    first = challenge(client, result)
    before, asked = describe_registry(client), list(serving.asked)
    again = challenge(client, result)
    assert (again.promoted, again.version, again.card) == (False, first.version, first.card)
    assert "Nothing is new since decision 2" in again.reason
    assert (describe_registry(client), serving.asked) == (before, asked)


@pytest.mark.parametrize("change", ["champion", "rules", "images"])
def test_another_champion_or_rules_or_images_are_another_challenge(client: MlflowClient, change: str) -> None:
    challenge(client, make_result(client, "digits-dense", 60))
    result = make_result(client, "digits-cnn", 50)
    challenge(client, result)
    rules = Gate(worth=0.5) if change == "rules" else Gate()
    if change == "champion":
        challenge(client, make_result(client, "digits-dense", 120))
    if change == "images":
        run = client.get_run(client.get_model_version(DATASET, "1").run_id)
        (Path(run.info.artifact_uri.removeprefix("file://")) / "reports/predictions.parquet").unlink()
        from tests.challenges import keep

        keep(client, run.info.run_id, predict(60, names=[f"v{place}" for place in range(90)]), ["t0"])
    challenge(client, result, rules=rules)
    assert actions(client).count("decide") == (4 if change == "champion" else 3)


def test_the_champions_own_result_changes_nothing(client: MlflowClient) -> None:
    result = make_result(client, "digits-dense", 80)
    challenge(client, result)
    before = describe_registry(client)
    outcome = challenge(client, make_result(client, "digits-cnn", 40), result)
    assert (outcome.promoted, outcome.reason) == (False, "digits-dense is the champion already (version 1).")
    assert describe_registry(client) == before


def test_a_result_that_was_rolled_back_is_not_promoted_again_by_itself(client: MlflowClient) -> None:
    from podium.registry.commands import roll_back

    challenge(client, make_result(client, "digits-dense", 40))
    result = make_result(client, "digits-cnn", 120)
    challenge(client, result)
    roll_back(client, DATASET)
    outcome = challenge(client, result)
    assert (outcome.promoted, aliases(client)) == (False, {"champion": "1"})
    assert "podium promote digits/2" in outcome.reason


@pytest.mark.parametrize(
    ("metric", "best"),
    [("accuracy", "digits-cnn"), ("loss", "digits-dense")],
)
def test_the_rules_metric_chooses_the_best_and_of_equal_ones_the_loss(
    client: MlflowClient, metric: Any, best: str
) -> None:
    results = [
        make_result(client, "digits-dense", 50, loss=0.1),
        make_result(client, "digits-cnn", 60, loss=0.9),
        make_result(client, "digits-cnn", 60, loss=0.8),
    ]
    outcome = challenge(client, *results, rules=Gate(metric=metric))
    champion = client.get_model_version(DATASET, outcome.version)
    assert champion.tags["podium.candidate"] == best
    assert champion.run_id == results[2 if metric == "accuracy" else 0].run_id


def test_the_gate_is_told_how_the_challenger_was_chosen(client: MlflowClient, tmp_path: Path) -> None:
    results = [make_result(client, name, right) for name, right in zip(NAMES, (40, 60), strict=True)]
    page = replace(PAGE, schedules=dict(PAGE.schedules))
    name = PAGE.candidates["digits-cnn"].schedule
    schedule = page.schedules[name]
    page.schedules[name] = replace(
        schedule, phases=[replace(schedule.phases[0], keep_best="validation_loss", epochs=9)]
    )
    history = tmp_path / "models/digits-cnn/history.csv"
    history.parent.mkdir(parents=True)
    history.write_text("step,phase,loss\n" + "".join(f"{step},fit,0.1\n" for step in range(1, 8)))
    promote(client, page, DATASET, results, tmp_path)
    kept = load_kept(Path(client.download_artifacts(results[1].run_id, "decisions/0001", str(tmp_path))))
    assert (kept.context.candidates, kept.context.epochs) == (2, 7)


def test_decisions_on_the_same_images_are_counted_and_on_others_not(client: MlflowClient, tmp_path: Path) -> None:
    results = [make_result(client, "digits-cnn", right) for right in (40, 50, 80, 70)]
    others = predict(90, names=[f"new{place}" for place in range(IMAGES)])
    results.append(make_result(client, "digits-cnn", 90, predictions=others))
    numbers = []
    for place, result in enumerate(results, 1):
        challenge(client, result)
        kept = load_kept(Path(client.download_artifacts(result.run_id, f"decisions/{place:04d}", str(tmp_path))))
        numbers.append(kept.context.number)
    assert numbers == [1, 1, 2, 3, 1]  # the first had no champion, the last no image in common with it


def test_with_approval_by_a_person_the_better_one_waits(client: MlflowClient) -> None:
    rules = Gate(approval="person")
    result = make_result(client, "digits-dense", 80)
    outcome = challenge(client, result, rules=rules)
    assert (outcome.promoted, aliases(client)) == (False, {"challenger": "1"})
    assert "`podium promote digits/1`" in outcome.reason
    assert "waits for a person" in challenge(client, result, rules=rules).reason
    assert len(actions(client)) == 1


def test_datasets_have_champions_of_their_own(client: MlflowClient) -> None:
    challenge(client, make_result(client, "digits-dense", 90))
    result = make_result(client, "digits-cnn", 10)
    assert promote(client, PAGE, "letters", [result], Path("nowhere")).promoted
    assert client.get_model_version_by_alias("letters", "champion").tags["podium.candidate"] == "digits-cnn"


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, LONG(1)])
def test_a_first_challenge_that_breaks_at_any_call_and_is_repeated_ends_as_if_nothing_had_happened(
    tmp_path: Path, store: Path, step: int
) -> None:
    def end(failing: int) -> tuple[dict[str, Any], list[str]]:
        root = tmp_path / str(failing)
        root.mkdir()
        shutil.copy(store, root / "mlflow.db")
        client = make_client(root)
        unreliable, result = Unreliable(client, failing), make_result(client, "digits-cnn", 90)
        if failing:
            with pytest.raises(MlflowException, match=f"no answer to call {failing}"):
                challenge(unreliable, result)
        outcome = challenge(client if failing else unreliable, result)
        assert outcome.promoted or outcome.reason == "digits-cnn is the champion already (version 1)."
        return describe_registry(client), unreliable.calls

    expected, calls = end(0)
    assert {"create_registered_model", "create_model_version", "log_param", "rename_experiment"} <= {*calls}
    for number, name in [*enumerate(calls, 1)][::step]:
        assert end(number)[0] == expected, f"call {number}, {name}"


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, LONG(1)])
@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
def test_a_challenge_that_breaks_at_any_call_and_is_repeated_ends_as_if_nothing_had_happened(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, *, after: bool, step: int
) -> None:
    monkeypatch.setattr(judging, "decide", lambda *_: Decision("promote", "better", "It is better.", spent=0.01))
    challenge(client, make_result(client, "digits-cnn", 9))
    for before, failing in enumerate(count(1, step), 1):  # each round breaks a later call; the last one has none left
        unreliable, result = Unreliable(client, failing, after=after), make_result(client, "digits-cnn", 9)
        with suppress(MlflowException):  # the journal minds no answer that is lost
            challenge(unreliable, result)
        outcome = challenge(client, result)
        assert outcome.promoted or "is the champion already" in outcome.reason
        found, numbers = describe_registry(client), [*range(1, before + 2)]
        assert found["aliases"] == {"champion": str(before + 1), "previous": str(before)}, unreliable.calls
        assert [(number, done) for number, done, _ in found["journal"]] == [(number, True) for number in numbers]
        assert [entry["version"] for *_, entry in found["journal"]] == [str(number) for number in numbers]
        versions = {number: (text, dict(tags)) for number, text, tags in found["versions"]}
        assert len(versions) == len(numbers)
        text, tags = versions[str(before + 1)]
        assert "It is better." in text
        assert (tags["podium.card"], tags["podium.decision"]) == (f"decisions/{before + 1:04d}", "promote")
        if len(unreliable.calls) < failing:
            break
    assert failing > 30


def test_of_two_promotions_at_once_each_number_has_one(tmp_path: Path, store: Path) -> None:
    shutil.copy(store, tmp_path / "mlflow.db")
    clients = [make_client(tmp_path), MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")]
    results = [make_result(clients[0], name, right) for name, right in zip(NAMES, (60, 90), strict=True)]
    barrier, outcomes, errors = Barrier(2), {}, []

    def run(place: int) -> None:
        barrier.wait()
        try:
            outcomes[place] = challenge(clients[place], results[place])
        except BaseException as error:  # noqa: BLE001 — a thread's error is the test's
            errors.append(error)

    threads = [Thread(target=run, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    entries = Journal(clients[0], DATASET).read()
    assert [one.number for one in entries] == [1, 2]
    assert all(one.done for one in entries)
    assert entries[1].entry.champion_before == entries[0].entry.champion_after  # the second one knew of the first
    assert aliases(clients[0])["champion"] == outcomes[1].version
    assert len(clients[0].search_model_versions(f"name = '{DATASET}'")) == 2
    names = [one.name for one in clients[0].search_experiments()]
    assert [name for name in names if name.startswith(f"{DATASET}-")] == [f"{DATASET}-journal"]
