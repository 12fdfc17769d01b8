"""A run with all that belongs to it, copied from one MLflow to another, so that nothing is there twice.

A copy is found again by its training_key, which it gets last, as in the ledger; one that was cut short goes by another
tag until then, so that no ledger over there takes it for a training of its own.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Param, Run, RunTag
from mlflow.entities.model_registry import ModelVersion

from podium.errors import PodiumError
from podium.registry.candidates import make_model, register
from podium.registry.registry import Registry
from podium.tracking.connection import store_path
from podium.tracking.publication import METRICS_AT_ONCE, NOTE, find_model, open_experiment
from podium.tracking.published import download_files

KEY, COPYING = "podium.training_key", "podium.copying"
"""The tag by which a copy is found again, and the one that it has instead until it is complete."""
COPIED_FROM = "podium.copied_from"
"""The tag of a version that was made elsewhere: at which address, and as which version."""
_OF_FILES = ("podium.evaluation",)
"""Tags of a run that change where a file of it changes; else files are only added to it."""
PARAMS_AT_ONCE = 100
"""MLflow takes no more in a batch."""


def copy_run(source: MlflowClient, run: Run, target: MlflowClient, dataset: str) -> Run:
    """Copy a run with its tags, params, metrics and their histories, artifacts, inputs and logged model.

    Args:
        source: where the run is.
        run: a finished one.
        target: where to.
        dataset: its name, which is the experiment's.

    Returns:
        The copy; if the target has it already, that, with what came to the run since: a decision, a signature.

    Raises:
        PodiumError: the run is not complete.
    """
    key = run.data.tags.get(KEY)
    if key is None:
        raise PodiumError(f"The run {run.info.run_id} is not complete. `podium run` publishes what is trained.")
    store = store_path(target.tracking_uri)
    experiment = open_experiment(target, dataset, Path() if store is None else store.absolute().parent)
    known = _search(target, experiment, KEY, key)
    found = known or _search(target, experiment, COPYING, key)
    copy = found[0] if found else target.create_run(experiment, run.info.start_time, {COPYING: key}, run.info.run_name)
    run_id = str(copy.info.run_id)
    _copy_numbers(source, run, target, run_id)
    same = bool(known) and all(copy.data.tags.get(tag) == run.data.tags.get(tag) for tag in _OF_FILES)
    _copy_files(source, run, target, run_id, there=_list_files(target, run_id) if same else {})
    if run.inputs and run.inputs.dataset_inputs and not (copy.inputs and copy.inputs.dataset_inputs):
        target.log_inputs(run_id, run.inputs.dataset_inputs)
    _copy_model(source, run, target, copy)
    tags = [RunTag(name, text) for name, text in _translated(run, copy).items() if name != KEY]
    target.log_batch(run_id, tags=tags)
    target.set_terminated(run_id, run.info.status, run.info.end_time)
    if not known:
        target.set_tag(run_id, KEY, key)
    if COPYING in copy.data.tags:
        target.delete_tag(run_id, COPYING)
    return target.get_run(run_id)


def copy_version(version: ModelVersion, copy: Run, target: MlflowClient, tags: dict[str, str]) -> ModelVersion:
    """Make the logged model of a copied run a version, with the description and the tags of the one that it is of.

    Args:
        version: the version that is copied.
        copy: its run's copy.
        target: where to.
        tags: further ones.
    """
    name = str(version.name)
    make_model(target, name)
    for known in Registry(target, name).versions().values():
        if known.run_id == copy.info.run_id:
            return known
    model_id = find_model(target, copy)
    description = (version.description or "").replace(str(version.run_id), copy.info.run_id)
    return register(target, name, copy.info.run_id, model_id, dict(version.tags) | tags, description)


def _search(target: MlflowClient, experiment: str, tag: str, value: str) -> list[Run]:
    """Find runs by a tag whose value is a digest."""
    return list(target.search_runs([experiment], f"tags.`{tag}` = '{value}'", max_results=10))


def _copy_numbers(source: MlflowClient, run: Run, target: MlflowClient, run_id: str) -> None:
    """Copy params and every point of every metric; MLflow keeps what it has as it is, and nothing twice."""
    params = [Param(name, text) for name, text in run.data.params.items()]
    for start in range(0, len(params), PARAMS_AT_ONCE):
        target.log_batch(run_id, params=params[start : start + PARAMS_AT_ONCE])
    points = [
        Metric(one.key, one.value, one.timestamp, one.step)
        for name in run.data.metrics
        for one in source.get_metric_history(run.info.run_id, name)
    ]
    for start in range(0, len(points), METRICS_AT_ONCE):
        target.log_batch(run_id, metrics=points[start : start + METRICS_AT_ONCE])


def _list_files(client: MlflowClient, run_id: str, folder: str = "") -> dict[str, int]:
    """Give the sizes of a run's artifacts, in bytes, by their paths."""
    files: dict[str, int] = {}
    for item in client.list_artifacts(run_id, folder or None):
        files |= _list_files(client, run_id, item.path) if item.is_dir else {item.path: item.file_size or 0}
    return files


