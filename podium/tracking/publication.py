"""What a run in MLflow gets of one training result: sent so that a try that breaks is gone on with by the next."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Dataset as TrackedDataset
from mlflow.entities import DatasetInput, InputTag, LoggedModelStatus, Metric, Param, Run

from podium.config import Params
from podium.errors import PodiumError
from podium.files import file_digest
from podium.paths import CandidatePaths, DatasetPaths
from podium.tracking.connection import quote_filter, store_path, training_view
from podium.tracking.curves import read_history, send_curve
from podium.tracking.figures import describe_result, read_figures
from podium.tracking.kept import ENVIRONMENT, LINEAGE, MACHINE, SOURCE, find_files, log_lineage
from podium.tracking.lineage import Facts, Lineage, describe_candidate
from podium.tracking.moving import artifact_location
from podium.tracking.published import REPORTS

NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a run's description."""
PAGE, PICTURE = "index.html", "results.png"
"""Of the candidate's reports: what people look at first."""
METRICS_AT_ONCE = 1000
"""MLflow takes no more in a batch."""
VALIDATION = ("index.html", "summary.json", "findings.json")
"""What a run keeps of the validation of its dataset."""
FOLDERS = {REPORTS, "validation", LINEAGE}
"""Of a run's artifacts."""
MODEL_FILE = "MLmodel"
"""What every logged model has."""


@dataclass(frozen=True)
class Publication:
    """One training result on disk, and where it goes.

    Attributes:
        client: MLflow.
        root: the folder with the files, laid out as a project is: the project's root, or a snapshot's.
        params: the params page.
        name: the candidate.
        lineage: its digests.
        facts: finds out what no file of it says.
    """

    client: MlflowClient
    root: Path
    params: Params
    name: str
    lineage: Lineage
    facts: Callable[[], Facts]

    @property
    def paths(self) -> CandidatePaths:
        """The places of the candidate's files."""
        return CandidatePaths(self.name, self.params.candidate(self.name).dataset)

    @property
    def processed(self) -> Path:
        """The folder of the dataset's arrays."""
        return self.root / DatasetPaths(self.paths.dataset).processed

    @property
    def reports(self) -> Path:
        """The folder of the candidate's reports."""
        return self.root / self.paths.reports

    def metrics(self) -> dict[str, dict[str, float]]:
        """Read what `evaluate` measured, by split."""
        metrics: dict[str, dict[str, float]] = json.loads((self.reports / "metrics.json").read_text(encoding="utf-8"))
        return metrics

    def is_whole(self, run: Run) -> bool:
        """Say whether MLflow still has a finished run's own files: people delete artifacts, and disks get lost."""
        run_id = run.info.run_id
        if not {item.path for item in self.client.list_artifacts(run_id)} >= FOLDERS:
            return False
        there = {Path(item.path).name for item in self.client.list_artifacts(run_id, REPORTS)}
        return there >= {path.name for path in self.reports.glob("*")}

    def send(self, run_id: str) -> None:
        """Send what the run lacks, its training_key last of all.

        Raises:
            PodiumError: a file that it needs is not here any more.
        """
        self._check_files()
        log_params(self.client, run_id, self.params, self.name)  # again: a kill may have come between them and the run
        run = self.client.get_run(run_id)
        send_curve(self.client, run_id, read_history(self.root / self.paths.history))
        self._send_figures(run)
        self._send_files(run)
        if not find_model(self.client, run):
            from podium.tracking.logged_model import log_model  # MLflow's models, only where there is a new one

            image, model = self.params.dataset(self.paths.dataset).image, self.root / self.paths.model
            emptied = _find_emptied(self.client, run)
            log_model(self.client, run, model, self.processed, self.reports, image, emptied)
        self.client.set_tag(run_id, NOTE, self._describe(run))
        splits, lineage = file_digest(self.processed / "split.csv"), self.lineage
        for tag, text in {"data": lineage.data, "splits": splits, "evaluation": lineage.evaluation}.items():
            self.client.set_tag(run_id, f"podium.{tag}", text)
        self.client.set_terminated(run_id, "FINISHED")
        self.client.set_tag(run_id, "podium.training_key", lineage.training_key)

    def page(self, run: Run, server: str) -> str:
        """Give the address of a run's report card, with the server's own or, without one, relative to it."""
        return training_view(server, run.info.experiment_id, run.info.run_id, f"{REPORTS}/{PAGE}")

    def _check_files(self) -> None:
        needed = (self.paths.model, self.paths.history, self.paths.reports / "metrics.json")
        for path in (*needed, DatasetPaths(self.paths.dataset).processed / "split.csv"):
            if not (self.root / path).exists():
                raise PodiumError(
                    f"MLflow lacks what was trained and evaluated as {self.name}, and {path} is not here any more to "
                    f"be sent. `dvc checkout` brings it back from DVC's cache, `dvc repro evaluate@{self.name}` makes "
                    "it again; then `podium run`."
                )

    def _send_figures(self, run: Run) -> None:
        now, figures = int(time.time() * 1000), read_figures(self.reports)
        new = [Metric(key, value, now, 0) for key, value in figures.items() if run.data.metrics.get(key) != value]
        for start in range(0, len(new), METRICS_AT_ONCE):
            self.client.log_batch(run.info.run_id, metrics=new[start : start + METRICS_AT_ONCE])

    def _send_files(self, run: Run) -> None:
        run_id = run.info.run_id
        there = {item.path for item in self.client.list_artifacts(run_id)}
        self.client.log_artifacts(run_id, str(self.reports), REPORTS)
        found = self.root / DatasetPaths(self.paths.dataset).validation
        for report in VALIDATION:
            self.client.log_artifact(run_id, str(found / report), "validation")
        facts, has_inputs = self.facts(), run.inputs and run.inputs.dataset_inputs
        # The files of its last evaluation: the training in them is the same. Machine and packages are the training's.
        kept = find_files(self.root, self.paths.dataset) | {SOURCE: facts.source}
        if not has_inputs or LINEAGE not in there:
            kept |= {MACHINE: facts.machine, ENVIRONMENT: facts.environment}
        log_lineage(self.client, run_id, kept)
        if not has_inputs:
            self.client.log_inputs(run_id, self._inputs(facts))

    def _inputs(self, facts: Facts) -> list[DatasetInput]:
        """Describe the splits that a run saw, for MLflow's dataset lineage."""
        inputs = []
        for name, split in facts.splits.items():
            tracked = TrackedDataset(
                name=f"{self.paths.dataset}/{name}",
                digest=self.lineage.data[:32],
                source_type="local",
                source=json.dumps({"uri": split["uri"]}),
                profile=json.dumps({"images": split["images"], "shape": split["shape"]}),
            )
            context = "training" if name == "train" else name
            inputs.append(DatasetInput(tracked, [InputTag("mlflow.data.context", context)]))
        return inputs

    def _describe(self, run: Run) -> str:
        """Give the run's description; the addresses in it are relative to the server that shows it."""
        page = self.page(run, server="") if (self.reports / PAGE).is_file() else ""
        picture = f"get-artifact?path={REPORTS}/{PICTURE}&run_uuid={run.info.run_id}"
        return describe_result(self.reports, self.name, page, picture if (self.reports / PICTURE).is_file() else "")


