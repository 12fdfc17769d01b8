"""A challenge: a version challenges the champion, the gate decides, and journal, card and aliases follow."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from json import dumps
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.config import Gate, Params
from podium.errors import TransientError
from podium.paths import DatasetPaths
from podium.registry.candidates import Challenger, choose_best, make_challenger, make_version
from podium.registry.card import write_card
from podium.registry.context import make_context
from podium.registry.decision import Decision, save_pairs
from podium.registry.describing import place_of
from podium.registry.gate import decide, sketch
from podium.registry.gathering import Evidence, find_images, gather
from podium.registry.journal import Action, Numbered, find_last, make_entry, now, who
from podium.registry.kept import PAIRS, KeptDecision
from podium.registry.outcome import Outcome, card_address, recall_outcome, say_again, say_waiting
from podium.registry.registry import CHALLENGER, CHAMPION, PREVIOUS, ROUNDS, Registry, State
from podium.tracking import Result
from podium.tracking.names import ask_if_there

logger = logging.getLogger(__name__)


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
    for _ in range(ROUNDS):
        state = registry.reconcile()
        version = make_version(registry, state, challenger)
        if (outcome := _find_settled(registry, state, version, challenger, request)) is not None:
            return outcome
        if _is(version, state.champion):  # and its alias was taken off: nobody to decide against
            outcome = _force(registry, state, version, _find_decided(state, version), request.why)
        else:
            outcome = _decide(registry, state, rules, challenger, version, root, request)
        if outcome is not None:
            return outcome
        logger.info("%s: somebody else changed the registry meanwhile; deciding again", registry.dataset)
    raise TransientError(f"Others are promoting models of {registry.dataset} all the time. Try again in a minute.")


def find_same(state: State, version: str, rules: Gate, images: str) -> Numbered | None:
    """Give the gate's decision about a version, the champion to beat, some images and rules; None if there is none."""
    champion = state.champion
    wanted = (version, None if champion is None else str(champion.version), images, digest_rules(rules))
    return find_last(
        state.entries,
        lambda entry: (
            entry.action in ("decide", "force")
            and (entry.version, entry.champion_before, entry.images, entry.rules) == wanted
        ),
    )


def digest_rules(rules: Gate) -> str:
    """Give the sha256 of a gate's rules."""
    return sha256(dumps(asdict(rules), sort_keys=True).encode()).hexdigest()


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


def _find_decided(state: State, version: ModelVersion) -> Numbered | None:
    return find_last(state.entries, lambda entry: entry.version == str(version.version) and bool(entry.card))


def _decide(
    registry: Registry,
    state: State,
    rules: Gate,
    challenger: Challenger,
    version: ModelVersion,
    root: Path,
    request: Request,
) -> Outcome | None:
    """Decide, keep the decision, write it into the journal and carry it out; None if somebody was faster."""
    client, dataset, number = registry.client, registry.dataset, state.next_number
    champion = state.champion
    with TemporaryDirectory(prefix="podium-") as temporary:
        fetched, folder = Path(temporary) / "fetched", Path(temporary) / "card"
        folder.mkdir()
        run = client.get_run(challenger.run_id)
        theirs = None if champion is None else ask_if_there(client.get_run, champion.run_id)
        evidence = Evidence(None, {})
        if champion is not None:
            evidence = gather(client, root, dataset, run, champion, theirs, fetched)
        images = "" if evidence.pairs is None else evidence.pairs.digest
        same = find_same(state, str(version.version), rules, images)
        if same is not None and request.action == "force":
            return _force(registry, state, version, same, request.why)
        if same is not None and not (request.again and same.entry.ground == "floor"):
            return recall_outcome(registry, version, same, say_again(registry, state, same), promoted=False)
        context = make_context(state, challenger, version, evidence, run, theirs, client)
        decision = decide(evidence.pairs, rules, context)
        kept = KeptDecision(
            dataset=dataset,
            number=number,
            challenger_version=str(version.version),
            challenger_run=challenger.run_id,
            champion_version=None if champion is None else str(champion.version),
            champion_run=None if champion is None else champion.run_id or None,
            rules=rules,
            context=context,
            decision=decision,
            who=who(),
            when=now(),
        )
        kept.save(folder)
        if evidence.pairs is not None:
            save_pairs(evidence.pairs, folder / PAIRS)
        write_card(folder, kept, evidence.pairs, find_images(root / DatasetPaths(dataset).processed))
        card = place_of(number)
        client.log_artifacts(challenger.run_id, str(folder), card)
    waits = decision.promoted and rules.approval == "person"
    promoted = request.action == "force" or (decision.promoted and not waits)
    entry = make_entry(
        request.action,
        str(version.version),
        request.why or decision.reason,
        champion_before=kept.champion_version,
        **move_aliases(state, str(version.version), promoted=promoted, stays=waits or decision.verdict == "undecided"),
        verdict=decision.verdict,
        ground=decision.ground,
        card=card,
        images=images,
        sketch=() if evidence.pairs is None else sketch(evidence.pairs.digests),
        spent=decision.spent,
        rules=digest_rules(rules),
    )
    if not registry.commit(entry, number, kept):
        return None
    reason = decision.reason + (say_waiting(dataset, entry.version) if waits else "")
    return Outcome(promoted, reason, decision, entry.version, card_address(registry, version, card))


def _force(
    registry: Registry, state: State, version: ModelVersion, decided: Numbered | None, why: str
) -> Outcome | None:
    """Promote what was decided before: nothing is looked at again, and nothing spent."""
    number, champion = str(version.version), state.champion
    entry = make_entry(
        "force",
        number,
        why,
        champion_before=None if champion is None else str(champion.version),
        **move_aliases(state, number, promoted=True, stays=False),
    )
    if decided is not None:
        known = decided.entry
        entry = replace(entry, verdict=known.verdict, ground=known.ground, card=known.card)
    number_of_entry = state.next_number
    if not registry.commit(entry, number_of_entry):
        return None
    reason = f"{registry.dataset}/{number} is champion: {why}"
    return recall_outcome(registry, version, Numbered(number_of_entry, entry, True), reason, promoted=True)


def move_aliases(state: State, version: str, *, promoted: bool, stays: bool) -> dict[str, str | None]:
    """Give where the aliases point after a version was promoted, or stays a challenger, or neither."""
    aliases, champion = state.aliases, state.champion
    if promoted:
        before = aliases[PREVIOUS] if champion is None else str(champion.version)
        previous = before if before != version else aliases[PREVIOUS]
        return {"champion_after": version, "previous_after": previous, "challenger_after": None}
    challenger = version if stays else None if aliases[CHALLENGER] == version else aliases[CHALLENGER]
    return {
        "champion_after": aliases[CHAMPION],
        "previous_after": aliases[PREVIOUS],
        "challenger_after": challenger,
    }
