"""A project that was moved or copied writes its artifacts where it is now, and finds the earlier ones there."""

import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from podium.tracking.connection import connect
from podium.tracking.published import fetch
from tests.trained import DATASET, Trained, find_runs

NAME = "digits-dense"


@pytest.fixture
def published(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A project with a published candidate whose model is a version."""
    trained.train(trained.ledger, NAME)
    result = trained.ledger.publish(NAME)
    client = trained.client
    client.create_registered_model(DATASET)
    mlflow.set_tracking_uri(client.tracking_uri)
    client.create_model_version(DATASET, f"models:/{result.model_id}", result.run_id, model_id=result.model_id)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # MLflow has put it there; a new process knows nothing of it
    return trained


def move(trained: Trained, folder: str, *, copied: bool = False) -> Trained:
    place = trained.root.parent / folder
    if copied:
        shutil.copytree(trained.root, place)
    else:
        trained.root.rename(place)
    _artifact_repos_cache.clear()  # of the process; whoever moves a project begins another
    return Trained(place)


def all_places(trained: Trained) -> str:
    """All that the store holds of places, as text."""
    with closing(sqlite3.connect(trained.root / "mlflow.db")) as connection:
        return "\n".join(line for line in connection.iterdump() if "INSERT" in line and "dataset_source" not in line)


@pytest.mark.parametrize("folder", ["elsewhere", "it's a 100% move", "a?b#c"])
def test_a_moved_project_goes_on_where_it_is(
    published: Trained, tmp_path: Path, caplog: pytest.LogCaptureFixture, folder: str
) -> None:
    old = published.root
    (run,) = find_runs(published.client, NAME)
    moved = move(published, folder)
    with caplog.at_level(logging.WARNING, "podium.tracking.moving"):
        again = moved.ledger.publish(NAME)
    assert (again.is_new, again.run_id) == (False, run.info.run_id)
    assert f"moved from {old}" in caplog.messages[0]
    found = fetch(moved.root, f"{DATASET}/1", tmp_path / "fetched")
    assert (found.reports / "predictions.parquet").is_file()
    version = moved.client.get_model_version(DATASET, "1")
    place = moved.client.get_model_version_download_uri(DATASET, "1")
    assert place.startswith(f"{moved.root.as_uri()}/")
    mlflow.set_tracking_uri(moved.client.tracking_uri)
    kept = mlflow.artifacts.download_artifacts(f"models:/{DATASET}/{version.version}", dst_path=str(tmp_path / "model"))
    assert (Path(kept) / "MLmodel").is_file()
    moved.train(moved.ledger, NAME, loss=3.0)
    new = moved.ledger.publish(NAME)
    assert (moved.root / "mlflow-artifacts" / DATASET / new.run_id / "artifacts/reports/metrics.json").is_file()
    assert not old.exists()
    assert f"{old.as_uri()}/mlflow-artifacts" not in all_places(moved)


def test_a_copied_project_leaves_the_first_one_alone(published: Trained) -> None:
    copied = move(published, "copy", copied=True)
    before = {path for path in published.root.rglob("*") if path.name != "mlflow.db"}
    copied.train(copied.ledger, NAME, loss=3.0)
    run_id = copied.ledger.publish(NAME).run_id
    assert (copied.root / "mlflow-artifacts" / DATASET / run_id).is_dir()
    assert {path for path in published.root.rglob("*") if path.name != "mlflow.db"} == before
    assert len(find_runs(published.client, NAME)) == 1


def test_a_run_that_a_kill_left_is_gone_on_with_after_the_move(trained: Trained) -> None:
    trained.train(trained.ledger, NAME)
    (left,) = find_runs(trained.client, NAME)
    moved = move(trained, "elsewhere")
    assert moved.ledger.publish(NAME).run_id == left.info.run_id


def test_a_project_that_stays_is_not_written_to(published: Trained, caplog: pytest.LogCaptureFixture) -> None:
    before = (published.root / "mlflow.db").read_bytes()
    with caplog.at_level(logging.WARNING, "podium.tracking.moving"):
        connect(published.root)
    assert (published.root / "mlflow.db").read_bytes() == before
    assert caplog.messages == []


def test_a_store_that_projects_share_is_left_as_it_is(
    published: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(published.root / "mlflow.db", tmp_path / "shared.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'shared.db'}")
    before = (tmp_path / "shared.db").read_bytes()
    connect(move(published, "elsewhere").root)
    assert (tmp_path / "shared.db").read_bytes() == before
