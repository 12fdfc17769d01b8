"""Who challenges: the best of some results, and the version that it becomes, whatever is decided."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from podium.config import Params, Schedule
from podium.config.gates import Metric
from podium.errors import PodiumError
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.paths import CandidatePaths
from podium.registry.registry import Registry, State
from podium.tracking import Result
from podium.tracking.connection import speaking_to
from podium.tracking.names import CANDIDATE, ask_if_there

COPIED = {
    CANDIDATE: CANDIDATE,
    "podium.data": "podium.data",
    "podium.splits": "podium.splits",
    "podium.training_key": "podium.training_key",
    "podium.commit": "mlflow.source.git.commit",
}
"""Tags of a version, and the tags of its run that say the same."""


@dataclass(frozen=True)
class Challenger:
    """A training result that challenges.

    Attributes:
        name: of its candidate.
        run_id: of its run.
        model_id: of its logged model.
        candidates: it was chosen on validation as the best of so many.
        epochs: its weights were chosen on validation among so many epochs.
    """

    name: str
    run_id: str
    model_id: str
    candidates: int = 1
    epochs: int = 1


def choose_best(results: Sequence[Result], metric: Metric) -> Result:
    """Give the result with the best validation metric, and of several the one with the lowest validation loss.

    Raises:
        PodiumError: a result was not measured by that metric.
    """

    def rank(one: Result) -> tuple[float, float]:
        validation = one.metrics["validation"]
        if metric not in validation:
            raise PodiumError(
                f"The gate asks for {metric}, which was not measured of {one.candidate}. Choose another `metric` under "
                f"`gates` in params.yaml, or evaluate it again: `dvc repro --force evaluate@{one.candidate}`."
            )
        value = validation[metric]
        return (-value if metric in SMALLER_IS_BETTER else value, -validation["loss"])

    return max(results, key=rank)


def make_challenger(params: Params, best: Result, candidates: int, root: Path) -> Challenger:
    """Make a challenger of a result that was just published.

    Args:
        params: the project's params.
        best: the result.
        candidates: how many results it was chosen from.
        root: the project's root, where its history is.
    """
    candidate = params.candidate(best.candidate)
    history = root / CandidatePaths(best.candidate, candidate.dataset).history
    epochs = count_epochs(params.schedule(candidate.schedule), history)
    return Challenger(best.candidate, best.run_id, best.model_id, candidates, epochs)


def count_epochs(schedule: Schedule, history: Path) -> int:
    """Count the epochs among which the weights were chosen by a validation metric; 1 if they were not chosen.

    Every phase that keeps its best epoch has chosen, and the phases after it went on from there.
    """
    choosing = {phase.name: phase.epochs for phase in schedule.phases if phase.keep_best}
    if history.is_file():
        with history.open(encoding="utf-8", newline="") as file:
            rows = Counter(row["phase"] for row in csv.DictReader(file))
        choosing = {name: rows[name] for name in choosing}
    return max(1, sum(choosing.values()))


def count_asked_epochs(choices: Mapping[str, str]) -> int:
    """Count the same from the params of a run in MLflow: as many as were asked for, at most."""
    names = [key.removesuffix(".keep_best") for key in choices if key.endswith(".keep_best")]
    return max(1, sum(int(choices.get(f"{name}.epochs", 1)) for name in names))


def make_version(registry: Registry, state: State, challenger: Challenger) -> ModelVersion:
    """Find the version of a result, or make it; two processes at once make one.

    Raises:
        PodiumError: the result has no model that could be one.
    """
    if known := _find(state.versions, challenger.run_id):
        return known
    if not challenger.model_id:
        raise PodiumError(
            f"{challenger.name} has no model in MLflow (run {challenger.run_id}). `podium run` publishes it again."
        )
    client, dataset = registry.client, registry.dataset
    make_model(client, dataset)
    tags = client.get_run(challenger.run_id).data.tags
    copied = {mine: tags[theirs] for mine, theirs in COPIED.items() if theirs in tags}
    made = register(client, dataset, challenger.run_id, challenger.model_id, {CANDIDATE: challenger.name} | copied)
    first = _find(registry.versions(), challenger.run_id) or made
    if str(first.version) != str(made.version):
        client.delete_model_version(dataset, str(made.version))
    return first


def register(
    client: MlflowClient, dataset: str, run_id: str, model_id: str, tags: dict[str, str], description: str | None = None
) -> ModelVersion:
    """Make a version of a run's logged model."""
    with speaking_to(client.tracking_uri):  # the registry looks the model up there, whoever asks it
        return client.create_model_version(
            dataset,
            source=f"models:/{model_id}",
            run_id=run_id,
            model_id=model_id,
            tags=tags,
            description=description,
        )


def _find(versions: Mapping[str, ModelVersion], run_id: str) -> ModelVersion | None:
    return next((one for one in versions.values() if one.run_id == run_id), None)


def make_model(client: MlflowClient, dataset: str) -> None:
    """Make the registered model of a dataset, if it is not there."""
    if ask_if_there(client.get_registered_model, dataset) is not None:
        return
    try:
        client.create_registered_model(dataset, description=f"Every challenge in the dataset {dataset} is a version.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
