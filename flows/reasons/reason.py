"""What a reason to retrain is, and what those who look for one may look at."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from podium.config import Params


@dataclass(frozen=True)
class Reason:
    """A reason to retrain.

    Attributes:
        kind: a key of `flows.reasons.REASONS`, or `forced`.
        text: what was found, in a sentence.
        downloads: the datasets that have to be fetched anew.
    """

    kind: str
    text: str
    downloads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Circumstances:
    """What a reason is looked for in.

    Attributes:
        project: the root of the user's project: what is not in git is here, such as reports and logs of requests.
        clone: the root of the isolated clone in which the run will be. Its data is not checked out yet.
        params: the clone's params page.
        datasets: the names of the datasets that are asked about.
        targets: the datasets and candidates that are asked about; None: all of params.yaml.
        champion_days: how old a champion may become; 0: any age.
        retrained: when the last retraining of this project ended; None if that is not known.
    """

    project: Path
    clone: Path
    params: Params
    datasets: tuple[str, ...]
    targets: list[str] | None = None
    champion_days: int = 0
    retrained: datetime | None = None


Find = Callable[[Circumstances], list[Reason]]
"""Looks for reasons of one kind; none is an empty list. Raises PodiumError where it cannot tell."""
