"""The ledger does the same on a file, on a server on SQLite and on one on PostgreSQL; and wherever a server breaks."""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import pytest
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from podium.tracking.failures import FAILURES, LIBRARY_ERRORS, is_transient
from tests.servers import FaultyProxy, How, clear
from tests.trained import EPOCHS, SCORES, Trained, find_runs, make_trained

pytestmark = pytest.mark.slow

NAME = "digits-dense"
FEW = (1, 8, 34, -1)
"""Requests of a flow at which a server breaks in the short version; -1 is the last."""


@pytest.fixture(params=["file", pytest.param("mlflow_sqlite", marks=pytest.mark.soak), "mlflow_postgres"])
def project(request: pytest.FixtureRequest, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A project whose results go to one of the kinds of stores."""
    if request.param != "file":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", request.getfixturevalue(request.param))
    return trained


def describe(trained: Trained) -> list[dict[str, Any]]:
    """Give all that MLflow holds of a candidate, but for what differs between two projects that did the same."""
    client = trained.client
    return [_describe(client, trained.root, run) for run in find_runs(client, NAME)]


def _describe(client: MlflowClient, root: Path, run: Any) -> dict[str, Any]:
    run_id = run.info.run_id
    mine = f"source_run_id = '{run_id}'"
    models = client.search_logged_models([run.info.experiment_id], mine)
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "tags": {key: text.replace(str(root), "ROOT").replace(run_id, "RUN") for key, text in run.data.tags.items()},
        "params": run.data.params,
        "metrics": {
            key: sorted((point.step, point.value) for point in client.get_metric_history(run_id, key))
            for key in run.data.metrics
        },
        "files": sorted(_list(client, run_id, "")),
        "inputs": sorted((one.dataset.name, one.tags[0].value) for one in run.inputs.dataset_inputs),
        "models": [one.name for one in models if str(one.status) == "READY"],
    }


def _list(client: MlflowClient, run_id: str, folder: str) -> Iterator[tuple[str, int]]:
    for item in client.list_artifacts(run_id, folder or None):
        if item.is_dir:
            yield from _list(client, run_id, item.path)
        else:
            yield item.path, int(item.file_size or 0)


def test_a_result_is_published_once(project: Trained) -> None:
    project.train(project.ledger, NAME)
    first = project.ledger.publish(NAME)
    (found,) = before = describe(project)
    assert (found["status"], found["models"], len(found["inputs"])) == ("FINISHED", [NAME], 3)
    assert [step for step, _ in found["metrics"]["curve/loss"]] == list(range(1, EPOCHS[NAME] + 1))
    assert {"reports/predictions.parquet", "lineage/dvc.lock", "validation/index.html"} <= {*dict(found["files"])}
    again = project.ledger.publish(NAME)
    assert (again.run_id, again.model_id, again.is_new) == (first.run_id, first.model_id, False)
    assert describe(project) == before


def test_a_killed_training_is_closed_and_gone_on_with_in_its_run(project: Trained) -> None:
    project.train(project.ledger, NAME)
    (opened,) = find_runs(project.client, NAME)
    (line,) = project.ledger.sync()
    assert "is closed" in line
    assert [run.info.status for run in find_runs(project.client, NAME)] == ["KILLED"]
    project.train(project.ledger, NAME)
    assert project.ledger.publish(NAME).run_id == opened.info.run_id
    assert [one["status"] for one in describe(project)] == ["FINISHED"]


def test_a_changed_evaluation_goes_to_the_same_run(project: Trained) -> None:
    project.train(project.ledger, NAME)
    first = project.ledger.publish(NAME)
    project.write_metrics(NAME, SCORES | {"validation": {"accuracy": 0.875, "loss": 0.5}})
    project.lock()
    again = project.ledger.publish(NAME)
    assert (again.run_id, again.model_id, again.is_new) == (first.run_id, first.model_id, False)
    (found,) = describe(project)
    assert found["metrics"]["validation/accuracy"] == [(0, 0.75), (0, 0.875)]


def test_a_kept_result_is_sent_once(project: Trained) -> None:
    project.ledger.keep(NAME)
    (line,) = project.ledger.sync()
    assert "sent" in line
    before = describe(project)
    assert project.ledger.publish(NAME).is_new is False
    assert (len(before), project.ledger.sync(), describe(project)) == (1, [], before)


def test_deleted_artifacts_are_sent_again(project: Trained) -> None:
    project.train(project.ledger, NAME)
    run_id = project.ledger.publish(NAME).run_id
    before = describe(project)
    client = project.client
    get_artifact_repository(
        client.get_run(run_id).info.artifact_uri, tracking_uri=client.tracking_uri
    ).delete_artifacts()
    assert list(client.list_artifacts(run_id)) == []
    assert project.ledger.publish(NAME).run_id == run_id
    assert describe(project) == before


def try_twice(step: Callable[[], Any], broke: list[Exception]) -> None:
    """Do what a flow does again if it fails; what it fails by has to be known as something that may pass."""
    for _ in range(2):
        try:
            step()
        except FAILURES as error:
            broke.append(error)
        else:
            break
    assert all(map(is_transient, broke)), broke
    assert len(broke) < 2, broke


def flow(trained: Trained) -> list[Exception]:
    """Train and publish; what breaks is done again, each time by a new process."""
    broke: list[Exception] = []
    try_twice(lambda: trained.train(trained.ledger, NAME), broke)
    try_twice(lambda: trained.ledger.publish(NAME), broke)
    return broke


@pytest.mark.parametrize("which", ["few", *(pytest.param(how, marks=pytest.mark.soak) for how in get_args(How))])
def test_a_server_that_breaks_at_any_request_loses_and_doubles_nothing(
    mlflow_sqlite: str, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with FaultyProxy(mlflow_sqlite) as proxy:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.address)

        def end(number: int, how: How) -> tuple[Any, int, list[Exception]]:
            clear(mlflow_sqlite)
            trained = make_trained(tmp_path / str(number), store)
            proxy.fail_at(number, how)
            broke, count = flow(trained), proxy.count
            proxy.reset()
            return describe(trained), count, broke

        expected, count, _ = end(0, "refuse")
        assert len(expected) == 1
        assert count > max(FEW)
        few = [(each % (count + 1), how) for each, how in zip(FEW, cycle(get_args(How)), strict=False)]
        for number, how in few if which == "few" else [(each, which) for each in range(1, count + 1)]:
            found, _, broke = end(number, how)
            assert len(broke) == 1, f"request {number} of {count}"
            assert found == expected, f"request {number} of {count}, {how}: {broke[0]}"


def test_a_server_that_dies_for_good_leaves_a_result_that_is_sent_later(
    mlflow_sqlite: str, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with FaultyProxy(mlflow_sqlite) as proxy:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.address)
        proxy.fail_at(20, "cut", onwards=True)
        with pytest.raises(LIBRARY_ERRORS) as raised:
            trained.ledger.publish(NAME)
        assert is_transient(raised.value)
        trained.ledger.keep(NAME)
        assert "stays. MLflow at http" in trained.ledger.sync()[0]
        proxy.reset()
        (line,) = trained.ledger.sync()
        assert "sent" in line
        assert [one["status"] for one in describe(trained)] == ["FINISHED"]