def open_experiment(client: MlflowClient, dataset: str, root: Path) -> str:
    """Find or make the experiment, one a dataset, so that its candidates stand side by side; give its id.

    Args:
        client: MLflow.
        dataset: its name.
        root: where the artifacts of a store on this disk are.
    """
    if found := client.get_experiment_by_name(dataset):
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    location = artifact_location(root, dataset) if store_path(client.tracking_uri) else None
    return str(client.create_experiment(dataset, artifact_location=location))


def log_params(client: MlflowClient, run_id: str, params: Params, name: str) -> None:
    """Send a candidate's choices."""
    choices = describe_candidate(params, name)
    client.log_batch(run_id, params=[Param(key, value) for key, value in choices.items()])


def find_model(client: MlflowClient, run: Run) -> str:
    """Give the id of the model that a run logged in full and whose files are there; empty if it has none."""
    return next((one for one in _find_ready(client, run) if _has_files(client, one)), "")


def _find_emptied(client: MlflowClient, run: Run) -> str:
    """Give the id of a model whose files are gone. They go to the same place again: its versions name that."""
    return next((one for one in _find_ready(client, run) if not _has_files(client, one)), "")


def _find_ready(client: MlflowClient, run: Run) -> list[str]:
    of_run = f"source_run_id = {quote_filter(run.info.run_id)}"
    found = client.search_logged_models([run.info.experiment_id], of_run)
    return [one.model_id for one in found if one.status == LoggedModelStatus.READY]


def _has_files(client: MlflowClient, model_id: str) -> bool:
    return any(item.path == MODEL_FILE for item in client.list_logged_model_artifacts(model_id))
