import csv
import io
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from podium.training.history import History, Row

pytestmark = pytest.mark.slow

COLUMNS = ["step", "phase", "loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"]
LOGS = {"loss": 0.5, "accuracy": 0.25, "val_loss": 0.75, "val_accuracy": 0.125}


def start(path: Path, epochs: int = 3, *, boxes: bool = False, rows: Sequence[Row] = ()) -> History:
    history = History(path, epochs, boxes=boxes, rows=rows)
    history.set_params({"steps": 1})
    history.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.01)))
    return history


def show(history: History, phase: str, **logs: float) -> None:
    history.phase = phase
    history.on_train_begin()
    history.on_epoch_begin(0)
    history.on_train_batch_end(0)
    history.on_epoch_end(0, LOGS | logs)
    history.on_train_end()


def rows(path: Path) -> list[list[str]]:
    return [*csv.reader(path.read_text().splitlines())]


def test_a_new_training_begins_the_table_anew(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history.csv"
    show(start(path), "fit")
    start(path)
    assert rows(path) == [COLUMNS]


def test_each_epoch_is_in_the_file_as_soon_as_it_ends_and_counts_on_over_phases(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "history.csv"
    history = start(path)
    for step, phase in enumerate(("head", "head", "all"), 1):
        show(history, phase)
        assert rows(path)[-1] == [str(step), phase, "0.5", "0.25", "0.75", "0.125", "0.01"]
        assert caplog.messages[-1].startswith(f"… epoch {step}/3 ({phase}): loss 0.5000, accuracy 0.2500, validation")
    assert len(rows(path)) == 4


@pytest.mark.parametrize(("seconds", "told"), [(0.5, [20]), (4, [3, 6, 9, 12, 15, 18, 20]), (60, [*range(1, 21)])])
def test_where_there_is_no_terminal_a_line_tells_of_an_epoch_every_ten_seconds_and_of_the_last(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    told: list[int],
) -> None:
    caplog.set_level(logging.INFO)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    history = start(tmp_path / "history.csv", 20)
    history.on_train_begin()
    for epoch in range(20):
        history.on_epoch_begin(epoch)
        clock.now += seconds
        history.on_epoch_end(epoch, LOGS)
    history.on_train_end()
    assert [int(message.split()[2].partition("/")[0]) for message in caplog.messages] == told
    left = [float(message.rsplit(", ", 1)[1].split()[0]) for message in caplog.messages]
    assert left == [round(seconds * (20 - step)) for step in told]


def test_on_a_terminal_a_bar_moves_and_the_last_epoch_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    history = start(tmp_path / "history.csv", 2)
    history.on_train_begin()
    for epoch in range(2):
        history.on_epoch_begin(epoch)
        history.on_epoch_end(epoch, LOGS)
        assert not caplog.messages
    history.on_train_end()
    assert "epoch 2/2, 0 s left |" in terminal.getvalue()
    assert "loss 0.5000, validation accuracy 0.1250" in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")  # the bar is gone
    (message,) = caplog.messages
    assert message.startswith("… epoch 2/2 ")


def test_boxes_have_columns_of_their_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "history.csv"
    names = {"label_accuracy": 0.25, "val_label_accuracy": 0.125, "box_loss": 0.03, "val_box_loss": 0.04}
    show(start(path, boxes=True), "head", **names, label_loss=0.6, accuracy=9.0, val_accuracy=9.0)
    assert rows(path) == [
        [*COLUMNS[:-1], "box_loss", "validation_box_loss", "learning_rate"],
        ["1", "head", "0.5", "0.25", "0.75", "0.125", "0.03", "0.04", "0.01"],
    ]
    assert "accuracy 0.2500, validation loss 0.7500, validation accuracy 0.1250, 0 s left" in caplog.messages[-1]


def test_a_training_that_is_gone_on_with_has_its_rows_back(tmp_path: Path) -> None:
    whole, again = start(tmp_path / "whole.csv"), start(tmp_path / "again.csv")
    for step, phase in enumerate(("head", "head", "all")):
        show(whole, phase, loss=0.1 + step / 3)
        show(again, phase, loss=0.1 + step / 3)
        again = start(tmp_path / "again.csv", rows=json.loads(json.dumps(again.rows)))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_table_that_someone_removes_comes_back_whole(tmp_path: Path) -> None:
    history = start(tmp_path / "history.csv")
    show(history, "head")
    (tmp_path / "history.csv").unlink()
    show(history, "head")
    assert [row[0] for row in rows(tmp_path / "history.csv")] == ["step", "1", "2"]
