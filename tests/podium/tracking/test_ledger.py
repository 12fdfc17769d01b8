import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.environment_variables import MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.files import file_digest
from podium.tracking import Ledger, tracking_uri
from tests.trained import (
    CANDIDATES,
    COLUMNS,
    DATASET,
    EPOCHS,
    SCORES,
    Trained,
    Unreliable,
    describe_runs,
    find_runs,
    make_trained,
)

NAME = "digits-dense"


def publish(trained: Trained, name: str = NAME, **changes: Any) -> Any:
    """Train a candidate and publish it."""
    trained.train(trained.ledger, name, **changes)
    return trained.ledger.publish(name)


def the_run(trained: Trained, name: str = NAME) -> Any:
    (run,) = find_runs(trained.client, name)
    return run


def test_a_run_holds_the_curve_the_metrics_the_params_and_the_lineage(trained: Trained) -> None:
    result = publish(trained)
    (found,) = describe_runs(trained)
    assert (found["name"], found["status"]) == (NAME, "FINISHED")
    for column in COLUMNS:
        assert [step for step, _ in found["metrics"][f"curve/{column}"]] == list(range(1, EPOCHS[NAME] + 1))
    assert {key: values for key, values in found["metrics"].items() if "/" in key and "curve" not in key} == {
        f"{split}/{key}{end}": [(0, value + more)]
        for split, scores in SCORES.items()
        for key, value in scores.items()
        for end, more in (("", 0), ("/low", -0.125), ("/high", 0.125))
    }
    assert found["params"].items() >= {"model": "dense", "fit.epochs": "15", "dataset": DATASET}.items()
    files = ("metrics.json", "evaluation.json", "predictions.parquet", "confusion_matrix.csv", "gallery.png")
    reports = {f"reports/{file}" for file in files}
    validation = {f"validation/{file}" for file in ("index.html", "summary.json", "findings.json")}
    kept = ("dvc.lock", "params.yaml", "split.csv", "environment.txt", "machine.json", "source.json")
    lineage = {f"lineage/{file}" for file in kept}
    assert found["files"].keys() == reports | validation | lineage
    contexts = {"train": "training", "validation": "validation", "test": "test"}
    assert [(name, context) for name, _, context in found["inputs"]] == sorted(
        (f"{DATASET}/{split}", context) for split, context in contexts.items()
    )
    tags = found["tags"]
    assert {key for key in tags if key.startswith("podium.")} == {
        f"podium.{key}"
        for key in ("candidate", "data", "edited", "evaluation", "training_key", "intent", "splits", "workspace")
    }
    assert (tags["podium.candidate"], tags["mlflow.source.git.commit"]) == (NAME, "not in git")
    run = the_run(trained)
    assert result.run_id == run.info.run_id
    assert result.model_id == run.outputs.model_outputs[0].model_id
    assert (result.candidate, result.metrics, result.is_new) == (NAME, SCORES, True)
    assert result.splits == file_digest(trained.root / "data/processed/digits/split.csv")


def test_a_run_is_described_by_its_headline_the_picture_and_the_page(trained: Trained) -> None:
    reports = trained.root / trained.paths(NAME).reports
    for file in ("index.html", "results.png"):
        (reports / file).write_text(file)
    publish(trained)
    run = the_run(trained)
    note = run.data.tags["mlflow.note.content"]
    assert "accuracy **0.7000** (0.575 to 0.825) on the test split, **0.7500**" in note
    place = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/reports/index.html"
    assert f"[The report card]({place}?workflowType=machine_learning)" in note
    assert f"![The results](get-artifact?path=reports/results.png&run_uuid={run.info.run_id})" in note


def test_a_run_keeps_what_it_was_made_from(trained: Trained) -> None:
    publish(trained)
    kept = Path(the_run(trained).info.artifact_uri.removeprefix("file://")) / "lineage"
    for name in ("dvc.lock", "params.yaml"):
        assert (kept / name).read_bytes() == (trained.root / name).read_bytes()
    assert (kept / "split.csv").read_bytes() == (trained.root / "data/processed/digits/split.csv").read_bytes()
    assert "\nmlflow==" in (kept / "environment.txt").read_text()


def test_a_second_publication_adds_nothing(trained: Trained) -> None:
    first = publish(trained)
    before = describe_runs(trained)
    again = trained.ledger.publish(NAME)
    assert (again.is_new, again.run_id, again.model_id) == (False, first.run_id, first.model_id)
    assert describe_runs(trained) == before


