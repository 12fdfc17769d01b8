"""Runs in MLflow: found, opened, filled and closed, so that each distinct training result has exactly one.

Everything is safe to repeat. A run gets its training_key last; one without is unfinished, and whoever comes
next with the same intent goes on with it.
"""

import json
import logging
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset as TrackedDataset
from mlflow.entities import DatasetInput, InputTag, LoggedModelStatus, Metric, Param, Run

from podium.config import Params
from podium.datasets.arrays import SPLITS, open_split
from podium.files import file_digest
from podium.models.runtime import prepare
from podium.paths import LOCK, PARAMS, CandidatePaths, DatasetPaths
from podium.tracking.connection import connect, training_view
from podium.tracking.curves import Follower, agrees, read_history, send_curve
from podium.tracking.figures import describe_result, read_figures
from podium.tracking.lineage import (
    Lineage,
    describe_candidate,
    describe_environment,
    describe_source,
    read_intent,
    read_lineage,
    workspace,
)
from podium.tracking.published import REPORTS
from podium.tracking.result import Result

logger = logging.getLogger(__name__)

READY = LoggedModelStatus.READY
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a run's description."""
PAGE, PICTURE = "index.html", "results.png"
"""Of the candidate's reports: what people look at first."""
METRICS_AT_ONCE = 1000
"""MLflow takes no more in a batch."""
VALIDATION = ("index.html", "summary.json", "findings.json")
"""What a run keeps of the validation of its dataset."""


