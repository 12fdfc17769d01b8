"""A decision: the evidence is gathered, the gate asked, the card written, and the journal follows."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities.model_registry import ModelVersion

from podium.config import Gate
from podium.files import json_digest
from podium.paths import DatasetPaths
from podium.registry.candidates import Challenger
from podium.registry.card import write_card
from podium.registry.context import make_context
from podium.registry.decision import save_pairs
from podium.registry.describing import place_of
from podium.registry.forcing import Request, force
from podium.registry.gate import decide, sketch
from podium.registry.gathering import Evidence, find_images, gather
from podium.registry.journal import Numbered, find_last, make_entry, now, who
from podium.registry.kept import PAIRS, KeptDecision
from podium.registry.outcome import Outcome, card_address, recall_outcome, say_again, say_waiting
from podium.registry.registry import Registry, State
from podium.tracking.names import ask_if_there


def judge(
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
            return force(registry, state, version, same, request.why)
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
        **state.move_aliases(str(version.version), promoted=promoted, stays=waits or decision.verdict == "undecided"),
        verdict=decision.verdict,
        ground=decision.ground,
        card=card,
        images=images,
        sketch=() if evidence.pairs is None else sketch(evidence.pairs.digests),
        spent=decision.spent,
        rules=json_digest(asdict(rules)),
    )
    if not registry.commit(entry, number, kept):
        return None
    reason = decision.reason + (say_waiting(dataset, entry.version) if waits else "")
    return Outcome(promoted, reason, decision, entry.version, card_address(registry, version, card))


def find_same(state: State, version: str, rules: Gate, images: str) -> Numbered | None:
    """Give the gate's decision about a version, the champion to beat, some images and rules; None if there is none."""
    champion = state.champion
    wanted = (version, None if champion is None else str(champion.version), images, json_digest(asdict(rules)))
    return find_last(
        state.entries,
        lambda entry: (
            entry.action in ("decide", "force")
            and (entry.version, entry.champion_before, entry.images, entry.rules) == wanted
        ),
    )
