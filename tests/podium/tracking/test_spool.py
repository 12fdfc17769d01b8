"""What MLflow does not take is kept whole, and sent once by whoever comes first."""

import json
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from podium.cli import main
from podium.files import exclusive_lock
from podium.tracking import Ledger
from podium.tracking.spool import SPOOL
from tests.trained import EPOCHS, Trained, Unreliable, describe_runs, find_runs, make_trained

NAME = "digits-dense"


def keep(trained: Trained, *, loss: float = 1.0, name: str = NAME) -> None:
    """Train while MLflow is away, and keep the result."""
    trained.write_history(name, EPOCHS[name], loss=loss)
    (trained.root / trained.paths(name).model).write_text(f"{name}, trained from loss {loss}")
    trained.lock()
    trained.ledger.keep(name)


def first_losses(trained: Trained) -> list[float]:
    runs = find_runs(trained.client, NAME)
    return [trained.client.get_metric_history(run.info.run_id, "curve/loss")[0].value for run in runs]


def test_a_kept_result_is_sent_as_if_it_had_been_published(tmp_path: Path, store: Path) -> None:
    published, kept = (make_trained(tmp_path / name, store) for name in ("published", "kept"))
    published.ledger.publish(NAME)
    keep(kept)
    published.write_history(NAME, EPOCHS[NAME])
    shutil.rmtree(kept.root / "models")
    shutil.rmtree(kept.root / "reports")
    shutil.rmtree(kept.root / "data")
    (line,) = kept.ledger.sync()
    (run,) = find_runs(kept.client, NAME)
    assert line.startswith(f"{NAME}, kept since 20")
    assert line.endswith(f": sent, run {run.info.run_id}.")
    (found,), (expected,) = describe_runs(kept), describe_runs(published)
    for volatile in ("podium.training_key", "mlflow.note.content"):  # the first one's model has another text
        found["tags"].pop(volatile), expected["tags"].pop(volatile)
    found["files"].pop("lineage/dvc.lock"), expected["files"].pop("lineage/dvc.lock")
    assert found == expected
    assert list((kept.root / SPOOL).glob("*")) == [kept.root / SPOOL / ".sending.lock"]


def test_a_later_training_takes_nothing_from_a_kept_result_and_the_oldest_goes_first(trained: Trained) -> None:
    for loss in (3.0, 2.0, 1.0):
        keep(trained, loss=loss)
    assert trained.ledger.spool.describe().startswith("3 results, ")
    assert [line.partition(": ")[2].partition(",")[0] for line in trained.ledger.sync()] == ["sent"] * 3
    assert first_losses(trained) == [3.0, 2.0, 1.0]
    assert trained.ledger.sync() == []
    assert trained.ledger.publish(NAME).is_new is False


def test_a_result_that_is_kept_twice_waits_once_with_its_newest_evaluation(trained: Trained) -> None:
    keep(trained)
    trained.write_metrics(NAME, {"validation": {"accuracy": 0.875, "loss": 0.5}, "test": {"accuracy": 1, "loss": 0}})
    keep(trained)
    (line,) = trained.ledger.sync()
    (run,) = find_runs(trained.client, NAME)
    assert "sent" in line
    assert run.data.metrics["validation/accuracy"] == 0.875


def test_what_was_published_in_between_waits_no_longer(trained: Trained) -> None:
    keep(trained)
    trained.ledger.publish(NAME)
    assert trained.ledger.spool.snapshots() == []
    assert len(find_runs(trained.client, NAME)) == 1


