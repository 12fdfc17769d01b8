"""A challenge: a version challenges the champion, the gate decides, and journal, card and aliases follow."""

import logging
from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.config import Gate, Params
from podium.registry.candidates import Challenger, choose_best, make_challenger, make_version
from podium.registry.decision import Decision
from podium.registry.forcing import Request, force
from podium.registry.journal import find_decided
from podium.registry.outcome import Outcome, recall_outcome
from podium.registry.registry import CHAMPION, Registry, State
from podium.tracking import Result

logger = logging.getLogger(__name__)


def promote(client: MlflowClient, params: Params, dataset: str, results: Sequence[Result], root: Path) -> Outcome:
    """Let the best of some results challenge the champion of their dataset.

    The best has the best validation metric of the gate's rules, and of several the lowest validation loss. The test
    split has no say. It becomes a version whatever is decided.

    Args:
        client: where the registry is.
        params: the project's params.
        dataset: the registered model's name.
        results: the candidates' results, at least one.
        root: the project's root.

    Returns:
        What became of it, after it was carried out. To ask again changes nothing and spends nothing.

    Raises:
        TransientError: other promotions kept coming between.
    """
    rules = params.gate(dataset)
    best = choose_best(results, rules.metric)
    challenger = make_challenger(params, best, len(results), root)
    outcome = challenge(Registry(client, dataset), rules, challenger, root, Request())
    logger.info("%s: %s", dataset, outcome.reason)
    return outcome


def challenge(registry: Registry, rules: Gate, challenger: Challenger, root: Path, request: Request) -> Outcome:
    """Let one result challenge the champion, as often as others come between."""
    for state in registry.rounds():
        version = make_version(registry, state, challenger)
        if (outcome := _find_settled(registry, state, version, challenger, request)) is not None:
            return outcome
        if _is(version, state.champion):  # and its alias was taken off: nobody to decide against
            decided = find_decided(state.entries, str(version.version))
            outcome = force(registry, state, version, decided, request.why)
        else:
            from podium.registry.judging import judge  # the gate and the card: seconds to import

            outcome = judge(registry, state, rules, challenger, version, root, request)
        if outcome is not None:
            return outcome
        logger.info("%s: somebody else changed the registry meanwhile; deciding again", registry.dataset)
    raise registry.crowded()


def _find_settled(
    registry: Registry, state: State, version: ModelVersion, challenger: Challenger, request: Request
) -> Outcome | None:
    """Give the outcome where there is nothing to decide; None where there is."""
    number = str(version.version)
    if (finished := state.find_finished(number, request.action)) is not None:
        promoted = finished.entry.champion_after == number
        return recall_outcome(registry, version, finished, finished.entry.why, promoted=promoted)
    if number in state.withdrawn:
        reason = f"{registry.dataset}/{number} was recalled and is never promoted again: {state.withdrawn[number]}"
        return Outcome(False, reason, Decision("keep", "withdrawn", reason), number)
    if not _is(version, state.champion):
        return None
    if state.aliases[CHAMPION] == number:
        reason = f"{challenger.name} is the champion already (version {number})."
    elif request.action == "force":
        return None
    else:
        reason = (
            f"{challenger.name} (version {number}) was the last champion, and the alias was taken off by hand. "
            f"`podium promote {registry.dataset}/{number} --force --why TEXT` puts it back."
        )
    return Outcome(False, reason, Decision("keep", "champion", reason), number)


def _is(version: ModelVersion, other: ModelVersion | None) -> bool:
    return other is not None and str(version.version) == str(other.version)
