"""What is asked of a challenge, and a promotion without a decision of its own."""

from dataclasses import dataclass, replace

from mlflow.entities.model_registry import ModelVersion

from podium.registry.journal import Action, Numbered, make_entry
from podium.registry.outcome import Outcome, recall_outcome
from podium.registry.registry import Registry, State


@dataclass(frozen=True)
class Request:
    """How a version is to challenge the champion.

    Attributes:
        action: `decide`, or `force`: then it is promoted whatever the gate says.
        why: a person's reason.
        again: a floor that was not reached is looked at again, as it may be the machine's fault.
    """

    action: Action = "decide"
    why: str = ""
    again: bool = False


def force(
    registry: Registry, state: State, version: ModelVersion, decided: Numbered | None, why: str
) -> Outcome | None:
    """Promote what was decided before: nothing is looked at again, and nothing spent."""
    number, champion = str(version.version), state.champion
    entry = make_entry(
        "force",
        number,
        why,
        champion_before=None if champion is None else str(champion.version),
        **state.move_aliases(number, promoted=True),
    )
    if decided is not None:
        known = decided.entry
        entry = replace(entry, verdict=known.verdict, ground=known.ground, card=known.card)
    number_of_entry = state.next_number
    if not registry.commit(entry, number_of_entry):
        return None
    reason = f"{registry.dataset}/{number} is champion: {why}"
    return recall_outcome(registry, version, Numbered(number_of_entry, entry, True), reason, promoted=True)
