"""A review: what the candidates of one revision would do against those of another, before anything is published.

Both have run; nothing is fetched from a registry or put into one, and no budget of the gate is spent.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from podium.config import Params
from podium.datasets.validation.manifest import load_manifest
from podium.errors import PodiumError
from podium.evaluation.comparison import Comparison, Contender, compare, read_contender
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.files import file_digest
from podium.paths import CandidatePaths, DatasetPaths
from podium.registry.candidates import count_epochs
from podium.registry.decision import Context, Decision, Pairs
from podium.registry.evidence import concatenate, make_pairs, read_seen
from podium.registry.gate import decide
from podium.registry.measures import make_measures
from podium.tracking.figures import read_figures

VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class Side:
    """A revision of the project whose stages have run.

    Attributes:
        name: for people: `main`, `this branch`.
        root: where its files are.
        params: its params page.
    """

    name: str
    root: Path
    params: Params

    def candidates(self, dataset: str) -> list[str]:
        """Name the candidates of a dataset that are evaluated here."""
        names = [name for name, one in self.params.candidates.items() if one.dataset == dataset]
        return [name for name in names if (self.reports(name) / "predictions.parquet").is_file()]

    def reports(self, candidate: str) -> Path:
        """Give the folder of a candidate's reports."""
        return self.root / CandidatePaths(candidate, self.params.candidate(candidate).dataset).reports

    def read(self, candidate: str) -> Contender:
        """Read what a candidate predicts."""
        reports = self.reports(candidate)
        dataset = self.params.candidate(candidate).dataset
        return read_contender(f"{candidate} ({self.name})", dataset, reports, pd.DataFrame(), self.name)


@dataclass(frozen=True)
class Change:
    """A candidate in both revisions.

    Attributes:
        candidate: its name.
        same: whether it predicts the very same as before.
        compared: on the validation and the test images that both saw; empty where it is the same or cannot be compared.
        why_not: why it cannot be compared, in a sentence; empty if it can.
    """

    candidate: str
    same: bool
    compared: tuple[Comparison, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class Review:
    """What a change of the project means for one dataset.

    Attributes:
        dataset: its name.
        base, head: the two revisions.
        changes: the candidates that both have.
        added, removed: candidates that one of them alone has.
        best: the candidate that would challenge.
        decision: what the gate would say if the base's best were champion; None where there is nothing to decide.
        pairs: what both best ones said of the images that neither was trained on; None where they cannot be compared.
        metric: what it would be decided by.
    """

    dataset: str
    base: Side | None
    head: Side
    changes: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    best: str
    decision: Decision | None
    pairs: Pairs | None
    metric: str


def review(dataset: str, base: Side | None, head: Side) -> Review | None:
    """Review one dataset; None if it has no candidate that is evaluated.

    Args:
        dataset: its name.
        base: what to compare with; None if there is nothing, and the gate sees a first challenge.
        head: the revision with the changes.
    """
    mine = head.candidates(dataset)
    if not mine:
        return None
    theirs = base.candidates(dataset) if base and dataset in base.params.datasets else []
    both = [name for name in mine if name in theirs]
    best = _choose(head, dataset, mine)
    decision, pairs = _decide(dataset, base, head, theirs, best, len(mine))
    return Review(
        dataset=dataset,
        base=base if theirs else None,
        head=head,
        changes=tuple(_compare(name, base, head) for name in both if base),
        added=tuple(name for name in mine if name not in theirs),
        removed=tuple(name for name in theirs if name not in mine),
        best=best,
        decision=decision,
        pairs=pairs,
        metric=head.params.gate(dataset).metric,
    )


def _choose(side: Side, dataset: str, names: list[str]) -> str:
    """Give the candidate that would challenge, as `podium run` chooses it."""
    metric = side.params.gate(dataset).metric
    sign = -1 if metric in SMALLER_IS_BETTER else 1

    def rank(name: str) -> tuple[float, float]:
        figures = read_figures(side.reports(name))
        worst = -float("inf")
        value = figures.get(f"{VALIDATION}/{metric}")
        return worst if value is None else sign * value, -figures.get(f"{VALIDATION}/loss", float("inf"))

    return max(names, key=rank)


def _compare(candidate: str, base: Side, head: Side) -> Change:
    before, after = (side.reports(candidate) / "predictions.parquet" for side in (base, head))
    if file_digest(before) == file_digest(after):
        return Change(candidate, same=True)
    try:
        contenders = [base.read(candidate), head.read(candidate)]
        return Change(candidate, False, tuple(compare(contenders, split) for split in (VALIDATION, TEST)))
    except PodiumError as error:
        return Change(candidate, False, why_not=str(error))


def _decide(
    dataset: str, base: Side | None, head: Side, theirs: list[str], best: str, candidates: int
) -> tuple[Decision | None, Pairs | None]:
    """Ask the gate, as if the best of the base were champion; how models serve is not measured here."""
    figures = read_figures(head.reports(best))
    paths = CandidatePaths(best, dataset)
    epochs = count_epochs(head.params.schedule(head.params.candidate(best).schedule), head.root / paths.history)
    context = Context(
        challenger=f"{best} ({head.name})",
        champion=None,
        measures=make_measures(figures, None),
        candidates=candidates,
        epochs=epochs,
    )
    rules = head.params.gate(dataset)
    if base is None or not theirs:
        return decide(None, rules, context), None
    champion = _choose(base, dataset, theirs)
    before = base.reports(champion)
    if champion == best and file_digest(before / "predictions.parquet") == file_digest(
        head.reports(best) / "predictions.parquet"
    ):
        return None, None
    context = replace(
        context,
        champion=f"{champion} ({base.name})",
        champion_measures=make_measures(read_figures(before), None),
        newer_data=_splits(base, dataset) != _splits(head, dataset),
    )
    try:
        pairs, left_out = _pair(dataset, base, head, champion, best)
        context = replace(context, left_out=left_out)
    except PodiumError as error:
        return decide(None, rules, replace(context, incomparable=str(error))), None
    return decide(pairs, rules, context), pairs


def _pair(dataset: str, base: Side, head: Side, champion: str, challenger: str) -> tuple[Pairs | None, dict[str, int]]:
    manifest = head.root / DatasetPaths(dataset).manifest
    groups = load_manifest(manifest, ("sha256", "group")) if manifest.is_file() else None
    seen = {}
    for name, side in (("champion", base), ("challenger", head)):
        split = side.root / DatasetPaths(dataset).processed / "split.csv"
        if not split.is_file():
            raise PodiumError(f"Nothing says which images {side.name} was trained on: its split.csv is not there.")
        seen[name] = read_seen(split, groups)
    said = concatenate([*base.read(champion).predictions.values()])
    return make_pairs(said, head.read(challenger).predictions[VALIDATION], seen)


def _splits(side: Side, dataset: str) -> str:
    path = side.root / DatasetPaths(dataset).processed / "split.csv"
    return file_digest(path) if path.is_file() else ""
