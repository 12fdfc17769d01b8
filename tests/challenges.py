"""Training results in an MLflow store, with all that a challenge looks at, made without training anything."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric

from podium.evaluation.predictions import Predictions, save_predictions
from podium.registry.journal import Journal
from podium.registry.measures import P95, PEAK, PROBED_ON, Served
from podium.tracking import Result
from tests.trained import DATASET, log_empty_model

CLASSES = ("zero", "one", "two")
IMAGES = 120
"""In the validation split, by default."""


@dataclass
class Serving:
    """Says how versions serve, in the place of the probe.

    Attributes:
        faults: why a version does not, by its number.
        machine: which one this is.
        asked: the numbers of the versions that were asked, in order.
    """

    faults: dict[str, str] = field(default_factory=dict)
    machine: str = "a machine"
    asked: list[str] = field(default_factory=list)

    def __call__(self, client: MlflowClient, version: Any) -> Served:
        number = str(version.version)
        self.asked.append(number)
        if number in self.faults:
            return Served(None, None, self.machine, self.faults[number])
        for key, value in {P95: "2.5", PEAK: "300.0", PROBED_ON: self.machine}.items():
            client.set_model_version_tag(version.name, number, key, value)
        return Served(2.5, 300.0, self.machine)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def make_client(root: Path) -> MlflowClient:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    client.create_experiment(DATASET, artifact_location=(root / "artifacts").as_uri())
    return client


def predict(
    right: int,
    *,
    names: Sequence[str] = (),
    labels: Sequence[int] = (),
    groups: Sequence[int] = (),
    classes: tuple[str, ...] = CLASSES,
    side: int = 8,
) -> Predictions:
    """Make predictions of images, of which the first so many are right."""
    names = names or [f"v{place}" for place in range(IMAGES)]
    truth = np.array(labels or [place % len(classes) for place in range(len(names))])
    said = np.where(np.arange(len(names)) < right, truth, (truth + 1) % len(classes))
    probabilities = np.full((len(names), len(classes)), 0.2 / (len(classes) - 1), np.float32)
    probabilities[np.arange(len(names)), said] = 0.8
    where = np.array(groups) if len(groups) else np.arange(len(names))
    digests = np.array([digest(name) for name in names])
    return Predictions(np.array(names), truth, probabilities, where, digests, classes, (side, side, 1))


def make_result(
    client: MlflowClient,
    candidate: str,
    right: int,
    *,
    loss: float = 0.5,
    trained_on: Sequence[str] = ("t0", "t1"),
    predictions: Predictions | None = None,
    kept: bool = True,
    data: str = "data",
    **figures: float,
) -> Result:
    """Put a run with a logged model, predictions and splits into the ledger.

    It has no metrics of the test split: to read them fails.
    """
    some = predictions or predict(right)
    accuracy = float(some.right.mean())
    validation = {"accuracy": accuracy, "macro_f1": accuracy, "loss": loss} | figures
    tags = {
        "podium.candidate": candidate,
        "podium.data": data,
        "podium.splits": digest(" ".join([*trained_on, *some.ids.tolist()])),
        "podium.training_key": digest(f"{candidate} {right}"),
        "mlflow.source.git.commit": "c" * 40,
    }
    run = client.create_run(client.get_experiment_by_name(DATASET).experiment_id, run_name=candidate, tags=tags)
    metrics = [Metric(f"validation/{name}", value, 1, 0) for name, value in validation.items()]
    metrics += [Metric("validation/ece", 0.05, 1, 0), Metric("cost/model_bytes", 1000.0, 1, 0)]
    client.log_batch(run.info.run_id, metrics=metrics)
    if kept:
        keep(client, run.info.run_id, some, trained_on)
    model_id = log_empty_model(client, run)
    return Result(candidate, run.info.run_id, model_id, {"validation": validation}, "splits", is_new=True)


def keep(client: MlflowClient, run_id: str, some: Predictions, trained_on: Sequence[str]) -> None:
    """Put predictions and a split manifest among a run's artifacts."""
    rows = [f"{name},{digest(name)},train\n" for name in trained_on]
    rows += [f"{name},{one},validation\n" for name, one in zip(some.ids, some.digests, strict=True)]
    with TemporaryDirectory() as folder:
        path = Path(folder)
        save_predictions({"validation": some}, path / "predictions.parquet")
        (path / "split.csv").write_text("id,sha256,split\n" + "".join(rows))
        client.log_artifact(run_id, str(path / "predictions.parquet"), "reports")
        client.log_artifact(run_id, str(path / "split.csv"), "lineage")


def describe_registry(client: MlflowClient) -> dict[str, Any]:
    """Give all that the registry holds, but for the ids and the times of day."""
    model = client.get_registered_model(DATASET)
    versions = client.search_model_versions(f"name = '{DATASET}'")
    entries = Journal(client, DATASET).read()
    experiments = [one.name for one in client.search_experiments()]
    return {
        "description": model.description,
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "versions": sorted(
            (str(one.version), re.sub(r"\b[0-9a-f]{32}\b", "RUN", one.description), sorted(one.tags.items()))
            for one in versions
        ),
        "experiments": sorted(name for name in experiments if name.startswith(DATASET)),
        "journal": [
            (one.number, one.done, {key: value for key, value in vars(one.entry).items() if key not in ("id", "when")})
            for one in entries
        ],
    }