class Ledger:
    """The runs of one project's candidates."""

    def __init__(self, root: Path, params: Params) -> None:
        """Know what to publish.

        Args:
            root: the project's root.
            params: its params page.
        """
        self._root, self._params = root, params

    @cached_property
    def client(self) -> MlflowClient:
        """The connection, made at first use: a new store takes seconds to be laid out."""
        return connect(self._root)

    def follow(self, name: str) -> Follower:
        """Follow a candidate's training; to be used around it as a context manager.

        If the block ends in an exception, the run is marked as failed. The next try goes on with it.
        """
        schedule = self._params.schedule(self._params.candidate(name).schedule)
        return Follower(
            self._root / self._paths(name).history, schedule.epochs, lambda: (self.client, self._open(name))
        )

    def publish(self, name: str) -> Result:
        """Make sure that a candidate's training result, and what evaluation says of it, is in the ledger.

        Args:
            name: a candidate that is trained and evaluated.

        Returns:
            The result.

        Raises:
            PodiumError: it is not trained and evaluated yet.
        """
        lineage = read_lineage(self._root, self._params, name)
        experiment = self._experiment(name)
        known = self._search(experiment, f"tags.`podium.training_key` = '{lineage.training_key}'")
        run_id = known[0].info.run_id if known else self._open(name)
        if not known or known[0].data.tags.get("podium.evaluation") != lineage.evaluation:
            self._fill(run_id, name, lineage)
        self._tidy(experiment, name, lineage)
        run = self.client.get_run(run_id)
        return Result(
            candidate=name,
            run_id=run_id,
            model_id=self._model_id(run),
            metrics=self._metrics(name),
            splits=run.data.tags["podium.splits"],
            is_new=not known,
            page=self._page(run) if self.client.tracking_uri.startswith("http") else "",
        )

    def _paths(self, name: str) -> CandidatePaths:
        return CandidatePaths(name, self._params.candidate(name).dataset)

    def _processed(self, name: str) -> Path:
        return self._root / DatasetPaths(self._params.candidate(name).dataset).processed

    def _metrics(self, name: str) -> dict[str, dict[str, float]]:
        path = self._root / self._paths(name).reports / "metrics.json"
        metrics: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
        return metrics

    def _experiment(self, name: str) -> str:
        """Find or make the experiment, one a dataset, so that its candidates stand side by side."""
        dataset = self._params.candidate(name).dataset
        if found := self.client.get_experiment_by_name(dataset):
            if found.lifecycle_stage == "deleted":
                self.client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        local = self.client.tracking_uri.startswith("sqlite:")
        location = (self._root / "mlflow-artifacts" / dataset).as_uri() if local else None
        return str(self.client.create_experiment(dataset, artifact_location=location))

    def _search(self, experiment: str, query: str) -> list[Run]:
        return list(self.client.search_runs([experiment], query, max_results=100))

    def _unfinished(self, experiment: str, name: str) -> list[Run]:
        mine = f"tags.`podium.candidate` = '{name}' and tags.`podium.workspace` = '{workspace(self._root)}'"
        return self._search(experiment, f"{mine} and tags.`podium.training_key` IS NULL")

    def _open(self, name: str) -> str:
        """Open a run for a training, or go on with the one that an interrupted try left."""
        intent = read_intent(self._root, self._params, name)
        experiment = self._experiment(name)
        rows = read_history(self._root / self._paths(name).history)
        for run in self._unfinished(experiment, name):
            # The code is no part of the intent: edited in between, it makes another training, with another curve.
            if run.data.tags["podium.intent"] == intent and agrees(self.client, run.info.run_id, rows):
                self.client.update_run(run.info.run_id, "RUNNING")
                return str(run.info.run_id)
        tags = {
            "podium.candidate": name,
            "podium.intent": intent,
            "podium.workspace": workspace(self._root),
            **describe_source(self._root),
        }
        run = self.client.create_run(experiment, tags=tags, run_name=name)
        self._log_params(run.info.run_id, name)
        return str(run.info.run_id)

    def _log_params(self, run_id: str, name: str) -> None:
        params = [Param(key, value) for key, value in describe_candidate(self._params, name).items()]
        self.client.log_batch(run_id, params=params)

    def _fill(self, run_id: str, name: str, lineage: Lineage) -> None:
        paths, processed = self._paths(name), self._processed(name)
        self._log_params(run_id, name)  # again: a kill may have come between them and the run
        run = self.client.get_run(run_id)
        send_curve(self.client, run_id, read_history(self._root / paths.history))
        reports = self._root / paths.reports
        now, figures = int(time.time() * 1000), read_figures(reports)
        new = [Metric(key, value, now, 0) for key, value in figures.items() if run.data.metrics.get(key) != value]
        for start in range(0, len(new), METRICS_AT_ONCE):
            self.client.log_batch(run_id, metrics=new[start : start + METRICS_AT_ONCE])
        self.client.log_artifacts(run_id, str(reports), REPORTS)
        found = self._root / DatasetPaths(paths.dataset).validation
        for report in VALIDATION:
            self.client.log_artifact(run_id, str(found / report), "validation")
        if not (run.inputs and run.inputs.dataset_inputs):
            for file in (LOCK, PARAMS):
                self.client.log_artifact(run_id, str(self._root / file), "lineage")
            self.client.log_artifact(run_id, str(processed / "split.csv"), "lineage")
            self.client.log_text(run_id, describe_environment(), "lineage/environment.txt")
            self.client.log_inputs(run_id, _inputs(self._params.candidate(name).dataset, processed, lineage))
        if not self._model_id(run):
            prepare()
            from podium.tracking.logged_model import log_model  # TensorFlow, only where there is a new model

            log_model(self.client, run, self._root / paths.model, processed)
        splits = file_digest(processed / "split.csv")
        self.client.set_tag(run_id, NOTE, self._describe(run, name))
        for tag, text in {"data": lineage.data, "splits": splits, "evaluation": lineage.evaluation}.items():
            self.client.set_tag(run_id, f"podium.{tag}", text)
        self.client.set_terminated(run_id, "FINISHED")
        self.client.set_tag(run_id, "podium.training_key", lineage.training_key)
        logger.info("%s is in MLflow, run %s", name, run_id)

    def _page(self, run: Run, server: str | None = None) -> str:
        """Give the address of a run's report card; by default with the server's own."""
        server = self.client.tracking_uri if server is None else server
        return training_view(server, run.info.experiment_id, run.info.run_id, f"{REPORTS}/{PAGE}")

    def _describe(self, run: Run, name: str) -> str:
        """Give the run's description; the addresses in it are relative to the server that shows it."""
        reports = self._root / self._paths(name).reports
        page = self._page(run, server="") if (reports / PAGE).is_file() else ""
        picture = f"get-artifact?path={REPORTS}/{PICTURE}&run_uuid={run.info.run_id}"
        return describe_result(reports, name, page, picture if (reports / PICTURE).is_file() else "")

    def _model_id(self, run: Run) -> str:
        """Give the id of the model that a run logged in full; empty if it has none."""
        logged = run.outputs.model_outputs if run.outputs else []
        ready = [one.model_id for one in logged if self.client.get_logged_model(one.model_id).status == READY]
        return ready[0] if ready else ""

    def _tidy(self, experiment: str, name: str, lineage: Lineage) -> None:
        """Close what earlier tries left: the same training's remains go, another training's are marked."""
        for run in self._unfinished(experiment, name):
            if run.data.tags["podium.intent"] == lineage.intent:
                self.client.delete_run(run.info.run_id)
            elif run.info.status == "RUNNING":
                self.client.set_terminated(run.info.run_id, "KILLED")


def _inputs(dataset: str, processed: Path, lineage: Lineage) -> list[DatasetInput]:
    """Describe the splits that a run saw, for MLflow's dataset lineage."""
    inputs = []
    for name in SPLITS:
        split = open_split(processed / name)
        source: dict[str, Any] = {"uri": (processed / name).as_uri()}
        tracked = TrackedDataset(
            name=f"{dataset}/{name}",
            digest=lineage.data[:32],
            source_type="local",
            source=json.dumps(source),
            profile=json.dumps({"images": len(split), "shape": list(split.images.shape[1:])}),
        )
        context = "training" if name == "train" else name
        inputs.append(DatasetInput(tracked, [InputTag("mlflow.data.context", context)]))
    return inputs