def test_candidates_stand_side_by_side(trained: Trained) -> None:
    for name in CANDIDATES:
        publish(trained, name)
    dense, cnn = (the_run(trained, name) for name in CANDIDATES)
    assert dense.info.experiment_id == cnn.info.experiment_id
    assert dense.data.metrics.keys() == cnn.data.metrics.keys()
    differ = {key for key in {**dense.data.params, **cnn.data.params} if "model." not in key}
    assert differ - {*dense.data.params} == {"augmentation"}  # what is not asked for is no param
    assert "none" not in {*dense.data.params.values(), *cnn.data.params.values()}


def test_a_result_that_comes_back_makes_no_further_run(trained: Trained) -> None:
    first = publish(trained)
    publish(trained, loss=3.0)
    assert len(find_runs(trained.client, NAME)) == 2
    trained.write_history(NAME, EPOCHS[NAME])  # as `dvc checkout` restores it
    (trained.root / trained.paths(NAME).model).write_text(f"{NAME}, trained from loss 1.0")
    trained.lock()
    assert trained.ledger.publish(NAME).run_id == first.run_id
    assert len(find_runs(trained.client, NAME)) == 2


def test_a_changed_evaluation_goes_to_the_same_run(trained: Trained) -> None:
    first = publish(trained)
    before = the_run(trained).data.tags
    lock = (trained.root / "dvc.lock").read_bytes()
    changed = {"validation": {"accuracy": 0.875, "loss": 0.5}, "test": SCORES["test"]}
    trained.write_metrics(NAME, changed)
    trained.lock()
    again = trained.ledger.publish(NAME)
    assert (again.run_id, again.model_id, again.is_new) == (first.run_id, first.model_id, False)
    assert again.metrics == changed
    run = the_run(trained)
    assert run.data.metrics["validation/accuracy"] == 0.875
    (found,) = describe_runs(trained)
    assert found["metrics"]["validation/accuracy"] == [(0, 0.75), (0, 0.875)]
    assert found["metrics"]["validation/loss"] == [(0, 0.5)]  # what did not change is not said again
    assert [step for step, _ in found["metrics"]["curve/loss"]] == list(range(1, EPOCHS[NAME] + 1))
    assert {key for key, text in run.data.tags.items() if text != before.get(key)} == {
        "podium.evaluation",
        "mlflow.note.content",
    }
    kept = Path(run.info.artifact_uri.removeprefix("file://"))
    assert json.loads((kept / "reports/metrics.json").read_text()) == changed
    assert lock != (kept / "lineage/dvc.lock").read_bytes() == (trained.root / "dvc.lock").read_bytes()


def test_a_killed_training_is_gone_on_with_in_its_run(trained: Trained) -> None:
    trained.train(trained.ledger, NAME)
    opened = the_run(trained)
    assert (opened.info.status, opened.data.metrics["curve/accuracy"]) == ("RUNNING", 0.5)
    assert publish(trained).run_id == opened.info.run_id
    assert the_run(trained).info.status == "FINISHED"


def test_a_failed_training_is_gone_on_with_in_its_run(trained: Trained) -> None:
    trained.train(trained.ledger, NAME)
    opened = the_run(trained)
    trained.client.set_terminated(opened.info.run_id, "FAILED")
    trained.write_history(NAME, 0)
    follower = trained.ledger.follow(NAME)
    trained.write_history(NAME, 1)
    follower._look()
    assert the_run(trained).info.status == "RUNNING"
    assert publish(trained).run_id == opened.info.run_id


def test_a_run_with_the_curve_of_another_training_is_not_gone_on_with(trained: Trained) -> None:
    trained.train(trained.ledger, NAME, loss=3.0)
    left = the_run(trained)
    result = publish(trained)  # the code was edited: the same is asked for, and something else comes out
    assert result.run_id != left.info.run_id
    assert result.model_id != left.outputs.model_outputs[0].model_id
    (found,) = describe_runs(trained)
    assert found["metrics"]["curve/loss"] == [(step, 1 / step) for step in range(1, EPOCHS[NAME] + 1)]


def test_a_training_that_was_given_up_is_marked_as_killed(trained: Trained) -> None:
    trained.train(trained.ledger, NAME)
    given_up = the_run(trained)
    trained.edit("learning_rate: 0.001", "learning_rate: 0.002")
    result = publish(trained)
    runs = {run.info.run_id: run.info.status for run in find_runs(trained.client, NAME)}
    assert runs == {given_up.info.run_id: "KILLED", result.run_id: "FINISHED"}


