"""What is ahead of a run: how many stages have work to do, and about how long that takes here."""

from pathlib import Path

from flows.estimate import Durations, estimate, roughly
from podium.config import Params
from podium.errors import TransientError
from podium.workspace.graph import find_outdated


def describe_ahead(root: Path, params: Params, targets: list[str] | None) -> str:
    """Say how many stages have work to do, and about how long that takes here.

    Args:
        root: the project's root.
        params: its params page.
        targets: names of datasets and candidates; None: all of them.

    Raises:
        PodiumError: a target has no stage, or DVC cannot read the project.
    """
    try:
        stages, outdated = find_outdated(root, targets)
    except TransientError as error:
        return f"No estimate: {error}"
    if not outdated:
        return f"Nothing to do: all {len(stages)} stages are up to date. Results that MLflow lacks are published now."
    others = "" if len(outdated) == len(stages) else ", the others are up to date"
    said = f"{len(outdated)} of {len(stages)} stages have work to do{others}"
    seconds = estimate(outdated, params, Durations(root, params))
    if isinstance(seconds, str):
        return f"{said}. No estimate: {seconds}."
    return f"{said}: about {roughly(seconds)} on this machine."
