"""What MLflow keeps of a model's evaluation, fetched again: by version, alias or run."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode
from sqlalchemy.exc import SQLAlchemyError

from podium.errors import PodiumError, TransientError, nearest
from podium.tracking.connection import connect, shown_uri, tracking_uri
from podium.tracking.curves import PREFIX

logger = logging.getLogger(__name__)

REPORTS = "reports"
"""The folder of a run's artifacts that is the candidate's folder of reports."""
FETCHED = ("predictions.parquet", "cost.json")
"""What is fetched of it; the first has to be there."""
MAX_BYTES = 1 << 30
"""Bytes of one file: 1 GiB, the probabilities of 100,000 images and 2,500 classes."""

_ABSENT = {ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE)}
_MODEL = re.compile(r"(?:models:/)?(?P<model>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
_RUN = re.compile(r"(?:runs:/)?(?P<run>[0-9a-f]{32})")


@dataclass(frozen=True)
class Published:
    """A training result as MLflow keeps it.

    Attributes:
        candidate: its name.
        dataset: its dataset's name.
        where: the version, if it was asked for, and the run, for people.
        reports: the folder with what was fetched.
        curves: its history: step and metrics, one row an epoch.
    """

    candidate: str
    dataset: str
    where: str
    reports: Path
    curves: pd.DataFrame


def fetch(root: Path, name: str, folder: Path) -> Published:
    """Fetch what MLflow keeps of a model's evaluation.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`, `models:/digits/3` or a run's id.
        folder: where to put the files.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: it does not know the name, or the run has no predictions.
    """
    uri = tracking_uri(root)
    if uri.startswith("sqlite:") and not Path(uri.removeprefix("sqlite:///")).exists():
        raise PodiumError(f"There is no '{name}': MLflow has nothing yet. `podium run` publishes what is trained.")
    try:
        client = connect(root)
        run, title = _find(client, name)
        where = f"{title}run {run.info.run_id[:8]} of {run.data.tags.get('podium.candidate', run.info.run_name)}"
        return Published(
            candidate=run.data.tags.get("podium.candidate", run.info.run_name),
            dataset=client.get_experiment(run.info.experiment_id).name,
            where=f"MLflow, {where}",
            reports=_download(client, run, name, folder),
            curves=_read_curves(client, run),
        )
    except (MlflowException, SQLAlchemyError) as error:
        text = shown_uri(str(error).splitlines()[0])
        raise TransientError(f"MLflow at {shown_uri(uri)} did not do its part: {text}") from error


def _find(client: MlflowClient, name: str) -> tuple[Run, str]:
    """Find the run that a name means, and say which version it is."""
    if found := _RUN.fullmatch(name):
        try:
            return client.get_run(found["run"]), ""
        except MlflowException as error:
            if error.error_code in _ABSENT:
                raise PodiumError(
                    f"MLflow has no run {found['run']}. `podium run` publishes what is trained."
                ) from None
            raise
    found = _MODEL.fullmatch(name)
    if found is None:
        raise PodiumError(
            f"'{name}' is no name of a model in MLflow. Expected digits/3, digits@champion or a run's id."
        )
    model = found["model"]
    try:
        if found["alias"]:
            version = client.get_model_version_by_alias(model, found["alias"])
        else:
            version = client.get_model_version(model, found["version"])
    except MlflowException as error:
        if error.error_code in _ABSENT:
            raise PodiumError(f"MLflow has no '{name}'. {_describe_known(client, model)}") from None
        raise
    if not version.run_id:
        raise PodiumError(f"{name} was registered without a run: nothing is known of how it was evaluated.")
    return client.get_run(version.run_id), f"version {version.version}, "


def _describe_known(client: MlflowClient, model: str) -> str:
    """Say which models there are, or which versions and aliases one has."""
    models = {one.name: one for one in client.search_registered_models(max_results=100)}
    if model not in models:
        return f"Registered models: {nearest(model, models)}"
    versions = sorted(int(one.version) for one in client.search_model_versions(f"name = '{model}'"))
    names = [*(f"{model}/{number}" for number in versions), *(f"{model}@{alias}" for alias in models[model].aliases)]
    return f"There are: {', '.join(names)}."


def _download(client: MlflowClient, run: Run, name: str, folder: Path) -> Path:
    items = client.list_artifacts(run.info.run_id, REPORTS)
    there = {item.path: item.file_size or 0 for item in items if not item.is_dir}
    wanted = [f"{REPORTS}/{file}" for file in FETCHED]
    if wanted[0] not in there:
        raise PodiumError(
            f"{name} was published without {FETCHED[0]}, by an older podium or unfinished. Models are compared image "
            "by image: evaluate its candidate again and publish it, `podium run`."
        )
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    folder.mkdir(parents=True, exist_ok=True)
    for path in wanted:
        if there.get(path, 0) > MAX_BYTES:
            raise PodiumError(f"{path} of {name} has {there[path]:,} bytes. Expected at most {MAX_BYTES:,}.")
        if path in there:
            found = Path(client.download_artifacts(run.info.run_id, path, str(folder)))
            found.replace(folder / found.name)  # a server keeps the folders of the path, a folder of this disk does not
    return folder


def _read_curves(client: MlflowClient, run: Run) -> pd.DataFrame:
    names = sorted(name for name in run.data.metrics if name.startswith(PREFIX))
    columns = {
        name.removeprefix(PREFIX): {one.step: one.value for one in client.get_metric_history(run.info.run_id, name)}
        for name in names
    }
    return pd.DataFrame(columns).rename_axis("step").sort_index().reset_index()
