"""What MLflow keeps of a model, found again by version, alias and run."""

from pathlib import Path

import numpy as np
import pytest

from podium.errors import PodiumError, TransientError
from podium.evaluation.predictions import load_predictions
from podium.tracking.names import WITHDRAWN
from podium.tracking.published import fetch
from tests.trained import DATASET, EPOCHS, Trained, make_champion

NAME = "digits-dense"


@pytest.fixture
def published(trained: Trained) -> Trained:
    """A project whose candidate is published, and champion."""
    trained.train(trained.ledger, NAME)
    result = trained.ledger.publish(NAME)
    make_champion(trained.client, result)
    return trained


def test_a_version_an_alias_and_a_run_are_the_same_model(published: Trained, tmp_path: Path) -> None:
    run = published.client.get_model_version(DATASET, "1").run_id
    for number, name in enumerate(("digits/1", "models:/digits/1", "digits@champion", "models:/digits@champion", run)):
        found = fetch(published.root, name, tmp_path / str(number))
        assert (found.candidate, found.dataset) == (NAME, DATASET)
        assert found.where.endswith(f"run {run[:8]} of {NAME}")
        kept = load_predictions(found.reports / "predictions.parquet")["test"]
        here = load_predictions(published.root / published.paths(NAME).reports / "predictions.parquet")["test"]
        np.testing.assert_array_equal(kept.probabilities, here.probabilities)
        assert found.curves["step"].tolist() == list(range(1, EPOCHS[NAME] + 1))
        assert found.curves["validation_loss"].tolist() == [2 / step for step in found.curves["step"]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits/7", "MLflow has no 'digits/7'. There are: digits/1, digits@champion."),
        ("digits@previous", "There are: digits/1, digits@champion."),
        ("digts/1", "Did you mean 'digits'"),
        ("0" * 32, f"MLflow has no run {'0' * 32}"),
        ("digits/one", "is no name of a model in MLflow"),
        ("a/b/c", "is no name of a model in MLflow"),
    ],
)
def test_what_mlflow_does_not_have_is_answered_with_what_it_has(
    published: Trained, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(PodiumError) as raised:
        fetch(published.root, name, tmp_path)
    assert message in str(raised.value)


@pytest.mark.parametrize("by", ["version", "run"])
def test_what_was_recalled_is_given_with_a_warning(
    published: Trained, tmp_path: Path, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    client, name = published.client, "digits/1"
    run_id = client.get_model_version(DATASET, "1").run_id
    if by == "run":
        client.set_tag(run_id, WITHDRAWN, "wrong labels")
        name = run_id
    else:
        client.set_model_version_tag(DATASET, "1", WITHDRAWN, "wrong labels")
    assert fetch(published.root, name, tmp_path).candidate == NAME
    assert "was recalled: wrong labels" in caplog.text


def test_a_run_from_before_predictions_were_kept_is_answered_with_what_to_do(trained: Trained, tmp_path: Path) -> None:
    trained.train(trained.ledger, NAME)
    result = trained.ledger.publish(NAME)
    kept = Path(trained.client.get_run(result.run_id).info.artifact_uri.removeprefix("file://"))
    (kept / "reports/predictions.parquet").unlink()
    with pytest.raises(PodiumError, match=r"published without predictions\.parquet.*`podium run`"):
        fetch(trained.root, result.run_id, tmp_path)


def test_without_a_store_nothing_is_laid_out(trained: Trained, tmp_path: Path) -> None:
    (trained.root / "mlflow.db").unlink()
    with pytest.raises(PodiumError, match="MLflow has nothing yet"):
        fetch(trained.root, "digits/1", tmp_path)
    assert not (trained.root / "mlflow.db").exists()


def test_a_server_that_does_not_answer_is_named_without_its_password(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TransientError) as raised:
        fetch(trained.root, "digits/1", tmp_path)
    assert "127.0.0.1:9 did not do its part" in str(raised.value)
    assert "secret" not in str(raised.value)
