"""What MLflow keeps of a model's evaluation, fetched again: by version, alias or run."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.tracking.curves import PREFIX
from podium.tracking.names import ABSENT, CANDIDATE, find_run, find_version, parse_run, warn_if_withdrawn
from podium.tracking.reaching import reaching

logger = logging.getLogger(__name__)

REPORTS = "reports"
"""The folder of a run's artifacts that is the candidate's folder of reports."""
FETCHED = ("predictions.parquet", "cost.json")
"""What is fetched of it; the first has to be there."""
MAX_BYTES = 1 << 30
"""Bytes of one file: 1 GiB, the probabilities of 100,000 images and 2,500 classes."""


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
    with reaching(root, name) as client:
        run, title = _find(client, name)
        where = f"{title}run {run.info.run_id[:8]} of {run.data.tags.get('podium.candidate', run.info.run_name)}"
        return Published(
            candidate=run.data.tags.get(CANDIDATE, run.info.run_name),
            dataset=client.get_experiment(run.info.experiment_id).name,
            where=f"MLflow, {where}",
            reports=_download(client, run, name, folder),
            curves=_read_curves(client, run),
        )


def _find(client: MlflowClient, name: str) -> tuple[Run, str]:
    """Find the run that a name means, and say which version it is."""
    run_id = parse_run(name)
    if run_id is None and not ({*"/@"} & {*name}):
        raise PodiumError(
            f"'{name}' is no name of a model in MLflow. Expected digits/3, digits@champion or a run's id."
        )
    if run_id is None:
        version = find_version(client, name)
        return client.get_run(find_run(version)), f"version {version.version}, "
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ABSENT:
            raise PodiumError(f"MLflow has no run {run_id}. `podium run` publishes what is trained.") from None
        raise
    warn_if_withdrawn(f"run {run_id}", run.data.tags)
    return run, ""


def _download(client: MlflowClient, run: Run, name: str, folder: Path) -> Path:
    found = download_files(client, run.info.run_id, [f"{REPORTS}/{file}" for file in FETCHED], folder)
    if f"{REPORTS}/{FETCHED[0]}" not in found:
        raise PodiumError(
            f"{name} was published without {FETCHED[0]}, by an older podium or unfinished. Models are compared image "
            "by image: evaluate its candidate again and publish it, `podium run`."
        )
    return folder


def download_files(client: MlflowClient, run_id: str, wanted: Sequence[str], folder: Path) -> dict[str, Path]:
    """Download some of a run's artifacts into a folder, as far as they are there.

    Args:
        client: where from.
        run_id: the run's.
        wanted: paths of files among the artifacts, all of one folder: `reports/cost.json`.
        folder: where to put them, without the folders of their paths.

    Returns:
        Where each of those that are there lies now.

    Raises:
        PodiumError: one is larger than any that podium writes.
    """
    items = client.list_artifacts(run_id, wanted[0].rpartition("/")[0] or None)
    there = {item.path: item.file_size or 0 for item in items if not item.is_dir}
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for path in filter(there.__contains__, wanted):
        if there[path] > MAX_BYTES:
            raise PodiumError(f"{path} of run {run_id} has {there[path]:,} bytes. Expected at most {MAX_BYTES:,}.")
        file = Path(client.download_artifacts(run_id, path, str(folder)))
        # A server keeps the folders of the path, a folder of this disk does not.
        found[path] = file.replace(folder / file.name)
    return found


def _read_curves(client: MlflowClient, run: Run) -> pd.DataFrame:
    names = sorted(name for name in run.data.metrics if name.startswith(PREFIX))
    columns = {
        name.removeprefix(PREFIX): {one.step: one.value for one in client.get_metric_history(run.info.run_id, name)}
        for name in names
    }
    return pd.DataFrame(columns).rename_axis("step").sort_index().reset_index()
