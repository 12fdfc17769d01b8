"""What is known of a version beside its files: its data, its results, and why it is, or is not, the champion."""

import math
from dataclasses import dataclass

from podium.evaluation.intervals import Estimate


@dataclass(frozen=True)
class Result:
    """A row of a candidate's comparison with published results: ours, or one of theirs.

    Attributes:
        model: whose.
        metric: its name in the reports, with that of the split: `accuracy, test`.
        value, low, high: the ends are NaN where no error is known.
        verdict: ours beside it, in words; empty for ours.
        source: where it was published; empty for ours.
    """

    model: str
    metric: str
    value: float
    low: float
    high: float
    verdict: str
    source: str


@dataclass(frozen=True)
class About:
    """What the page says of a version.

    Attributes:
        test: its accuracy on the test split; None if it is not known.
        results: its metrics beside published ones; empty where none is known.
        verdict: of the gate: `promote`, `keep`, `undecided`; empty where it was not asked.
        reason: why, in a sentence or two.
        card: the address of the decision's page, if MLflow is a server.
        place: where that page lies among the artifacts of the run.
        run: the address of its run, or its id where MLflow is a file.
    """

    test: Estimate | None = None
    results: tuple[Result, ...] = ()
    verdict: str = ""
    reason: str = ""
    card: str = ""
    place: str = ""
    run: str = ""


def has_interval(result: Result) -> bool:
    """Say whether the error of a result is known."""
    return math.isfinite(result.low) and math.isfinite(result.high)
