"""What people ask of the registry: promote this version, go back, recall that one, tell the history."""

from dataclasses import asdict
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.config import Params
from podium.errors import PodiumError, nearest
from podium.files import json_digest
from podium.registry import measures
from podium.registry.candidates import Challenger, count_asked_epochs
from podium.registry.describing import fetch_kept
from podium.registry.forcing import Request
from podium.registry.journal import MOST_WHY, Numbered, find_decided, find_last, make_entry
from podium.registry.outcome import Outcome, recall_outcome
from podium.registry.promotion import challenge
from podium.registry.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, State
from podium.tracking.names import CANDIDATE, find_logged_model, find_run, find_version


def promote_version(
    client: MlflowClient, params: Params, root: Path, name: str, *, force: bool = False, why: str = ""
) -> Outcome:
    """Promote a version by its name: if the gate has said or says so, or, with force, whatever it says.

    Args:
        client: of MLflow.
        params: the project's params.
        root: the project's root.
        name: `digits/3`.
        force: promote it whatever the gate says; it is asked all the same, and what it says is kept.
        why: the reason, which a forced promotion needs.

    Raises:
        PodiumError: there is no such version, it was recalled, or the reason is missing.
        TransientError: others kept coming between.
    """
    _check_why(why, needed="a forced promotion" if force else "")
    version = find_version(client, name)
    registry, number, rules = Registry(client, version.name), str(version.version), params.gate(version.name)
    run_id = find_run(version)
    for state in registry.rounds():
        _check_not_recalled(registry, state, number)
        if force:
            break
        held = _find_held(state, number, json_digest(asdict(rules)))
        if held is None:
            break
        entry = make_entry(
            "approve",
            number,
            why or f"As decision {held.number} says: {held.entry.why}",
            champion_before=held.entry.champion_before,
            **state.move_aliases(number, promoted=True),
            verdict=held.entry.verdict,
            ground=held.entry.ground,
        )
        if registry.commit(entry, state.next_number):
            reason = f"{version.name}/{number} is champion, as decision {held.number} says: {held.entry.why}"
            return recall_outcome(registry, version, held, reason, promoted=True)
    challenger = _recall_challenger(client, state, version, run_id)
    request = Request("force" if force else "decide", why, again=True)
    return challenge(registry, rules, challenger, root, request)


def roll_back(client: MlflowClient, dataset: str, why: str = "") -> str:
    """Make the champion before this one champion again, once it has shown that it serves.

    Args:
        client: of MLflow.
        dataset: the registered model's name.
        why: a reason, for the journal.

    Returns:
        What was done, in a sentence or two.

    Raises:
        PodiumError: there is none to go back to, or it does not serve.
        TransientError: others kept coming between.
    """
    _check_why(why)
    registry = Registry(client, dataset)
    for state in registry.rounds():
        _check_known(client, state, dataset)
        if done := next((one.entry for one in state.finished if one.entry.action == "rollback"), None):
            return f"A rollback that was cut short is done: {dataset}/{done.version} is champion."
        left, target, before = _find_way_back(registry, state)
        served = measures.serve(client, state.versions[target])
        if served.fault:
            raise PodiumError(
                f"{dataset}/{target} does not serve: {served.fault} Nothing was moved. `podium history {dataset}` "
                f"lists the champions before; `podium promote {dataset}/N --force --why TEXT` makes one of them "
                "champion."
            )
        entry = make_entry(
            "rollback",
            target,
            why or f"Back from version {left}.",
            champion_before=left,
            champion_after=target,
            previous_after=before,
            challenger_after=state.aliases[CHALLENGER],
        )
        if registry.commit(entry, state.next_number):
            return f"{dataset}/{target} is champion again; {dataset}/{left} is not any more."
    raise registry.crowded()


