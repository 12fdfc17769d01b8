"""How far a training is, read from the file that it writes."""

import time
from pathlib import Path

import pytest

from flows import epochs
from flows.epochs import EpochWatch

HEADER = "step,phase,loss,accuracy,validation_loss,validation_accuracy,learning_rate\n"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


def write(path: Path, rows: int) -> None:
    """Write it as the training does: a new file in the place of the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(
        HEADER + "".join(f"{step},fit,{1 / step},0.5,0.6,{step / 20},0.001\n" for step in range(1, rows + 1))
    )
    part.replace(path)


def test_the_rows_of_an_earlier_training_are_no_progress(tmp_path: Path, now: list[float]) -> None:
    path = tmp_path / "history.csv"
    write(path, 20)
    watch = EpochWatch([path], 20)
    assert watch.look() is None
    path.unlink()
    now[0] += 1
    assert watch.look() is None
    write(path, 0)
    now[0] += 1
    assert watch.look() is None
    write(path, 1)
    now[0] += 1
    assert watch.look() == (0.05, "epoch 1/20, loss 1.0000, validation accuracy 0.0500")


def test_the_time_left_is_that_of_the_epochs_after_the_first(tmp_path: Path, now: list[float]) -> None:
    path = tmp_path / "history.csv"
    watch = EpochWatch([path], 20)
    write(path, 8)  # a killed training goes on
    assert watch.look() == (0.4, "epoch 8/20, loss 0.1250, validation accuracy 0.4000")
    now[0] += 10
    write(path, 10)
    assert watch.look() == (0.5, "epoch 10/20, 50 s left, loss 0.1000, validation accuracy 0.5000")


def test_between_looks_the_file_is_left_alone(tmp_path: Path, now: list[float]) -> None:
    path = tmp_path / "history.csv"
    watch = EpochWatch([path], 20)
    write(path, 1)
    seen = watch.look()
    write(path, 2)
    now[0] += epochs.LOOK_INTERVAL_SECONDS / 2
    assert watch.look() == seen
    now[0] += epochs.LOOK_INTERVAL_SECONDS
    assert watch.look() != seen


def test_every_seed_counts(tmp_path: Path, now: list[float]) -> None:
    paths = [tmp_path / "history.csv", tmp_path / "repeats/1/history.csv"]
    watch = EpochWatch(paths, 4)
    write(paths[0], 1)
    assert watch.look() == (0.125, "seed 1 of 2, epoch 1/4, loss 1.0000, validation accuracy 0.0500")
    write(paths[0], 4)
    write(paths[1], 1)
    now[0] += 8
    assert watch.look() == (0.625, "seed 2 of 2, epoch 1/4, 6 s left, loss 1.0000, validation accuracy 0.0500")
