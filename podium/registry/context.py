"""What the gate is told beside the pairs: who the two are, how they serve, and how often it has looked before."""

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from podium.registry.candidates import Challenger
from podium.registry.decision import Context
from podium.registry.gate import SAME, shares_images, sketch
from podium.registry.gathering import DATA, Evidence
from podium.registry.measures import make_measures, serve_both
from podium.registry.registry import State
from podium.tracking.names import CANDIDATE


def make_context(
    state: State,
    challenger: Challenger,
    version: ModelVersion,
    evidence: Evidence,
    run: Run,
    theirs: Run | None,
    client: MlflowClient,
) -> Context:
    """Put together what the gate has to know.

    Args:
        state: of the registry.
        challenger: who challenges.
        version: its version.
        evidence: what was found out.
        run: the challenger's.
        theirs: the champion's run; None if there is none, or not any more.
        client: of MLflow: where it is not known how the two serve, they are asked now.
    """
    champion = state.champion
    mine, other = serve_both(client, version, champion)
    name = None
    if champion is not None:
        recalled = ", recalled" if str(champion.version) in state.withdrawn else ""
        called = champion.tags.get(CANDIDATE) or champion.name
        name = f"{called} (version {champion.version}{recalled})"
    of_champion = None if theirs is None else make_measures(theirs.data.metrics, other)
    newer = theirs is not None and (
        theirs.data.tags.get(DATA) != run.data.tags.get(DATA) and theirs.info.start_time < run.info.start_time
    )
    return Context(
        challenger=f"{challenger.name} (version {version.version})",
        champion=name,
        measures=make_measures(run.data.metrics, mine),
        champion_measures=of_champion,
        candidates=challenger.candidates,
        epochs=challenger.epochs,
        number=1 if evidence.pairs is None else 1 + _count_earlier(state, sketch(evidence.pairs.digests)),
        newer_data=newer,
        incomparable=evidence.incomparable,
        left_out=evidence.left_out,
    )


def _count_earlier(state: State, mine: tuple[str, ...]) -> int:
    """Count the decisions that compared models on these images, or on many of them; forced ones have looked, too."""
    looked = [one.entry.sketch for one in state.entries if one.entry.spent > 0]
    return sum(shares_images(sketch, mine) >= SAME for sketch in looked)