def recall(client: MlflowClient, name: str, why: str) -> str:
    """Mark a version as withdrawn, wherever it is asked for. It is never promoted again.

    Args:
        client: of MLflow.
        name: `digits/3`.
        why: the reason.

    Returns:
        What was done, and what to type if the version is champion.

    Raises:
        PodiumError: there is no such version.
        TransientError: others kept coming between.
    """
    _check_why(why, needed="a recall")
    version = find_version(client, name)
    registry, number = Registry(client, version.name), str(version.version)
    title = f"{version.name}/{number}"
    for state in registry.rounds():
        if number in state.withdrawn:
            return f"{title} is recalled: {state.withdrawn[number]}{_say_champion(state, version)}"
        kept = {alias: None if there == number else there for alias, there in state.aliases.items()}
        entry = make_entry(
            "recall",
            number,
            why,
            champion_before=None if state.champion is None else str(state.champion.version),
            champion_after=state.aliases[CHAMPION],
            previous_after=kept[PREVIOUS],
            challenger_after=kept[CHALLENGER],
        )
        if registry.commit(entry, state.next_number):
            return f"{title} is recalled: {why}{_say_champion(state, version)}"
    raise registry.crowded()


def read_history(client: MlflowClient, dataset: str) -> list[Numbered]:
    """Give all that happened to a dataset's champions, the oldest first.

    What people moved in MLflow since is noticed and written down.

    Raises:
        PodiumError: nothing has happened yet.
    """
    state = Registry(client, dataset).reconcile()
    _check_known(client, state, dataset)
    return state.entries


def _find_held(state: State, number: str, rules: str) -> Numbered | None:
    """Find the decision that a version is better than the champion, if nothing was decided about it since."""
    if state.aliases[CHAMPION] == number:
        return None
    champion = None if state.champion is None else str(state.champion.version)
    last = find_last(state.entries, lambda entry: entry.version == number and entry.action in ("decide", "force"))
    if last is None or last.entry.verdict != "promote":
        return None
    return last if (last.entry.champion_before, last.entry.rules) == (champion, rules) else None


def _recall_challenger(client: MlflowClient, state: State, version: ModelVersion, run_id: str) -> Challenger:
    """Give a version as a challenger: chosen among as many as its last decision says, or its run."""
    run = client.get_run(run_id)
    number = str(version.version)
    name = version.tags.get(CANDIDATE) or run.data.tags.get(CANDIDATE) or run.info.run_name
    last = find_decided(state.entries, number)
    kept = None if last is None else fetch_kept(client, run_id, last.entry.card)
    if kept is not None:
        return Challenger(name, run_id, find_logged_model(version), kept.context.candidates, kept.context.epochs)
    return Challenger(name, run_id, find_logged_model(version), epochs=count_asked_epochs(run.data.params))


def _find_way_back(registry: Registry, state: State) -> tuple[str, str, str | None]:
    """Give the champion that is left, the version to go back to, and the one before that."""
    dataset, line = registry.dataset, state.line
    if not line:
        raise PodiumError(f"{dataset} has no champion to go back from. `podium run` lets candidates compete.")
    left = line[-1]
    fit = [number for number in line[:-1] if number not in state.withdrawn]
    target = state.aliases[PREVIOUS]
    if target is None or target == left or target in state.withdrawn or target not in state.versions:
        if not fit:
            raise PodiumError(
                f"{dataset}/{left} has no champion before it that is there and was not recalled. "
                f"`podium history {dataset}` lists the versions; `podium promote {dataset}/N --force --why TEXT` makes "
                "one of them champion."
            )
        target = fit[-1]
    before = fit[: fit.index(target)] if target in fit else []
    return left, target, before[-1] if before else None


def _say_champion(state: State, version: ModelVersion) -> str:
    if state.aliases[CHAMPION] != str(version.version):
        return ""
    return (
        f"\nIt is the champion, and nothing is promoted in its place: `podium rollback {version.name}` goes back to "
        "the champion before."
    )


def _check_why(why: str, needed: str = "") -> None:
    if needed and not why.strip():
        raise PodiumError(f'Why? Expected a reason for {needed}, which stands in the journal: --why "TEXT".')
    if len(why) > MOST_WHY:
        raise PodiumError(f"The reason has {len(why):,} characters. Expected at most {MOST_WHY:,}.")


def _check_not_recalled(registry: Registry, state: State, number: str) -> None:
    if number in state.withdrawn:
        raise PodiumError(
            f"{registry.dataset}/{number} was recalled and is never promoted again: "
            f"{state.withdrawn[number].rstrip('.')}. Train it anew: `podium run`."
        )


def _check_known(client: MlflowClient, state: State, dataset: str) -> None:
    if not state.entries and not state.versions:
        names = [one.name for one in client.search_registered_models(max_results=100)]
        raise PodiumError(f"MLflow has no model '{dataset}'. {nearest(dataset, names)}")
