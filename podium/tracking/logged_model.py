"""A trained model in MLflow: logged so that it answers about raw images, and fetched again.

To log one, or to fetch its files, takes neither TensorFlow nor Keras; to load one imports them.
"""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model

from podium.config.datasets import Image
from podium.datasets.arrays import load_classes, open_split
from podium.errors import PodiumError
from podium.evaluation.predictions import load_predictions
from podium.tracking.golden import save_golden
from podium.tracking.packing import ARTIFACTS, CARD, Knowledge, pack_model

MODEL = "model.keras"
HEADLINE = ("validation/accuracy", "validation/loss", "test/accuracy", "test/loss")
_LOGGED = re.compile(r"models:/(?P<id>m-[0-9a-f]+)")


def log_model(
    client: MlflowClient, run: Run, path: Path, processed: Path, reports: Path, image: Image, emptied: str = ""
) -> None:
    """Log a model to the run that trained it, in the form that `mlflow models serve` and the registry take.

    What a kill left of an earlier try is marked as failed.

    Args:
        client: where to.
        run: the run. The model gets its name and its params.
        path: the model file; `thresholds.json` beside it says how sure it has to be to answer.
        processed: the dataset's arrays.
        reports: the candidate's; of them the predictions and the model card.
        image: what images are brought to.
        emptied: the id of a model that was logged and whose files are gone: they go there again, as its versions name
            that place.

    Raises:
        PodiumError: the predictions are not there, or of other images.
    """
    with tempfile.TemporaryDirectory(prefix="podium-") as temporary:
        known = gather_artifacts(Path(temporary) / ARTIFACTS, path, processed, reports, image)
        for half in _unfinished(client, run):
            client.finalize_logged_model(half, LoggedModelStatus.FAILED)
        model_id = emptied or _create(client, run)
        pack_model(Path(temporary), known, model_id, run.info.run_id)
        client.log_model_artifacts(model_id, temporary)
    if emptied:
        return
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id, 0)])
    client.log_batch(run.info.run_id, metrics=_headline(client, run.info.run_id, model_id))
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)  # last: only whole models are ready


def gather_artifacts(folder: Path, path: Path, processed: Path, reports: Path, image: Image) -> Knowledge:
    """Put weights, golden images and card of a trained candidate into a folder, and say what else its model knows.

    Args:
        folder: to be made; `pack_model` makes a logged model of the folder that it lies in.
        path: the model file.
        processed: the dataset's arrays.
        reports: the candidate's.
        image: what images are brought to.

    Raises:
        PodiumError: the predictions are not there, or of other images.
    """
    validation, predictions = open_split(processed / "validation"), load_predictions(reports / "predictions.parquet")
    folder.mkdir()
    shutil.copyfile(path, folder / MODEL)
    if (reports / "model_card.md").is_file():
        shutil.copyfile(reports / "model_card.md", folder / CARD)
    save_golden(validation, predictions["validation"], folder)
    return Knowledge(load_classes(processed), image, _read_threshold(path), validation.boxes is not None)


def download_version(client: MlflowClient, registered: ModelVersion, folder: Path) -> Path:
    """Fetch the files of a version of a registered model.

    Args:
        client: where from.
        registered: the version.
        folder: where to; it is made.

    Returns:
        The folder of the logged model: it holds `MLmodel`.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Not by models:/NAME/VERSION: MLflow looks such a name up where the process points, whatever the client is.
    place = client.get_model_version_download_uri(registered.name, registered.version)
    if logged := _LOGGED.fullmatch(place):
        place = client.get_logged_model(logged["id"]).artifact_location
    return Path(mlflow.artifacts.download_artifacts(place, dst_path=str(folder), tracking_uri=client.tracking_uri))


def load_version(client: MlflowClient, registered: ModelVersion) -> Any:
    """Load a version of a registered model, also of an older podium: a keras.Model, by Keras's safe mode.

    Call `podium.models.runtime.prepare` before. No code of the logged model runs.

    Raises:
        PodiumError: it is no Keras model, or cannot be loaded.
    """
    from podium.models.files import load_model  # TensorFlow: seconds

    with tempfile.TemporaryDirectory(prefix="podium-") as temporary:
        folder = download_version(client, registered, Path(temporary))
        flavor = Model.load(str(folder / "MLmodel")).flavors.get("tensorflow", {})
        path = (folder / str(flavor.get("data", "")) / MODEL).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise PodiumError(f"{registered.name}/{registered.version} has its weights outside its own files.")
        return load_model(path)


def _create(client: MlflowClient, run: Run) -> str:
    made = client.create_logged_model(
        run.info.experiment_id, run.info.run_name, source_run_id=run.info.run_id, params=dict(run.data.params)
    )
    return str(made.model_id)


def _read_threshold(path: Path) -> float | None:
    """Give how sure a model has to be to answer, as `evaluate` wrote it beside the model file."""
    thresholds = path.with_name("thresholds.json")
    if not thresholds.is_file():
        return None
    found: float | None = json.loads(thresholds.read_text(encoding="utf-8"))["threshold"]
    return found


def _unfinished(client: MlflowClient, run: Run) -> list[str]:
    """Give the ids of the models of a run that were never logged in full."""
    mine = f"source_run_id = '{run.info.run_id}'"
    known = client.search_logged_models([run.info.experiment_id], mine)
    return [one.model_id for one in known if one.status == LoggedModelStatus.PENDING]


def _headline(client: MlflowClient, run_id: str, model_id: str) -> list[Metric]:
    """Give a few of the run's metrics as the model's own, so that MLflow's page of the model shows them."""
    known = client.get_run(run_id).data.metrics
    histories = [client.get_metric_history(run_id, name) for name in HEADLINE if name in known]
    newest = [max(history, key=lambda one: (one.step, one.timestamp)) for history in histories]
    return [Metric(one.key, one.value, one.timestamp, one.step, run_id=run_id, model_id=model_id) for one in newest]