def _copy_files(source: MlflowClient, run: Run, target: MlflowClient, run_id: str, there: Mapping[str, int]) -> None:
    """Copy the artifacts that are not there yet, one folder of them at a time."""
    folders: dict[str, list[str]] = {}
    for path, size in _list_files(source, run.info.run_id).items():
        if there.get(path) != size:
            folders.setdefault(path.rpartition("/")[0], []).append(path)
    for folder, paths in folders.items():
        with TemporaryDirectory(prefix="podium-") as place:
            download_files(source, run.info.run_id, paths, Path(place))
            target.log_artifacts(run_id, place, folder or None)


def _copy_model(source: MlflowClient, run: Run, target: MlflowClient, copy: Run) -> None:
    if find_model(target, copy):
        return
    original = find_model(source, run)
    if not original:
        raise PodiumError(f"The run {run.info.run_id} has no model. `podium run` publishes what is trained.")
    model = source.get_logged_model(original)
    halves = target.search_logged_models([copy.info.experiment_id], f"source_run_id = '{copy.info.run_id}'")
    made = next((one for one in halves if one.status == LoggedModelStatus.PENDING), None)  # of a try that was cut short
    if made is None:
        made = target.create_logged_model(
            copy.info.experiment_id,
            model.name,
            copy.info.run_id,
            dict(model.tags),
            dict(model.params),
            model.model_type,
        )
    with TemporaryDirectory(prefix="podium-") as folder:
        there = download_artifacts(
            artifact_uri=model.artifact_location, dst_path=folder, tracking_uri=source.tracking_uri
        )
        target.log_model_artifacts(made.model_id, there)
    if made.model_id not in [one.model_id for one in (copy.outputs.model_outputs if copy.outputs else [])]:
        target.log_outputs(copy.info.run_id, [LoggedModelOutput(made.model_id, 0)])
    own = [
        Metric(one.key, one.value, one.timestamp, one.step, run_id=copy.info.run_id, model_id=made.model_id)
        for one in model.metrics or []
    ]
    for start in range(0, len(own), METRICS_AT_ONCE):
        target.log_batch(copy.info.run_id, metrics=own[start : start + METRICS_AT_ONCE])
    target.finalize_logged_model(made.model_id, LoggedModelStatus.READY)  # last: only whole models are ready


def _translated(run: Run, copy: Run) -> dict[str, str]:
    """Give a run's tags; addresses in its description lead to the copy."""
    note = run.data.tags.get(NOTE, "")
    for kind, (old, new) in {
        "experiments/": (run.info.experiment_id, copy.info.experiment_id),
        "": (run.info.run_id, copy.info.run_id),
    }.items():
        note = note.replace(f"{kind}{old}", f"{kind}{new}")
    return run.data.tags | ({NOTE: note} if note else {})
