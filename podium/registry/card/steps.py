"""What can be done after a decision: sentences, each with the command to type."""

from podium.registry.card.words import count, is_open, version_name, waits
from podium.registry.kept import KeptDecision

Step = tuple[str, str]
"""A sentence, and the command."""


def next_steps(kept: KeptDecision) -> list[Step]:
    """List what can be done now, the likeliest first."""
    version, ground = version_name(kept), kept.decision.ground
    force = (f"To promote {version} in spite of this, with your reason in the journal", _force(version))
    if waits(kept):
        return [(f"To promote {version}, now that you have read this", f"podium promote {version}")]
    if kept.decision.promoted:
        champion = f"{kept.dataset}@champion"
        return [
            ("To serve it", f"mlflow models serve -m models:/{champion} --env-manager local"),
            *([("To take it back", f"podium rollback {kept.dataset}")] if kept.champion_version else []),
        ]
    if is_open(kept):
        return [("When the labels are checked, or further images are there, let them decide", "podium run"), force]
    if ground == "floor":
        return [("When a candidate of params.yaml reaches every floor", "podium run"), force]
    if ground == "incomparable":
        return [("To train the champion's candidate on the data of today, and to compare again", "podium run"), force]
    both = " ".join(f"{kept.dataset}/{number}" for number in (kept.champion_version, kept.challenger_version))
    return [("To hold both models beside each other", f"podium compare {both} --split validation"), force]


def missing_images(kept: KeptDecision) -> str:
    """Say how many further images would decide it, in two digits: more are not known; empty where it is not known."""
    missing = kept.decision.missing
    return "" if not missing else f"about {count(int(float(f'{missing:.2g}')), 'image')}"


def _force(version: str) -> str:
    return f'podium promote {version} --force --why "…"'
