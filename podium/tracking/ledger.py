"""Runs in MLflow: found, opened, filled and closed, so that each distinct training result has exactly one.

Everything is safe to repeat. A run gets its training_key last; one without is unfinished, and whoever comes
next with the same intent goes on with it.
"""

import logging
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run

from podium.config import Params
from podium.files import is_locked
from podium.paths import CLONES, CandidatePaths, home
from podium.tracking.connection import connect, quote_filter, tracking_uri
from podium.tracking.curves import Follower, agrees, read_history
from podium.tracking.failures import FAILURES, is_transient, translate
from podium.tracking.lineage import WORKSPACE, Facts, Lineage, read_facts, read_intent, read_lineage, workspace
from podium.tracking.names import CANDIDATE
from podium.tracking.publication import Publication, find_model, log_params, open_experiment
from podium.tracking.result import Result
from podium.tracking.spool import Spool

logger = logging.getLogger(__name__)


class Ledger:
    """The runs of one project's candidates."""

    def __init__(self, root: Path, params: Params, *, files: Path | None = None, facts: Facts | None = None) -> None:
        """Know what to publish.

        Args:
            root: the project's root.
            params: its params page.
            files: where the candidates' files are, if not in the project: a snapshot, laid out like one.
            facts: what was true when the snapshot was made.
        """
        self._root, self._params = root, params
        self._files, self._facts = files or root, facts

    @cached_property
    def client(self) -> MlflowClient:
        """The connection, made at first use: a new store takes seconds to be laid out."""
        return connect(self._root)

    @property
    def spool(self) -> Spool:
        """What could not be sent yet."""
        return Spool(self._root)

    def follow(self, name: str) -> Follower:
        """Follow a candidate's training; to be used around it as a context manager.

        If the block ends in an exception, the run is marked as failed. The next try goes on with it.
        """
        schedule = self._params.schedule(self._params.candidate(name).schedule)
        return Follower(
            self._files / self._paths(name).history, schedule.epochs, lambda: (self.client, self._open(name))
        )

    def publish(self, name: str) -> Result:
        """Make sure that a candidate's training result, and what evaluation says of it, is in the ledger.

        Args:
            name: a candidate that is trained and evaluated.

        Returns:
            The result.

        Raises:
            PodiumError: it is not trained and evaluated yet, or MLflow has lost its files and they are not here.
        """
        lineage = read_lineage(self._files, self._params, name)
        experiment = self._experiment(name)
        publication = Publication(self.client, self._files, self._params, name, lineage, lambda: self._read_facts(name))
        is_known = f"tags.`podium.training_key` = {quote_filter(lineage.training_key)}"
        known = next(self._search([experiment], is_known), None)
        run_id = known.info.run_id if known else self._open(name)
        model_id = find_model(self.client, known) if known else ""
        evaluation = known.data.tags.get("podium.evaluation") if known else None
        if known is None or not model_id or evaluation != lineage.evaluation or not publication.is_whole(known):
            publication.send(run_id)
            model_id = find_model(self.client, self.client.get_run(run_id))
            logger.info("%s is in MLflow, run %s", name, run_id)
        if not self._is_training(name):
            self._tidy(experiment, name, lineage)
        run = self.client.get_run(run_id)
        result = Result(
            candidate=name,
            run_id=run_id,
            model_id=model_id,
            metrics=publication.metrics(),
            splits=run.data.tags["podium.splits"],
            is_new=known is None,
            page=publication.page(run, uri) if (uri := self.client.tracking_uri).startswith("http") else "",
        )
        self.spool.drop(lineage.training_key)
        return result

    def keep(self, name: str) -> str:
        """Keep a result that MLflow does not take now, to be sent later; say where it is, and how large.

        Raises:
            PodiumError: the candidate is not trained and evaluated yet.
        """
        key = read_lineage(self._root, self._params, name).training_key
        return self.spool.keep(key, self._paths(name), self._read_facts(name))

    def sync(self) -> list[str]:
        """Send what the spool holds, the oldest first, and close the runs that kills left.

        It is safe to repeat. If MLflow does not answer, what is left stays.

        Returns:
            What was done, and what is left, in lines for people.
        """
        with self.spool.alone() as is_mine:
            if not is_mine:
                return ["Another process sends what the spool holds."]
            return list(self._sync())

    def _sync(self) -> Iterator[str]:
        waiting = self.spool.snapshots()
        for number, kept in enumerate(waiting):
            try:
                ledger = Ledger(self._root, kept.read_params(), files=kept.folder, facts=kept.facts)
                ledger.client = self.client
                yield f"{kept.title}: sent, run {ledger.publish(kept.candidate).run_id}."
            except FAILURES as error:
                yield f"{kept.title}: stays. {translate(error, tracking_uri(self._root))}"
                if is_transient(error):
                    yield from (f"{one.title}: stays." for one in waiting[number + 1 :])
                    return
        try:
            yield from self._close_left()
        except FAILURES as error:
            yield str(translate(error, tracking_uri(self._root)))

    def _close_left(self) -> Iterator[str]:
        """Mark the runs of this workspace that no training goes on with any more."""
        experiments = [one.experiment_id for one in self.client.search_experiments()]
        query = "tags.`podium.training_key` IS NULL and attributes.status = 'RUNNING'"
        for run in self._search(experiments, query) if experiments else ():
            name = run.data.tags.get(CANDIDATE)
            if name and ((self._is_mine(run) and not self._is_training(name)) or self._is_of_removed_clone(run)):
                self.client.set_terminated(run.info.run_id, "KILLED")
                yield f"{name}: run {run.info.run_id} is closed, its training was killed."

    def _is_training(self, name: str) -> bool:
        """Say whether a training of a candidate is going on here, in this process or another."""
        return is_locked(self._root / CandidatePaths(name, "").checkpoint)

    def _read_facts(self, name: str) -> Facts:
        return self._facts or read_facts(self._root, self._params.candidate(name).dataset)

    def _paths(self, name: str) -> CandidatePaths:
        return CandidatePaths(name, self._params.candidate(name).dataset)

    def _experiment(self, name: str) -> str:
        """Find or make the experiment, one a dataset, so that its candidates stand side by side."""
        return open_experiment(self.client, self._params.candidate(name).dataset, self._root)

    def _search(self, experiments: list[str], query: str) -> Iterator[Run]:
        token: str | None = None
        while True:
            found = self.client.search_runs(experiments, query, max_results=1000, page_token=token)
            yield from found
            token = found.token
            if not token:
                return

    def _is_mine(self, run: Run) -> bool:
        return bool(run.data.tags.get(WORKSPACE) == workspace(self._root))

    def _is_of_removed_clone(self, run: Run) -> bool:
        """Say whether a run was made in an isolated clone of this project that is gone: a kill left both."""
        made_in = run.data.tags.get(WORKSPACE, "")
        clones = workspace(home(self._root) / CLONES)
        return made_in.startswith(f"{clones}{os.sep}") and not Path(made_in.partition(":")[2]).exists()

    def _unfinished(self, experiment: str, name: str) -> list[Run]:
        query = f"tags.`podium.candidate` = {quote_filter(name)} and tags.`podium.training_key` IS NULL"
        return [run for run in self._search([experiment], query) if self._is_mine(run)]

    def _open(self, name: str) -> str:
        """Open a run for a training, or go on with the one that an interrupted try left."""
        intent = read_intent(self._files, self._params, name)
        experiment = self._experiment(name)
        rows = read_history(self._files / self._paths(name).history)
        is_replay = self._files != self._root
        for run in () if is_replay and self._is_training(name) else self._unfinished(experiment, name):
            # The code is no part of the intent: edited in between, it makes another training, with another curve.
            if run.data.tags["podium.intent"] == intent and agrees(self.client, run.info.run_id, rows):
                self.client.update_run(run.info.run_id, "RUNNING")
                return str(run.info.run_id)
        tags = {CANDIDATE: name, "podium.intent": intent, **self._read_facts(name).tags}
        run = self.client.create_run(experiment, tags=tags, run_name=name)
        log_params(self.client, run.info.run_id, self._params, name)
        return str(run.info.run_id)

    def _tidy(self, experiment: str, name: str, lineage: Lineage) -> None:
        """Close what earlier tries left: the same training's remains go, another training's are marked."""
        for run in self._unfinished(experiment, name):
            if run.data.tags["podium.intent"] == lineage.intent:
                self.client.delete_run(run.info.run_id)
            elif run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "KILLED")
