"""Killed at any moment of a training, by kill -9, the same command goes on and ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.paths import GRACE
from tests.flows.workspace import Workspace, shorten
from tests.makers import make_arrays, make_page, save_page

pytestmark = pytest.mark.slow

KILLS = 12
EPOCHS = 60
LOG = Path("said.txt")
COMMAND = (sys.executable, "-m", "stages", "train", "dots-dense")


@pytest.fixture
def models(project: Path) -> Path:
    """The folder of a candidate that is ready to be trained; the current folder is its project."""
    page = make_page(project, "")
    make_arrays(project / "data/processed/dots", 192)
    phase = page["schedules"]["short"]["phases"][0]
    page["schedules"]["short"] |= {
        "augmentation": {"rotate": 5.0, "shift": 0.1, "zoom": 0.1},
        "phases": [
            phase | {"name": "warm", "epochs": EPOCHS // 2, "optimizer": "sgd", "momentum": 0.9},
            phase | {"name": "fine", "epochs": EPOCHS // 2, "optimizer": "adamw", "decay": "cosine"},
        ],
    }
    page["candidates"]["dots-dense"]["model"] = {"kind": "cnn", "filters": [4, 8], "dropout": 0.3}
    save_page(project, page)
    return project / "models/dots-dense"


@contextmanager
def training(models: Path) -> Iterator["subprocess.Popen[str]"]:
    """Begin to train, as DVC does: without what an earlier training put out. Kill what is not over at the end."""
    for name in ("model.keras", "history.csv"):
        (models / name).unlink(missing_ok=True)
    with LOG.open("w") as said:
        process = subprocess.Popen(COMMAND, stdout=said, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def contents(models: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in models.iterdir()}


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, LOG.read_text()
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def test_a_dozen_kills_at_random_moments_change_no_byte(models: Path) -> None:
    """Each comes up to eight epochs, and then up to an epoch, after the training goes on."""
    history = models / "history.csv"
    with training(models) as process:
        assert process.wait(60) == 0, LOG.read_text()
    expected = contents(models)
    assert sorted(expected) == ["history.csv", "model.keras"]
    assert expected["history.csv"].count(b"\n") == EPOCHS + 1
    draws, places = np.random.default_rng(0), set()
    for _ in range(KILLS):
        with training(models) as process:
            wait_for(history, process)
            end = history.read_bytes().count(b"\n") + draws.integers(0, 9)
            while process.poll() is None and history.read_bytes().count(b"\n") < end:
                time.sleep(0.005)
            time.sleep(draws.uniform(0, 0.1))
        if process.returncode == 0:
            assert contents(models) == expected
        places |= {line for line in LOG.read_text().splitlines() if line.startswith("goes on after")}
    with training(models) as process:
        assert process.wait(60) == 0, LOG.read_text()
    assert contents(models) == expected
    assert len(places) >= KILLS / 2, "the kills met too few places of the training"


def test_two_trainings_of_one_candidate_do_not_meet(models: Path) -> None:
    page = make_page(models.parents[1], "")
    page["schedules"]["short"]["phases"][0]["epochs"] = 100_000
    save_page(models.parents[1], page)
    with training(models) as first:
        wait_for(models / "checkpoint.npz", first)
        began = time.monotonic()
        second = subprocess.run(COMMAND, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert second.stderr.startswith(
            "train dots-dense: dots-dense is being trained by another process. Wait until it"
        )
        assert time.monotonic() - began > GRACE
        assert first.poll() is None
    with training(models) as third:
        wait_for(models / "history.csv", third)  # the system lifted the lock of the one that was killed


def test_a_training_that_diverges_ends_with_its_message_and_nothing_else(models: Path) -> None:
    page = make_page(models.parents[1], "")
    page["schedules"]["short"]["phases"][0] |= {"optimizer": "sgd", "learning_rate": 1e30}
    save_page(models.parents[1], page)
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("train dots-dense: The loss is nan after batch ")
    assert done.stderr.count("\n") == 1


def long(page: dict[str, Any]) -> None:
    shorten(page)
    page["schedules"]["moved"]["phases"][0]["epochs"] = 40


def test_dvc_leaves_the_state_of_a_killed_training_where_it_is(tmp_path: Path) -> None:
    project = Workspace(tmp_path / "project")
    project.edit(long)
    command = ("dvc", "repro", "train@digits-cnn")
    project.run(*command)
    models = project.root / "models/digits-cnn"
    expected, lock = contents(models), (project.root / "dvc.lock").read_text()
    force = (*command, "--force", "--single-item")
    with project.running(*force) as process:
        while not ((models / "checkpoint.npz").exists() and (models / "history.csv").read_bytes().count(b"\n") > 5):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (models / "model.keras").exists()
    assert "goes on after epoch" in project.run(*force)
    assert contents(models) == expected
    assert (project.root / "dvc.lock").read_text() == lock
