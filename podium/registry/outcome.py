"""What became of a challenge, in words for people; also of one that the journal knows already."""

from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion

from podium.registry.decision import Decision
from podium.registry.describing import PAGE
from podium.registry.journal import Numbered
from podium.registry.registry import CHALLENGER, Registry, State
from podium.tracking.connection import training_view
from podium.tracking.names import ask_if_there


@dataclass(frozen=True)
class Outcome:
    """What became of a challenge.

    Attributes:
        promoted: whether the challenger is champion now, and was not before.
        reason: one or two sentences for people.
        decision: the gate's.
        version: the challenger's number.
        card: the address of the decision's card; empty where there is none.
    """

    promoted: bool
    reason: str
    decision: Decision
    version: str
    card: str = ""


def recall_outcome(registry: Registry, version: ModelVersion, one: Numbered, reason: str, *, promoted: bool) -> Outcome:
    """Give the outcome of what is in the journal already."""
    entry = one.entry
    decision = Decision(entry.verdict or "keep", entry.ground, entry.why, spent=entry.spent)  # type: ignore[arg-type]
    return Outcome(promoted, reason, decision, str(version.version), card_address(registry, version, entry.card))


def card_address(registry: Registry, version: ModelVersion, card: str) -> str:
    """Give the address of a decision's page: on the server, or on this disk; empty if there is no card."""
    run = ask_if_there(registry.client.get_run, version.run_id) if card else None
    if run is None:
        return ""
    if (uri := registry.client.tracking_uri).startswith("http"):
        return training_view(uri, run.info.experiment_id, run.info.run_id, f"{card}/{PAGE}")
    return f"{run.info.artifact_uri}/{card}/{PAGE}"


def say_again(registry: Registry, state: State, one: Numbered) -> str:
    """Say what was decided before about the same two on the same images, by the same rules."""
    entry, name = one.entry, f"{registry.dataset}/{one.entry.version}"
    before = f"Nothing is new since decision {one.number}: {entry.why}"
    if entry.ground == "floor":
        return f"{before} `podium promote {name}` looks again."
    if entry.verdict != "promote":
        return before
    if state.aliases[CHALLENGER] == entry.version:
        return before + say_waiting(registry.dataset, entry.version)
    puts_back = f"`podium history {registry.dataset}` says how, `podium promote {name}` puts it back."
    return f"{before} It has lost its place since. {puts_back}"


def say_waiting(dataset: str, version: str) -> str:
    """Say what a person does about a version that waits, as one sentence more."""
    return f" It waits for a person: read its card, then `podium promote {dataset}/{version}`."
