"""A project as the stages leave it, made without running them, and the MLflow store that it is published to."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
import yaml
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException

from podium.config import Params, load_params
from podium.datasets.arrays import SPLITS, SplitWriter, load_classes, open_split
from podium.evaluation.predictions import Predictions, save_predictions
from podium.paths import PARAMS, CandidatePaths, DatasetPaths
from podium.tracking import Ledger, Result, tracking_uri
from tests.makers import REPOSITORY

DATASET = "digits"
CANDIDATES = ("digits-dense", "digits-cnn")
IMAGES = 6
"""In each split."""
EPOCHS = {"digits-dense": 15, "digits-cnn": 20}
"""Of the shipped schedules."""

COLUMNS = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")
SCORES = {
    "validation": {"accuracy": 0.75, "loss": 0.5},
    "test": {"accuracy": 0.7, "loss": 0.6},
}

_PAGES: dict[str, Params] = {}
"""By their text: to read one takes a tenth of a second."""


@dataclass(frozen=True)
class Trained:
    """A project in which every stage of the shipped page has run, it seems; its models are no models."""

    root: Path

    @property
    def page(self) -> Params:
        text = (self.root / PARAMS).read_text()
        if text not in _PAGES:
            _PAGES[text] = load_params(self.root / PARAMS)
        return _PAGES[text]

    @property
    def ledger(self) -> Ledger:
        """Give a new one, as a new process would make it."""
        return Ledger(self.root, self.page)

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(tracking_uri(self.root))

    def paths(self, name: str) -> CandidatePaths:
        return CandidatePaths(name, DATASET)

    def edit(self, old: str, new: str) -> None:
        """Change the page; the lock stays."""
        text = (self.root / PARAMS).read_text()
        assert old in text
        (self.root / PARAMS).write_text(text.replace(old, new))

    def write_history(self, name: str, epochs: int, *, loss: float = 1.0) -> None:
        """Write the history of a training as far as it has come; `loss` is that of its first epoch."""
        rows = [f"{step},fit,{loss / step},0.5,{2 * loss / step},0.4,0.001\n" for step in range(1, epochs + 1)]
        path = self.root / self.paths(name).history
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(",".join(("step", "phase", *COLUMNS)) + "\n" + "".join(rows))

    def write_metrics(self, name: str, metrics: dict[str, dict[str, float]]) -> None:
        """Write what is measured: the numbers, and each with an interval."""
        estimates = {
            split: {key: {"value": value, "low": value - 0.125, "high": value + 0.125} for key, value in some.items()}
            for split, some in metrics.items()
        }
        reports = self.root / self.paths(name).reports
        reports.mkdir(parents=True, exist_ok=True)
        for file, content in {"metrics": metrics, "evaluation": {"metrics": estimates}}.items():
            (reports / f"{file}.json").write_text(json.dumps(content, indent=2) + "\n")

    def write_predictions(self, name: str, *, wrong: int) -> None:
        """Write predictions of the validation and the test images, of which the first so many are wrong."""
        processed = self.root / DatasetPaths(DATASET).processed
        classes = tuple(load_classes(processed))
        splits = {}
        for split in ("validation", "test"):
            arrays = open_split(processed / split)
            labels = np.asarray(arrays.labels)
            said = np.where(np.arange(len(labels)) < wrong, (labels + 1) % len(classes), labels)
            probabilities = np.full((len(labels), len(classes)), 0.02, np.float32)
            probabilities[np.arange(len(labels)), said] = 0.82
            ids, digests = np.asarray(arrays.ids), np.array([_digest(split, row) for row in range(len(labels))])
            groups, shape = np.arange(len(labels)), arrays.images.shape[1:]
            splits[split] = Predictions(ids, labels, probabilities, groups, digests, classes, shape)
        save_predictions(splits, self.root / self.paths(name).reports / "predictions.parquet")

    def lock(self) -> None:
        """Write dvc.lock: what every stage wrote, by the digests of the files as they are now."""
        digits = DatasetPaths(DATASET)
        stages = {f"preprocess@{DATASET}": self._outputs(digits.processed)}
        for name in CANDIDATES:
            paths = self.paths(name)
            reports = [paths.reports / file for file in ("metrics.json", "predictions.parquet")]
            stages[f"train@{name}"] = self._outputs(paths.history, paths.model)
            stages[f"evaluate@{name}"] = self._outputs(*reports)
            stages[f"confusion_matrix@{name}"] = self._outputs(paths.reports / "confusion_matrix.csv")
        (self.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False))

    def _outputs(self, *paths: Path) -> dict[str, Any]:
        return {"outs": [{"path": str(path), "hash": "md5", "md5": _md5(self.root / path)} for path in paths]}

    def train(self, ledger: Ledger, name: str, *, loss: float = 1.0) -> None:
        """Do what a flow does while a candidate trains; the model is logged as well, so that nobody needs TensorFlow.

        The ledger's follower sees the history after two epochs and once more before the last one.
        """
        (self.root / self.paths(name).history).unlink(missing_ok=True)
        follower = ledger.follow(name)
        for epochs in (2, EPOCHS[name] - 1):
            self.write_history(name, epochs, loss=loss)
            follower._look()
        self.write_history(name, EPOCHS[name], loss=loss)
        (self.root / self.paths(name).model).write_text(f"{name}, trained from loss {loss}")
        self.lock()
        for run in find_runs(self.client, name):
            if not run.outputs.model_outputs:
                log_empty_model(self.client, run)


def make_trained(root: Path, store: Path) -> Trained:
    """Make a project with what each stage leaves, and an empty store of MLflow's.

    Args:
        root: the folder to make.
        store: an empty store to be copied: to lay one out takes seconds.
    """
    trained = Trained(root)
    digits = DatasetPaths(DATASET)
    root.mkdir(parents=True)
    shutil.copy(REPOSITORY / PARAMS, root)
    shutil.copy(store, root / "mlflow.db")
    make_digits(root / digits.processed)
    (root / digits.validation).mkdir(parents=True)
    for name in ("index.html", "summary.json", "findings.json", "leaks.csv"):
        (root / digits.validation / name).write_text(f"{name} of {DATASET}\n")
    for name in CANDIDATES:
        paths = trained.paths(name)
        trained.write_history(name, EPOCHS[name])
        (root / paths.model).write_text(f"{name}, a model for those who do not open it")
        trained.write_metrics(name, SCORES)
        trained.write_predictions(name, wrong=CANDIDATES.index(name))
        for report in ("confusion_matrix.csv", "gallery.png"):
            (root / paths.reports / report).write_text(f"{report} of {name}\n")
    trained.lock()
    return trained


def make_digits(processed: Path, *, labels: Sequence[int] = range(IMAGES), side: int = 8) -> None:
    """Write the arrays of `digits` as `preprocess` does, but with few images: noise, the same in every split."""
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, side, side, 1), dtype=np.uint8)
    for split in SPLITS:
        ids = [f"{split}-{row}" for row in range(IMAGES)]
        with SplitWriter(processed / split, (side, side, 1), ids) as writer:
            for image, label in zip(images, labels, strict=True):
                writer.write(image, label)
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    (processed / "classes.json").write_text(json.dumps(names))
    rows = [f"{split}-{row},{_digest(split, row)},{split}\n" for split in SPLITS for row in range(IMAGES)]
    (processed / "split.csv").write_text("id,sha256,split\n" + "".join(rows))


def _digest(split: str, row: int) -> str:
    return hashlib.sha256(f"{split}-{row}".encode()).hexdigest()


def find_runs(client: MlflowClient, name: str) -> list[Run]:
    """Give a candidate's runs, the oldest first."""
    experiment = client.get_experiment_by_name(DATASET)
    assert experiment is not None
    mine = f"tags.`podium.candidate` = '{name}'"
    return list(client.search_runs([experiment.experiment_id], mine, order_by=["attributes.start_time"]))