def test_what_a_repeated_training_left_goes_once_its_result_is_known(trained: Trained) -> None:
    first = publish(trained)
    follower = trained.ledger.follow(NAME)  # `dvc repro --force`: it trains again, and gets the same
    trained.write_history(NAME, 3)
    follower._look()
    assert len(find_runs(trained.client, NAME)) == 2
    trained.write_history(NAME, EPOCHS[NAME])
    assert trained.ledger.publish(NAME).run_id == first.run_id
    assert the_run(trained).info.run_id == first.run_id


@pytest.mark.parametrize("tag", ["podium.candidate", "podium.workspace"])
def test_the_unfinished_runs_of_others_are_left_alone(trained: Trained, tag: str) -> None:
    trained.train(trained.ledger, NAME)
    theirs = the_run(trained).info.run_id
    trained.client.set_tag(theirs, tag, "another")
    result = publish(trained)
    assert result.run_id != theirs
    assert trained.client.get_run(theirs).info.status == "RUNNING"


def test_a_deleted_experiment_is_restored_with_its_runs(trained: Trained) -> None:
    first = publish(trained)
    before = describe_runs(trained)
    trained.client.delete_experiment(the_run(trained).info.experiment_id)
    again = trained.ledger.publish(NAME)
    assert (again.run_id, again.is_new) == (first.run_id, False)
    assert describe_runs(trained) == before


def test_a_deleted_run_is_published_anew(trained: Trained) -> None:
    first = publish(trained)
    trained.client.delete_run(first.run_id)
    again = publish(trained)
    assert again.is_new
    assert the_run(trained).info.run_id == again.run_id != first.run_id


def artifacts(trained: Trained) -> Path:
    return trained.root / "mlflow-artifacts" / DATASET


@pytest.mark.parametrize("folder", ["reports", "validation", "lineage", "."])
def test_artifacts_that_were_deleted_are_sent_again_to_the_same_run(trained: Trained, folder: str) -> None:
    first = publish(trained)
    before = describe_runs(trained)
    shutil.rmtree(artifacts(trained) / first.run_id / "artifacts" / folder)
    again = trained.ledger.publish(NAME)
    assert (again.run_id, again.model_id, again.is_new) == (first.run_id, first.model_id, False)
    assert describe_runs(trained) == before


def test_one_deleted_report_is_sent_again(trained: Trained) -> None:
    run_id = publish(trained).run_id
    report = artifacts(trained) / run_id / "artifacts/reports/metrics.json"
    report.unlink()
    trained.ledger.publish(NAME)
    assert report.is_file()


def test_a_model_whose_files_were_deleted_gets_them_again_in_its_place(trained: Trained) -> None:
    first = publish(trained)
    shutil.rmtree(artifacts(trained) / "models")
    again = trained.ledger.publish(NAME)
    assert (again.run_id, again.model_id) == (first.run_id, first.model_id)
    assert (artifacts(trained) / "models" / first.model_id / "artifacts/MLmodel").is_file()
    assert (artifacts(trained) / "models" / first.model_id / "artifacts/artifacts/model.keras").is_file()
    assert [one.model_id for one in the_run(trained).outputs.model_outputs] == [first.model_id]


@pytest.mark.parametrize("lost", ["models/digits-dense/model.keras", "reports/digits/digits-dense/metrics.json"])
def test_artifacts_that_are_gone_here_as_well_are_said_so_in_one_message(trained: Trained, lost: str) -> None:
    for name in CANDIDATES:
        publish(trained, name)
    shutil.rmtree(artifacts(trained))
    (trained.root / lost).unlink()
    with pytest.raises(PodiumError, match=rf"{NAME}, and {lost} is not here any more.*`dvc repro evaluate@{NAME}`"):
        trained.ledger.publish(NAME)


def test_a_candidate_that_is_not_evaluated_is_answered_with_the_command(trained: Trained) -> None:
    lock = (trained.root / "dvc.lock").read_text()
    (trained.root / "dvc.lock").write_text(lock.replace(f"evaluate@{NAME}", "evaluate@another"))
    with pytest.raises(PodiumError, match=f"`dvc repro evaluate@{NAME}`"):
        trained.ledger.publish(NAME)
    assert trained.client.get_experiment_by_name(DATASET) is None


