"""What came of trials: read from the cache, sent to MLflow, ranked, and put on a page."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from flows.compare.plan import Plan, Trial
from flows.compare.trial import Trained
from flows.display import current_display
from flows.errors import naming_the_library
from podium.config import load_params
from podium.errors import TransientError
from podium.evaluation.intervals import Floats
from podium.evaluation.predictions import load_predictions
from podium.evaluation.ranking import RANKED, Entrant, Facts, Sheet, page_path, per_image, rank, write_page
from podium.paths import LOCK, PARAMS, CandidatePaths
from podium.tracking import Ledger, tracking_uri, where_to_look
from podium.tracking.sweeps import Views, name_run, search_text, tag_places
from podium.workspace.clone import isolated_clone
from podium.workspace.exchange import bring_outputs

OF_DATASETS = ("validate", "preprocess")
"""Stages whose outputs a publication needs."""


@dataclass(frozen=True)
class Measured:
    """What a trial shows.

    Attributes:
        trial: which.
        scores: (images,) see `per_image`.
        groups: (images,) of near-duplicates.
        cost: see `podium.models.cost`.
        accuracy: on the validation split.
        run_id: in MLflow; empty where that did not take it.
    """

    trial: Trial
    scores: Floats
    groups: NDArray[np.int64]
    cost: dict[str, float | str | None]
    accuracy: float
    run_id: str = ""


@dataclass
class Collector:
    """Takes what trials made, one after the other, into one clone.

    Attributes:
        plan: the sweep.
        clone: the clone's root.
        remote: see `Source`.
        away: why MLflow takes nothing now; empty while it does.
    """

    plan: Plan
    clone: Path
    remote: str | None
    away: str = ""
    _brought: set[str] = field(default_factory=set)

    def collect(self, trial: Trial, trained: Trained) -> Measured:
        """Check out what a trial made, publish it, and read what it shows.

        Raises:
            PodiumError: it is not to be had any more.
        """
        variant = trial.variant
        (self.clone / PARAMS).write_text(trial.page, encoding="utf-8")
        (self.clone / LOCK).write_text(trained.lock, encoding="utf-8")
        shared = [f"{kind}@{variant.dataset}" for kind in OF_DATASETS if variant.dataset not in self._brought]
        bring_outputs(self.clone, [*trial.stages, *shared], self.remote)
        self._brought.add(variant.dataset)
        reports = self.clone / CandidatePaths(variant.candidate, variant.dataset).reports
        predictions = load_predictions(reports / "predictions.parquet")["validation"]
        scores = per_image(predictions, ranked_by(self.plan, variant.dataset))
        known = np.isfinite(scores)
        return Measured(
            trial=trial,
            scores=scores[known],
            groups=predictions.groups[known],
            cost=json.loads((reports / "cost.json").read_text(encoding="utf-8")),
            accuracy=float(predictions.right.mean()),
            run_id=self._publish(trial),
        )

    def _publish(self, trial: Trial) -> str:
        if self.away:
            return ""
        root = self.plan.root
        ledger = Ledger(root, load_params(self.clone / PARAMS), files=self.clone)
        try:
            with naming_the_library(root):
                result = ledger.publish(trial.variant.candidate)
                if result.is_new and not trial.is_on_page:
                    name_run(root, result.run_id, trial.title)
                return result.run_id
        except TransientError as error:
            self.away = error.what
            return ""


@contextmanager
def collecting(plan: Plan, commit: str, remote: str | None) -> Iterator[Collector]:
    """Give a collector with a clone of its own, which is removed afterwards."""
    with isolated_clone(plan.root, commit) as clone:
        yield Collector(plan, clone, remote)


def ranked_by(plan: Plan, dataset: str) -> str:
    """Give the metric that a dataset's candidates are ranked by: that of its gate, if it is a mean over images."""
    metric = plan.params.gate(dataset).metric
    return metric if metric in RANKED else "accuracy"


def show_ranking(plan: Plan, dataset: str, measured: Sequence[Measured], failed: Sequence[str]) -> tuple[Sheet, Path]:
    """Rank a dataset's variants, tell MLflow, and write the page.

    Args:
        plan: the sweep.
        dataset: whose variants.
        measured: at least one trial of theirs.
        failed: what could not be trained, in sentences.

    Returns:
        What the page shows, and its place, relative to the root.

    Raises:
        PodiumError: the trials did not see the same images.
    """
    of: dict[str, list[Measured]] = {}
    for each in measured:
        of.setdefault(each.trial.variant.title, []).append(each)
    variants = {title: mine[0].trial.variant for title, mine in of.items()}
    ranking = rank(
        [Entrant(title, np.stack([each.scores for each in mine])) for title, mine in of.items()], measured[0].groups
    )
    key, names = plan.key(dataset), [one.name for one in ranking.standings]
    places = [[each.run_id for each in of[name]] for name in names]
    views = Views("", "", [""] * len(names))
    listed = ""
    if any(filter(None, (run for runs in places for run in runs))):
        try:
            with naming_the_library(plan.root):
                views = tag_places(plan.root, dataset, key, places, [one.chance for one in ranking.standings])
        except TransientError as error:
            current_display().say(f"MLflow does not have the ranking: {error}")
        else:
            listed = f"{where_to_look(tracking_uri(plan.root))}, by the search {search_text(key)}"
    best = variants[names[0]]
    sheet = Sheet(
        dataset=dataset,
        metric=ranked_by(plan, dataset),
        ranking=ranking,
        facts={
            name: Facts(variants[name].candidate, variants[name].changes, of[name][0].cost, run)
            for name, run in zip(names, views.pages, strict=True)
        },
        failed=failed,
        view=views.listed or listed,
        compared=views.compared,
        take=f"dvc exp run {' '.join(f'-S {quote(each)}' for each in best.overrides)}" if best.overrides else "",
    )
    page = page_path(dataset, list(dict.fromkeys(one.candidate for one in variants.values())), key)
    write_page(sheet, plan.root / page)
    return sheet, page