def log_empty_model(client: MlflowClient, run: Run) -> str:
    """Give a run a logged model that is ready and has no files but its description; give its id."""
    logged = client.create_logged_model(run.info.experiment_id, run.info.run_name, source_run_id=run.info.run_id)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, 0)])
    with TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_text("{}")
        client.log_model_artifacts(logged.model_id, folder)
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return str(logged.model_id)


def make_champion(client: MlflowClient, result: Result) -> None:
    """Make a result the champion, as a person does it in MLflow: nobody is asked."""
    mlflow.set_tracking_uri(client.tracking_uri)
    client.create_registered_model(DATASET)
    version = client.create_model_version(DATASET, f"models:/{result.model_id}", run_id=result.run_id)
    client.set_registered_model_alias(DATASET, "champion", str(version.version))


class Unreliable:
    """A client of MLflow's for which one call fails: what it asked for is not done, or it is and nobody hears of it."""

    def __init__(self, client: MlflowClient, failing: int = 0, *, after: bool = False) -> None:
        """Count calls.

        Args:
            client: who answers all other calls.
            failing: the call that fails, from 1; 0 for none.
            after: it fails after it was done.
        """
        self._client, self._failing, self._after = client, failing, after
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._client, name)
        if not callable(answer):
            return answer

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.calls.append(name)
            number = len(self.calls)
            if number == self._failing and not self._after:
                raise MlflowException(f"no answer to call {number}, {name}")
            result = answer(*arguments, **keywords)
            if number == self._failing:
                raise MlflowException(f"no answer to call {number}, {name}")
            return result

        return call


def describe_runs(trained: Trained) -> list[dict[str, Any]]:
    """Give all that MLflow holds of a project's runs, but for what differs between two projects that did the same."""
    client = trained.client
    return [_describe(client, trained.root, run) for name in CANDIDATES for run in find_runs(client, name)]


def _describe(client: MlflowClient, root: Path, run: Run) -> dict[str, Any]:
    files = Path(run.info.artifact_uri.removeprefix("file://"))
    inputs = [(one.dataset.name, one.dataset.digest, one.tags[0].value) for one in run.inputs.dataset_inputs]
    models = [client.get_logged_model(one.model_id) for one in run.outputs.model_outputs]
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "tags": {key: text.replace(str(root), "ROOT") for key, text in run.data.tags.items()},
        "params": run.data.params,
        "metrics": {
            key: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        },
        "files": dict(sorted(_digests(files))),
        "inputs": sorted(inputs),
        "models": [(model.name, model.status) for model in models],
    }


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), _md5(path)


def _md5(path: Path) -> str:
    """Give the md5 of a file or folder as DVC writes it."""
    if path.is_dir():
        listed = json.dumps(sorted(_digests(path)))
        return f"{hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()}.dir"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
