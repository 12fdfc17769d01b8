"""A version with its evidence goes to another tracking server, once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError, TransientError
from podium.registry import move as module
from podium.registry.journal import Journal
from podium.registry.move import move
from podium.registry.proof.pin import PINS, pin
from podium.registry.proof.subject import digest_files, fetch_model
from podium.tracking.connection import speaking_to
from tests.registered import register
from tests.trained import DATASET, Trained, Unreliable

pytestmark = pytest.mark.slow


@pytest.fixture
def there(trained: Trained, tmp_path: Path, store: Path) -> str:
    """The address of another store; the project has a champion."""
    register(trained)
    (tmp_path / "there").mkdir()
    shutil.copy(store, tmp_path / "there/mlflow.db")
    return f"sqlite:///{tmp_path / 'there/mlflow.db'}"


def describe(client: MlflowClient, folder: Path) -> dict[str, Any]:
    """Give all that a server has of the one version of the dataset, but ids and addresses."""
    (version,) = client.search_model_versions(f"name = '{DATASET}'")
    (experiment,) = [one for one in client.search_experiments() if one.name == DATASET]
    (run,) = client.search_runs([experiment.experiment_id])
    assert version.run_id == run.info.run_id
    (model,) = client.search_logged_models([experiment.experiment_id])
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    tags = {key: text for key, text in run.data.tags.items() if key != "mlflow.note.content"}
    return {
        "tags": tags,
        "params": run.data.params,
        "metrics": {
            name: [(one.step, one.timestamp, one.value) for one in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        },
        "info": (run.info.run_name, run.info.status, run.info.start_time, run.info.end_time),
        "files": digest_files(artifacts),
        "inputs": sorted(one.dataset.name for one in run.inputs.dataset_inputs),
        "model": (model.name, model.status, model.params, digest_files(fetch_model(client, version, folder))),
        "version": {key: text for key, text in version.tags.items() if key != "podium.copied_from"},
        "outputs": [one.model_id for one in run.outputs.model_outputs] == [model.model_id],
    }


def test_a_version_is_there_with_everything_and_is_champion(trained: Trained, there: str, tmp_path: Path) -> None:
    said = move(trained.root, "digits@champion", there)
    client = MlflowClient(there, there)
    assert describe(client, tmp_path / "b") == describe(trained.client, tmp_path / "a")
    version = client.get_model_version_by_alias(DATASET, "champion")
    here = f"sqlite:///{trained.root / 'mlflow.db'}"
    assert version.tags["podium.copied_from"] == f"{here} digits/1"
    assert said == f"digits/1 is digits/1 at {there}, and champion there (entry 1 of its journal)."
    (entry,) = Journal(client, DATASET).read()
    assert (entry.entry.action, entry.entry.champion_after, entry.done) == ("copied", "1", True)
    assert entry.entry.why == f"Copied from {here} digits/1."


@pytest.mark.parametrize("server", ["mlflow_sqlite", pytest.param("mlflow_postgres", marks=pytest.mark.soak)])
def test_a_real_server_gets_the_same_files(
    trained: Trained, tmp_path: Path, request: pytest.FixtureRequest, server: str
) -> None:
    address = request.getfixturevalue(server)
    register(trained)
    move(trained.root, "digits@champion", address)
    client = MlflowClient(address, address)
    copy, version = client.get_model_version_by_alias(DATASET, "champion"), trained.client.get_model_version(DATASET, 1)
    assert digest_files(fetch_model(client, copy, tmp_path / "a")) == digest_files(
        fetch_model(trained.client, version, tmp_path / "b")
    )
    (tmp_path / "c").mkdir()
    again = mlflow.artifacts.download_artifacts(run_id=copy.run_id, dst_path=str(tmp_path / "c"), tracking_uri=address)
    artifacts = trained.client.get_run(version.run_id).info.artifact_uri.removeprefix("file://")
    assert digest_files(Path(again)) == digest_files(Path(artifacts))
    assert move(trained.root, "digits@champion", address).endswith("and champion there already.")


def test_addresses_in_the_descriptions_lead_to_the_copy(trained: Trained, there: str) -> None:
    move(trained.root, "digits/1", there)
    client, version = MlflowClient(there, there), trained.client.get_model_version(DATASET, "1")
    copy = client.get_run(client.get_model_version(DATASET, "1").run_id)
    before = trained.client.get_run(version.run_id).data.tags["mlflow.note.content"]
    assert copy.data.tags["mlflow.note.content"] == before.replace(version.run_id, copy.info.run_id)
    assert version.run_id not in (client.get_model_version(DATASET, "1").description or "")


def test_again_it_is_the_same_and_what_came_since_goes_along(trained: Trained, there: str, tmp_path: Path) -> None:
    move(trained.root, "digits/1", there)
    client = MlflowClient(there, there)
    before = describe(client, tmp_path / "a")
    assert move(trained.root, "digits/1", there).endswith("and champion there already.")
    assert describe(client, tmp_path / "b") == before
    trained.client.log_text(trained.client.get_model_version(DATASET, "1").run_id, "signed", "signature/model.sig")
    move(trained.root, "digits/1", there)
    assert describe(client, tmp_path / "c")["files"] == before["files"] | {
        name: digest
        for name, digest in describe(trained.client, tmp_path / "d")["files"].items()
        if name == "signature/model.sig"
    }
    assert len(Journal(client, DATASET).read()) == 1


def test_a_copy_is_pinned_by_the_same_bytes(trained: Trained, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    move(trained.root, "digits/1", there)
    before = pin(trained.root, "digits/1")
    (trained.root / PINS).unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", there)
    assert pin(trained.root, "digits/1").files == before.files


@pytest.mark.parametrize("address", ["", "sqlite:////elsewhere.db"])
def test_afterwards_mlflow_speaks_to_whom_it_spoke_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    before = mlflow.get_tracking_uri()
    with speaking_to(f"sqlite:///{tmp_path / 'other.db'}"):
        assert mlflow.get_tracking_uri() == f"sqlite:///{tmp_path / 'other.db'}"
    assert mlflow.get_tracking_uri() == before
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////third.db")
    assert mlflow.get_tracking_uri() == "sqlite:////third.db"


def test_the_project_goes_on_with_its_own_server(trained: Trained, there: str) -> None:
    move(trained.root, "digits/1", there)
    assert trained.ledger.client.tracking_uri == f"sqlite:///{trained.root / 'mlflow.db'}"


def test_the_champion_there_becomes_previous(trained: Trained, there: str) -> None:
    move(trained.root, "digits/1", there)
    register(trained, "digits-cnn")
    assert move(trained.root, "digits@champion", there).startswith(f"digits/2 is digits/2 at {there}")
    aliases = MlflowClient(there, there).get_registered_model(DATASET).aliases
    assert {alias: str(number) for alias, number in aliases.items()} == {"champion": "2", "previous": "1"}


def calls(trained: Trained, there: str, tmp_path: Path, break_at: Callable[[MlflowClient], Any]) -> Unreliable:
    """Copy with a client of the other server that may break."""
    made: list[Unreliable] = []

    def connect(*uris: str) -> Any:
        made.append(break_at(MlflowClient(*uris)))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MlflowClient", connect)
        move(trained.root, "digits/1", there)
    return made[0]


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.soak)])
def test_whatever_call_fails_the_next_try_goes_on_and_nothing_is_doubled(
    trained: Trained, there: str, tmp_path: Path, store: Path, step: int
) -> None:
    whole = calls(trained, there, tmp_path, Unreliable)
    expected = describe(MlflowClient(there, there), tmp_path / "expected")
    for failing in range(1, len(whole.calls) + 1, step):
        folder = tmp_path / str(failing)
        folder.mkdir()
        shutil.copy(store, folder / "mlflow.db")
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        with pytest.raises((PodiumError, MlflowException)):
            calls(trained, uri, tmp_path, lambda client, nth=failing: Unreliable(client, nth))  # type: ignore[misc]
        move(trained.root, "digits/1", uri)
        client = MlflowClient(uri, uri)
        assert describe(client, folder / "model") == expected, whole.calls[failing - 1]
        assert [one.entry.action for one in Journal(client, DATASET).read()] == ["copied"]
        assert client.get_model_version_by_alias(DATASET, "champion").version == 1


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mlruns", "'mlruns' is no address of a tracking server"),
        ("postgresql://me:secret@host/db", "'postgresql://…@host/db' is no address of a tracking server"),
        ("HERE", "is at HERE already"),
    ],
)
def test_an_address_that_is_none_is_one_message(trained: Trained, there: str, uri: str, message: str) -> None:
    here = f"sqlite:///{trained.root / 'mlflow.db'}"
    with pytest.raises(PodiumError) as raised:
        move(trained.root, "digits/1", uri.replace("HERE", here))
    assert message.replace("HERE", here) in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_server_that_does_not_answer_is_named_without_its_password(
    trained: Trained, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TransientError) as raised:
        move(trained.root, "digits/1", "http://me:secret@127.0.0.1:9")  # the discard port: nobody listens
    assert "digits/1 is not at http://…@127.0.0.1:9 in full" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_recalled_version_goes_nowhere(trained: Trained, there: str) -> None:
    trained.client.set_model_version_tag(DATASET, "1", "podium.withdrawn", "a wrong label")
    with pytest.raises(PodiumError, match="digits/1 was recalled: a wrong label"):
        move(trained.root, "digits/1", there)
    assert MlflowClient(there, there).get_experiment_by_name(DATASET) is None


def test_a_version_that_was_recalled_there_is_not_made_champion(trained: Trained, there: str) -> None:
    move(trained.root, "digits/1", there)
    client = MlflowClient(there, there)
    client.set_model_version_tag(DATASET, "1", "podium.withdrawn", "it was slow")
    client.delete_registered_model_alias(DATASET, "champion")
    with pytest.raises(PodiumError, match="and was recalled there: it was slow"):
        move(trained.root, "digits/1", there)
    assert not client.get_registered_model(DATASET).aliases