def test_the_address_is_a_file_of_the_project_unless_the_environment_names_another(
    trained: Trained, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracking_uri(trained.root) == f"sqlite:///{trained.root}/mlflow.db"
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    (tmp_path / "elsewhere.db").write_bytes(store.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", elsewhere)
    publish(trained)
    assert trained.client.tracking_uri == elsewhere
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert trained.client.get_experiment_by_name(DATASET) is None


def test_mlflow_prints_no_links_of_its_own_as_they_open_the_wrong_view(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.name, "")
    monkeypatch.delenv(MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.name)
    assert trained.ledger.client
    assert MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.get()


def test_a_store_that_is_none_is_named_at_once(trained: Trained) -> None:
    (trained.root / "mlflow.db").write_text("this is no database")
    with pytest.raises(PodiumError, match=r"mlflow\.db is no SQLite database.*`mv "):
        trained.ledger.publish(NAME)


@pytest.mark.slow
def test_a_new_store_is_laid_out_over_one_whose_making_was_cut_short(trained: Trained) -> None:
    (trained.root / "mlflow.db").unlink()
    (trained.root / ".mlflow.db.part").write_bytes(b"SQLite format 3\0, and then a kill")
    publish(trained)
    assert not (trained.root / ".mlflow.db.part").exists()


def run_flow(trained: Trained, ledgers: Callable[[], Ledger]) -> None:
    """Train and publish as a flow does; what breaks is done again, each time with the next ledger."""
    for step in (trained.train, lambda ledger, name: ledger.publish(name)):
        for _ in range(2):
            try:
                step(ledgers(), NAME)
            except MlflowException:
                continue
            break


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_a_flow_that_breaks_at_any_call_and_is_repeated_ends_as_if_nothing_had_happened(
    tmp_path: Path, store: Path, step: int
) -> None:

    def end(failing: int) -> tuple[Any, list[str]]:
        trained = make_trained(tmp_path / str(failing), store)
        client = Unreliable(trained.client, failing)

        def ledger() -> Ledger:
            made = trained.ledger
            made.client = client  # type: ignore[assignment]
            return made

        run_flow(trained, ledger)
        return describe_runs(trained), client.calls

    expected, calls = end(0)
    assert len(calls) > 30
    for number, name in [*enumerate(calls, 1)][::step]:
        found, made = end(number)
        assert made[number - 1] == name
        assert found == expected, f"call {number}, {name}"


def wait_for_steps(client: MlflowClient, steps: list[int]) -> None:
    deadline = time.monotonic() + 20
    while True:
        runs = find_runs(client, NAME) if client.get_experiment_by_name(DATASET) else []
        found = [[point.step for point in client.get_metric_history(run.info.run_id, "curve/loss")] for run in runs]
        if found == [steps]:
            return
        assert time.monotonic() < deadline, f"MLflow has the steps {found}"
        time.sleep(0.05)


def test_the_curve_arrives_while_the_history_grows(trained: Trained) -> None:
    with trained.ledger.follow(NAME):
        for epochs in (2, 5):
            trained.write_history(NAME, epochs)
            wait_for_steps(trained.client, list(range(1, epochs + 1)))
    assert the_run(trained).info.status == "RUNNING"


def test_a_training_that_breaks_marks_its_run(trained: Trained) -> None:
    def fail() -> None:
        with trained.ledger.follow(NAME):
            trained.write_history(NAME, 2)
            wait_for_steps(trained.client, [1, 2])
            raise ValueError("the training broke")

    with pytest.raises(ValueError, match="the training broke"):
        fail()
    assert the_run(trained).info.status == "FAILED"


@pytest.mark.parametrize("broken", [False, True], ids=["silent", "broken"])
def test_nothing_that_is_wrong_with_mlflow_stops_a_training(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: bool
) -> None:
    if broken:
        (trained.root / "mlflow.db").write_text("this is no database")
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the discard port: nobody listens
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with caplog.at_level(logging.WARNING, "podium"), trained.ledger.follow(NAME):
        trained.write_history(NAME, 2)
        wait_until(lambda: bool(caplog.messages))
        trained.write_history(NAME, 3)
        time.sleep(1.5)  # it looks again, and says nothing more
    (warning,) = caplog.messages
    assert "the training goes on, its curve follows later" in warning


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
