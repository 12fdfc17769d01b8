"""Something changed in git: params, code, decisions on images, labels."""

from flows.reasons.reason import Circumstances, Reason
from podium.paths import LOCK
from podium.workspace.graph import find_changed

MAX_NAMED = 5
"""Stages that are named."""


def find(circumstances: Circumstances) -> list[Reason]:
    """Look for stages that are not as `dvc.lock` has them."""
    stages = find_changed(circumstances.clone, circumstances.targets)
    if not stages:
        return []
    more = f" and {len(stages) - MAX_NAMED} more" if len(stages) > MAX_NAMED else ""
    names = ", ".join(stage.title for stage in stages[:MAX_NAMED])
    if not (circumstances.clone / LOCK).is_file():
        return [Reason("changed", f"The commit has no {LOCK}: nothing has run yet, as far as it says.")]
    return [Reason("changed", f"Params, code or data in git changed for {names}{more}.")]