def test_the_commit_of_the_training_is_noted_not_the_one_of_the_sending(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.tracking.lineage.describe_source", lambda _: {"mlflow.source.git.commit": "then"})
    keep(trained)
    monkeypatch.setattr("podium.tracking.lineage.describe_source", lambda _: {"mlflow.source.git.commit": "now"})
    trained.ledger.sync()
    (run,) = find_runs(trained.client, NAME)
    assert run.data.tags["mlflow.source.git.commit"] == "then"


def test_what_is_kept_says_how_large_it_is_and_what_to_type(trained: Trained) -> None:
    assert "is kept in .dvc/tmp/podium-spool (1 result, " in trained.ledger.keep(NAME)
    assert "`podium sync` sends it" in trained.ledger.keep(NAME)


def test_the_first_failure_that_may_pass_ends_the_sending_and_all_stays(trained: Trained) -> None:
    for loss in (2.0, 1.0):
        keep(trained, loss=loss)
    ledger = trained.ledger
    ledger.client = Unreliable(trained.client, failing=5)  # type: ignore[assignment]
    first, second = ledger.sync()
    assert "stays. MLflow at sqlite:" in first
    assert second.endswith(": stays.")
    assert len(ledger.spool.snapshots()) == 2
    assert len([line for line in trained.ledger.sync() if "sent" in line]) == 2
    assert first_losses(trained) == [2.0, 1.0]


@pytest.mark.parametrize("broken", ["kept.json", "params.yaml", "dvc.lock"])
def test_a_damaged_result_is_named_and_the_others_go_on(trained: Trained, broken: str) -> None:
    for loss in (2.0, 1.0):
        keep(trained, loss=loss)
    damaged = trained.ledger.spool.snapshots()[0].folder
    (damaged / broken).write_text("{")
    lines = trained.ledger.sync()
    assert sorted("sent" in line for line in lines) == [False, True]
    assert [one.folder for one in trained.ledger.spool.snapshots()] == [damaged]


def test_a_kill_while_a_result_is_kept_leaves_none_that_is_cut_short(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("podium.tracking.spool.save_json", killed)
    with pytest.raises(KeyboardInterrupt):
        trained.ledger.keep(NAME)
    assert trained.ledger.spool.snapshots() == []


def test_two_processes_do_not_send_the_same_result(trained: Trained) -> None:
    keep(trained)
    with FileLock(trained.root / SPOOL / ".sending.lock"):
        assert trained.ledger.sync() == ["Another process sends what the spool holds."]
    assert len(trained.ledger.sync()) == 1


def test_a_training_that_goes_on_keeps_its_run_while_older_results_are_sent(trained: Trained) -> None:
    keep(trained, loss=2.0)
    keep(trained)
    trained.train(trained.ledger, NAME)
    (running,) = find_runs(trained.client, NAME)
    with exclusive_lock(trained.root / trained.paths(NAME).checkpoint, "training"):
        assert len(trained.ledger.sync()) == 2
        assert trained.client.get_run(running.info.run_id).info.status == "RUNNING"
    assert trained.ledger.publish(NAME).run_id != running.info.run_id
    assert len(find_runs(trained.client, NAME)) == 2


def test_a_run_that_a_kill_left_is_closed(trained: Trained) -> None:
    trained.train(trained.ledger, NAME)
    (left,) = find_runs(trained.client, NAME)
    (line,) = trained.ledger.sync()
    assert line == f"{NAME}: run {left.info.run_id} is closed, its training was killed."
    assert trained.client.get_run(left.info.run_id).info.status == "KILLED"
    assert trained.ledger.sync() == []
    assert trained.ledger.publish(NAME).run_id == left.info.run_id


@pytest.mark.parametrize("whose", ["another's", "of a training that goes on", "without a candidate"])
def test_a_run_is_left_alone_that_is(trained: Trained, whose: str) -> None:
    trained.train(trained.ledger, NAME)
    (run,) = find_runs(trained.client, NAME)
    if whose == "another's":
        trained.client.set_tag(run.info.run_id, "podium.workspace", "another")
    if whose == "without a candidate":
        trained.client.delete_tag(run.info.run_id, "podium.candidate")
    place = trained.root / ("elsewhere" if "goes on" not in whose else trained.paths(NAME).checkpoint)
    with exclusive_lock(place, "training"):
        assert trained.ledger.sync() == []
    assert trained.client.get_run(run.info.run_id).info.status == "RUNNING"


def test_the_command_says_what_it_sent_and_what_is_left(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (trained.root / "dvc.yaml").touch()
    monkeypatch.chdir(trained.root)
    for loss in (2.0, 1.0):
        keep(trained, loss=loss)
    damaged = trained.ledger.spool.snapshots()[0].folder / "kept.json"
    whole = damaged.read_text()
    damaged.write_text(json.dumps({"format": 0, "when": 1}))
    assert main(["sync"]) == 1
    said = capsys.readouterr().out
    assert "sent, run" in said
    assert f"`rm -r {damaged.parent}`" in said
    assert "Left: 1 result" in said
    damaged.write_text(whole)
    assert main(["sync"]) == 0
    assert "MLflow has everything." in capsys.readouterr().out


def test_an_address_where_nobody_answers_is_named_and_all_stays(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(trained)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (line,) = trained.ledger.sync()
    assert "stays. MLflow at http://127.0.0.1:9 did not do its part" in line
    assert len(Ledger(trained.root, trained.page).spool.snapshots()) == 1


def test_a_store_that_is_none_is_named_and_all_stays(trained: Trained) -> None:
    keep(trained)
    (trained.root / "mlflow.db").write_text("this is no database")
    assert "is no SQLite database" in trained.ledger.sync()[0]
    assert len(trained.ledger.spool.snapshots()) == 1
