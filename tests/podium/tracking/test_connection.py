"""Addresses are read as SQLAlchemy reads them, whatever characters a folder's name has."""

import os
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from podium.errors import PodiumError
from podium.tracking.connection import connect, is_transient, quote_filter, sqlite_uri, store_path, tracking_uri
from tests.trained import DATASET, Trained, find_runs, make_trained

NAME = "digits-dense"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:////project/mlflow.db", "/project/mlflow.db"),
        ("sqlite:///mlflow.db", "mlflow.db"),
        ("sqlite:////project/x.db?timeout=5", "/project/x.db"),
        ("sqlite+pysqlite:////project/x.db", "/project/x.db"),
        ("sqlite+pysqlite:///file:/a%3Fb/x.db?uri=true", "/a?b/x.db"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://me:secret@host/mlflow", None),
        ("http://127.0.0.1:5000", None),
        ("databricks", None),
        ("./mlruns", None),
    ],
)
def test_a_stores_file_is_read_from_its_address(uri: str, path: str | None) -> None:
    assert store_path(uri) == (Path(path) if path else None)


@pytest.mark.parametrize("folder", ["plain", "it's", "a?b", "a#b&c", "100%", "a%20b", "ü, and a space"])
def test_any_folder_can_hold_a_project(tmp_path: Path, store: Path, folder: str) -> None:
    trained = make_trained(tmp_path / folder, store)
    assert store_path(tracking_uri(trained.root)) == trained.root / "mlflow.db"
    trained.train(trained.ledger, NAME)
    first = trained.ledger.publish(NAME)
    again = trained.ledger.publish(NAME)
    assert (again.run_id, again.model_id, again.is_new) == (first.run_id, first.model_id, False)
    assert len(find_runs(trained.client, NAME)) == 1
    assert (trained.root / "mlflow-artifacts" / DATASET / first.run_id / "artifacts/reports/metrics.json").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("form", ["sqlite:///{}?timeout=5", "sqlite+pysqlite:///{}"])
def test_any_form_of_an_address_opens_the_store(trained: Trained, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", form.format(trained.root / "mlflow.db"))
    assert connect(trained.root).get_experiment_by_name("Default")
    assert sorted(path.name for path in trained.root.iterdir() if "?" in path.name) == []


@pytest.mark.slow
def test_a_new_store_is_laid_out_in_any_folder(tmp_path: Path) -> None:
    root = tmp_path / "it's a?b"
    root.mkdir()
    assert connect(root).get_experiment_by_name("Default")
    assert [path.name for path in root.iterdir()] == ["mlflow.db"]


def test_a_database_server_that_is_away_is_asked_once(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg2")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@127.0.0.1:9/mlflow")
    with pytest.raises(OperationalError) as raised:
        connect(trained.root)
    assert is_transient(raised.value)


def test_a_server_that_is_away_is_not_waited_for_long(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    connect(trained.root)
    assert int(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"]) <= 2
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")  # as a person has set it
    connect(trained.root)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "5"


@pytest.mark.parametrize("value", ["plain", "it's", 'an "inch"'])
def test_a_quoted_value_is_found(trained: Trained, value: str) -> None:
    client = connect(trained.root)
    client.create_registered_model(value)
    assert [one.name for one in client.search_registered_models(f"name = {quote_filter(value)}")] == [value]


def test_a_value_that_cannot_be_quoted_is_said_to_be_so() -> None:
    with pytest.raises(PodiumError, match="both kinds of quotes"):
        quote_filter("""it's an "inch\"""")


def test_the_address_of_a_plain_folder_is_plain() -> None:
    assert sqlite_uri(Path("/project/mlflow.db")) == "sqlite:////project/mlflow.db"
