"""Promotion: the best candidate's model becomes a version, and the alias moves to it last of all."""

import logging
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from podium.datasets.arrays import open_split
from podium.models.runtime import prepare
from podium.registry.gate import Decision, decide
from podium.tracking import Result

logger = logging.getLogger(__name__)

CHAMPION, PREVIOUS = "champion", "previous"
SCORE, SPLITS, CANDIDATE = "podium.validation_accuracy", "podium.splits", "podium.candidate"

_ABSENT = {ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE)}


def promote(client: MlflowClient, dataset: str, results: list[Result], validation: Path) -> Decision:
    """Let the best of some results challenge the champion of their dataset.

    The best has the highest validation accuracy, and of several the lowest validation loss. The test split
    has no say.

    Args:
        client: where the registry is.
        dataset: the registered model's name.
        results: the candidates' results, at least one, all measured on the same splits.
        validation: the folder of the validation split, on which an old champion is scored again if it was
            scored on other images.

    Returns:
        The decision, after it was carried out.
    """
    best = max(results, key=lambda one: (one.metrics["validation"]["accuracy"], -one.metrics["validation"]["loss"]))
    score = best.metrics["validation"]["accuracy"]
    champion = _champion(client, dataset)
    if champion is None:
        decision = Decision(True, f"{best.candidate} is the first champion: validation accuracy {score:.4f}.")
    elif champion.run_id == best.run_id:
        decision = Decision(False, f"{best.candidate} is the champion already (version {champion.version}).")
    else:
        name = f"the champion {champion.tags.get(CANDIDATE, '')} (version {champion.version})"
        decision = decide(best.candidate, score, name, _champion_score(client, champion, best.splits, validation))
    if decision.promoted:
        version = _register(client, dataset, best, decision.reason)
        if champion is not None:
            client.set_registered_model_alias(dataset, PREVIOUS, champion.version)
        client.set_registered_model_alias(dataset, CHAMPION, version)
    logger.info("%s: %s", dataset, decision.reason)
    return decision


def _champion(client: MlflowClient, dataset: str) -> ModelVersion | None:
    try:
        return client.get_model_version_by_alias(dataset, CHAMPION)
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise


def _champion_score(client: MlflowClient, champion: ModelVersion, splits: str, validation: Path) -> float:
    """Give the champion's validation accuracy on the splits at hand."""
    if champion.tags.get(SPLITS) == splits:
        return float(champion.tags[SCORE])
    # Scored on other images: that score says nothing here. Let it see these.
    prepare()
    from podium.models.inference import predict  # TensorFlow, only where it is needed
    from podium.tracking.logged_model import load_version

    model, split = load_version(client, champion), open_split(validation)
    if model.input_shape[1:] != split.images.shape[1:]:
        logger.info("the champion takes images of %s, which these are not: it scores 0", model.input_shape[1:])
        return 0.0
    return float((predict(model, split).argmax(axis=1) == split.labels).mean())


def _register(client: MlflowClient, dataset: str, best: Result, reason: str) -> str:
    """Make the model a version of the registered model, once."""
    if not client.search_registered_models(f"name = '{dataset}'"):
        client.create_registered_model(dataset, description=f"The best models for the dataset {dataset}.")
    for known in client.search_model_versions(f"name = '{dataset}' and run_id = '{best.run_id}'"):
        return str(known.version)
    mlflow.set_tracking_uri(client.tracking_uri)  # the registry looks the model up there, whoever asks it
    created = client.create_model_version(
        dataset,
        source=f"models:/{best.model_id}",
        run_id=best.run_id,
        model_id=best.model_id,
        description=reason,
        tags={
            CANDIDATE: best.candidate,
            SCORE: repr(best.metrics["validation"]["accuracy"]),
            SPLITS: best.splits,
        },
    )
    return str(created.version)
