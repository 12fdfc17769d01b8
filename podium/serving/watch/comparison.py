"""Requests beside the images that measured the champion: how far each measure moved, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import kstwobign

from podium.datasets.validation.drift import SIGNIFICANCE_LEVEL, Change, change_of_numbers, change_of_shares
from podium.serving.watch.accepted import Accepted

LIMIT = 0.1
"""How far a measure may move where the page names no limit: so large a share of the images, 0–1."""
COARSEST = 0.2
"""Too few requests are those by which chance alone moves a measure that far."""
ANSWERS = "answers"
"""The measure that is of classes, not of numbers."""
MAX_NAMED = 3
"""Measures that a sentence names."""
SIZES = ("width", "height")
"""Of the images as they come: shown, but no reason, as the model sees all of them in one size."""

Verdict = Literal["too few", "as accepted", "moved"]


@dataclass(frozen=True)
class Moved:
    """One measure.

    Attributes:
        change: how it moved from the accepted images to the requests.
        counts: whether it is a reason.
    """

    change: Change
    counts: bool

    @property
    def low(self) -> float:
        """The least that it moved, with a confidence of 99 %.

        Two empirical distributions are as far apart as their sources but for what chance moves them.
        """
        return max(0.0, self.change.moved - self.change.chance)

    @property
    def high(self) -> float:
        """The most that it moved, likewise."""
        return min(1.0, self.change.moved + self.change.chance)


@dataclass(frozen=True)
class Watched:
    """What became of a comparison.

    Attributes:
        accepted: the champion, and what it was accepted on.
        served: the requests that it answered: see `podium.serving.watch.requests`.
        refused: requests whose image could not be used.
        moved: each measure; empty if there are too few requests.
        shares: by class, which share of the answers it has: accepted, served.
        limit: how far a measure may move.
        needed: so many requests are enough.
    """

    accepted: Accepted
    served: pd.DataFrame
    refused: int
    moved: Sequence[Moved]
    shares: pd.DataFrame
    limit: float
    needed: int

    @property
    def beyond(self) -> list[Moved]:
        """The measures that moved by more than the limit for certain, the farthest first."""
        found = [one for one in self.moved if one.counts and one.low > self.limit]
        return sorted(found, key=lambda one: -one.change.moved)

    @property
    def verdict(self) -> Verdict:
        """Say it in a word or two."""
        if not self.moved:
            return "too few"
        return "moved" if self.beyond else "as accepted"

    @property
    def text(self) -> str:
        """Say it in a sentence or two."""
        asked = f"{len(self.served):,} request{'s' * (len(self.served) != 1)} of {self.accepted.title}"
        match self.verdict:
            case "too few":
                return f"{asked}: too few to tell. About {self.needed:,} are enough to see a move of {COARSEST:.0%}."
            case "as accepted":
                return f"{asked}: no measure moved by more than {self.limit:.0%} of the images for certain."
            case _:
                named = [f"{one.change.measure} by {one.change.moved:.0%}" for one in self.beyond]
                more = f", and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
                told = f"{', '.join(named[:MAX_NAMED])}{more}; the limit is {self.limit:.0%}"
                return f"{asked} are not like what it was accepted on. Moved for certain: {told}."


def compare_requests(accepted: Accepted, requests: pd.DataFrame, limit: float = LIMIT) -> Watched:
    """Compare requests with the accepted images.

    Each request counts as one of its own. Where they come in series of like images, the intervals are too narrow.

    Args:
        accepted: the champion.
        requests: what it was asked: see `podium.serving.watch.requests`.
        limit: how far a measure may move.
    """
    served = requests[~requests["refused"]].reset_index(drop=True)
    counts = pd.DataFrame(
        {
            "before": accepted.said["label"].value_counts().reindex([*accepted.classes], fill_value=0),
            "after": served["label"].value_counts().reindex([*accepted.classes], fill_value=0),
        }
    )
    needed = count_needed(min(len(accepted.said), len(accepted.seen)))
    moved = [] if len(served) < needed else _compare(accepted, served, counts)
    shares = (counts / counts.sum().clip(lower=1)).rename(columns={"before": "accepted", "after": "served"})
    return Watched(accepted, served, int(requests["refused"].sum()), moved, shares, limit, needed)


def count_needed(accepted: int) -> int:
    """Say how many requests are enough beside so many accepted images, for chance to stay under `COARSEST`.

    Example:
        >>> count_needed(100_000), count_needed(718)
        (67, 73)
    """
    critical = float(kstwobign.isf(SIGNIFICANCE_LEVEL))
    rest = (COARSEST / critical) ** 2 - 1 / max(accepted, 1)
    return math.ceil(1 / rest) if rest > 1e-6 else 1_000_000


def _compare(accepted: Accepted, served: pd.DataFrame, counts: pd.DataFrame) -> list[Moved]:
    said, seen = accepted.said, accepted.seen
    changes = [
        change_of_shares(ANSWERS, counts),
        change_of_numbers("confidence", said["probability"], served["probability"]),
    ]
    names = ("brightness", "contrast", "sharpness", *SIZES)
    changes += [change_of_numbers(name, seen[name], served[name]) for name in names]
    return [Moved(change, counts=change.measure not in SIZES) for change in changes]
