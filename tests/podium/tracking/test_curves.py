import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.tracking.curves import Follower, agrees, read_history, send_curve
from tests.trained import Unreliable

HEADER = "step,phase,loss,accuracy,validation_loss,validation_accuracy,learning_rate\n"


def rows(first: int, last: int) -> str:
    return "".join(f"{step},fit,{1 / step},0.5,{2 / step},0.4,0.001\n" for step in range(first, last + 1))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, store: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{shutil.copy(store, tmp_path_factory.mktemp('mlflow'))}")


@pytest.fixture
def run_id(client: MlflowClient) -> str:
    experiment = client.get_experiment_by_name("curves")
    experiment_id = experiment.experiment_id if experiment else client.create_experiment("curves")
    return str(client.create_run(experiment_id).info.run_id)


def steps(client: MlflowClient, run_id: str, name: str = "loss") -> list[int]:
    return [metric.step for metric in client.get_metric_history(run_id, f"curve/{name}")]


def test_a_row_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    assert read_history(path) == []
    path.write_text(HEADER + rows(1, 2) + "3,fit,0.3")
    assert [row["step"] for row in read_history(path)] == ["1", "2"]


def test_only_what_a_run_lacks_is_sent(tmp_path: Path, client: MlflowClient, run_id: str) -> None:
    path = tmp_path / "history.csv"
    for last in (2, 2, 5):
        path.write_text(HEADER + rows(1, last))
        send_curve(client, run_id, read_history(path))
    for name in ("loss", "validation_accuracy", "learning_rate"):
        assert steps(client, run_id, name) == [1, 2, 3, 4, 5]


def test_a_long_curve_that_breaks_off_has_every_step_once_in_the_end(
    tmp_path: Path, client: MlflowClient, run_id: str
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HEADER + rows(1, 300))  # more than MLflow takes at once
    unreliable = Unreliable(client, failing=3)
    with pytest.raises(MlflowException, match="log_batch"):
        send_curve(unreliable, run_id, read_history(path))  # type: ignore[arg-type]
    assert unreliable.calls.count("log_batch") == 2
    send_curve(client, run_id, read_history(path))
    for name in ("loss", "accuracy", "learning_rate"):
        assert sorted(steps(client, run_id, name)) == list(range(1, 301))


def test_a_curve_agrees_with_the_history_that_it_is_a_part_of(
    client: MlflowClient, run_id: str, tmp_path: Path
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HEADER + rows(1, 2))
    assert agrees(client, run_id, read_history(path))
    send_curve(client, run_id, read_history(path))
    for history, expected in (
        (rows(1, 1), True),
        (rows(1, 5), True),
        (rows(1, 5).replace("0.5,0.5", "0.6,0.5"), False),
    ):
        path.write_text(HEADER + history)
        assert agrees(client, run_id, read_history(path)) is expected


def test_every_column_is_a_curve(tmp_path: Path, client: MlflowClient, run_id: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text("step,phase,loss,box_loss,validation_box_loss,learning_rate\n1,fit,0.5,0.25,0.125,0.001\n")
    send_curve(client, run_id, read_history(path))
    curves = {name: value for name, value in client.get_run(run_id).data.metrics.items() if "box" in name}
    assert curves == {"curve/box_loss": 0.25, "curve/validation_box_loss": 0.125}


def test_a_growing_history_is_followed(tmp_path: Path, client: MlflowClient, run_id: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(HEADER + rows(1, 9))  # of an earlier training
    follower = Follower(path, 9, lambda: (client, run_id))
    follower._look()
    assert steps(client, run_id) == []
    path.write_text(HEADER + rows(1, 1))
    follower._look()
    assert steps(client, run_id) == [1]
    path.write_text(HEADER + rows(1, 4))
    follower._look()
    assert steps(client, run_id) == [1, 2, 3, 4]


def test_a_restored_history_opens_no_run(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"

    def begin() -> tuple[MlflowClient, str]:
        raise AssertionError("a run was opened")

    follower = Follower(path, 9, begin)
    path.write_text(HEADER + rows(1, 9))
    follower._look()


def test_a_block_that_fails_marks_the_run(tmp_path: Path, client: MlflowClient, run_id: str) -> None:
    path = tmp_path / "history.csv"

    def fail() -> None:
        with Follower(path, 9, lambda: (client, run_id)) as follower:
            path.write_text(HEADER + rows(1, 1))
            follower._look()
            raise ValueError("the training broke")

    with pytest.raises(ValueError, match="broke"):
        fail()
    assert client.get_run(run_id).info.status == "FAILED"


@pytest.mark.parametrize("breaks", [False, True])
def test_nobody_waits_for_a_server_that_does_not_answer(tmp_path: Path, breaks: bool) -> None:
    path, asked, answer = tmp_path / "history.csv", threading.Event(), threading.Event()

    def begin() -> tuple[MlflowClient, str]:
        asked.set()
        assert answer.wait(60)
        raise ConnectionError("the server never answered")

    def train() -> None:
        path.write_text(HEADER + rows(1, 1))
        assert asked.wait(20)
        path.write_text(HEADER + rows(1, 4))
        if breaks:
            raise ValueError("the training broke")

    follower = Follower(path, 9, begin, grace=0)
    try:
        with suppress(ValueError), follower:
            train()
        assert not answer.is_set()  # the block has ended, and the server has not answered
        assert follower._thread.daemon  # nor does the process wait for it
    finally:
        answer.set()
        follower._thread.join()


def test_once_a_training_has_ended_nothing_more_of_its_curve_is_begun(
    tmp_path: Path, client: MlflowClient, run_id: str
) -> None:
    path, stop = tmp_path / "history.csv", threading.Event()
    path.write_text(HEADER + rows(1, 2))
    stop.set()
    send_curve(client, run_id, read_history(path), stop)
    assert steps(client, run_id) == []
