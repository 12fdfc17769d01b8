"""The servers that other tests use answer, and the proxy breaks what it is told to break."""

import os
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.servers import FaultyProxy, How, clear

pytestmark = pytest.mark.slow


@pytest.fixture(params=["mlflow_sqlite", "mlflow_postgres"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def test_a_server_keeps_runs_and_artifacts_until_it_is_cleared(server: str) -> None:
    client = MlflowClient(server)
    run = client.create_run(client.create_experiment("digits")).info
    client.log_text(run.run_id, "a text", "folder/text.txt")
    client.log_text(run.run_id, "", "empty.txt")
    assert run.artifact_uri.startswith("mlflow-artifacts:")
    assert {item.path for item in client.list_artifacts(run.run_id)} == {"folder", "empty.txt"}
    client.create_registered_model("digits")
    clear(server)
    assert client.get_experiment_by_name("digits") is None
    assert client.search_registered_models() == []


@pytest.mark.parametrize(("how", "done"), [("refuse", 1), ("cut", 1), ("cut after", 2)])
def test_a_proxy_breaks_one_request_and_only_that(
    mlflow_sqlite: str, how: How, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with FaultyProxy(mlflow_sqlite) as proxy:
        client = MlflowClient(proxy.address)
        experiment = client.create_experiment("digits")
        proxy.fail_at(2, how)
        client.create_run(experiment)
        with pytest.raises(MlflowException):
            client.create_run(experiment)
        assert len(client.search_runs([experiment])) == done
        assert proxy.count == 3
        proxy.fail_at(1, how, onwards=True)
        for _ in range(2):
            with pytest.raises(MlflowException):
                client.get_experiment(experiment)
        proxy.reset()
        assert client.get_experiment(experiment).name == "digits"


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_a_proxy_passes_files_as_they_are(mlflow_sqlite: str, tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(os.urandom(size))
    with FaultyProxy(mlflow_sqlite) as proxy:
        client = MlflowClient(proxy.address)
        run_id = client.create_run(client.create_experiment("digits")).info.run_id
        client.log_artifact(run_id, str(tmp_path / "file"))
        (tmp_path / "back").mkdir()
        back = Path(client.download_artifacts(run_id, "file", str(tmp_path / "back")))
        assert back.read_bytes() == (tmp_path / "file").read_bytes()
