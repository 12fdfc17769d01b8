"""Killed at any moment of a training, by kill -9, the same command goes on and ends in the same bytes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.files import LOCK_GRACE_SECONDS, remove
from tests.flows.workspace import Workspace, shorten
from tests.makers import MOBILENET, make_arrays, make_page, save_page

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("PODIUM_KILLS", "42"))
"""Of a training from scratch, by `make soak`; `PODIUM_KILLS=100` tries harder. `make test` kills DVC once."""
KILLS_OF_A_BACKBONE = 14
EPOCHS = 30
LOG = Path("said.txt")
COMMAND = (sys.executable, "-m", "stages", "train", "dots-dense")

FROM_SCRATCH = {
    "augmentation": {"rotate": 5.0, "shift": 0.1, "zoom": 0.1},
    "label_smoothing": 0.1,
    "repeats": 2,
    "phases": [
        {"name": "warm", "epochs": EPOCHS // 3, "optimizer": "sgd", "momentum": 0.9, "decay": "constant"},
        {"name": "best", "epochs": EPOCHS // 3, "optimizer": "adam", "decay": "plateau", "decay_factor": 0.5}
        | {"decay_every": 1, "keep_best": "validation_loss", "patience": 8},
        {"name": "fine", "epochs": EPOCHS // 3, "optimizer": "adamw", "decay": "cosine", "warmup": 2},
    ],
}
ON_A_BASE = {
    "augmentation": {"rotate": 5.0, "shift": 0.1, "zoom": 0.1},
    "phases": [
        {
            "name": "head",
            "trainable": "head",
            "augmented_copies": 2,
            "epochs": 5,
            "optimizer": "adam",
            "decay": "cosine",
        },
        {"name": "top", "trainable": "top", "unfreeze": 4, "epochs": 2, "optimizer": "sgd", "decay": "constant"},
        {"name": "fine", "epochs": 2, "optimizer": "adamw", "decay": "constant"},
    ],
}


@pytest.fixture
def models(project: Path) -> Path:
    """The folder of a candidate that is ready to be trained; the current folder is its project."""
    make_page(project, "")
    make_arrays(project / "data/processed/dots", 192)
    learn_by(project, FROM_SCRATCH, {"kind": "cnn", "filters": [4, 8], "dropout": 0.3})
    return project / "models/dots-dense"


def learn_by(project: Path, schedule: dict[str, Any], model: dict[str, Any]) -> None:
    """Put a schedule and a model on the page."""
    page = make_page(project, "")
    phase = page["schedules"]["short"]["phases"][0]
    phases = [phase | one for one in schedule["phases"]]
    page["schedules"]["short"] |= schedule | {"phases": phases}
    page["candidates"]["dots-dense"]["model"] = model
    save_page(project, page)


@contextmanager
def training(models: Path) -> Iterator["subprocess.Popen[str]"]:
    """Begin to train, as DVC does: without what an earlier training put out. Kill what is not over at the end."""
    for name in ("calibration.json", "model.keras", "history.csv", "repeats"):
        remove(models / name)
    with LOG.open("w") as said:
        process = subprocess.Popen(COMMAND, stdout=said, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def contents(models: Path) -> dict[str, bytes]:
    """Give what the stage put out; a training's logs for TensorBoard have dates in them, and seconds differ."""
    timed = {"tensorboard", "seconds.json"}
    files = [path for path in models.rglob("*") if path.is_file() and not timed & {*path.parts}]
    return {str(path.relative_to(models)): path.read_bytes() for path in files}


def epochs_of(models: Path) -> int:
    histories = [models / "history.csv", *models.glob("repeats/*/history.csv")]
    return sum(path.read_bytes().count(b"\n") - 1 for path in histories)


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, LOG.read_text()
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def kill_and_go_on(models: Path, kills: int) -> set[str]:
    """Train once, then again with kills; nothing may come out otherwise. Give the places that it went on from.

    Of five kills, one comes while the training starts or the base looks at images, the others up to an epoch after up
    to eight further epochs.
    """
    with training(models) as process:
        assert process.wait(120) == 0, LOG.read_text()
    expected, epochs = contents(models), epochs_of(models)
    assert not [name for name in expected if "checkpoint" in name]
    draws, places, killed = np.random.default_rng(0), set(), 0
    while killed < kills:
        with training(models) as process:
            if draws.uniform() < 0.2:
                time.sleep(draws.uniform(0, 8))
            else:
                wait_for(models / "history.csv", process)
                end = epochs_of(models) + draws.integers(0, 9)
                while process.poll() is None and epochs_of(models) < min(end, epochs):
                    time.sleep(0.005)
                time.sleep(draws.uniform(0, 0.1))
        killed += process.returncode != 0
        if process.returncode == 0:
            assert contents(models) == expected
        places |= resumed()
    with training(models) as process:
        assert process.wait(120) == 0, LOG.read_text()
    assert contents(models) == expected
    return places | resumed()


def resumed() -> set[str]:
    """Give the places that the last training went on from."""
    return {line for line in LOG.read_text().splitlines() if line.startswith("resumes after")}


@pytest.mark.soak
def test_kills_at_random_moments_change_no_byte(models: Path) -> None:
    places = kill_and_go_on(models, KILLS)
    assert len(contents(models)) == 6  # a model and a history of each of two seeds, the list of seeds, the temperatures
    assert len(places) >= min(KILLS, EPOCHS) // 2, "the kills met too few places of the training"


@pytest.mark.soak
def test_kills_change_no_byte_of_what_is_trained_on_a_backbone(models: Path, shared_data: Path) -> None:
    weights = str(shared_data / "weights/mobilenet_1_0_224_tf_no_top.h5")
    learn_by(models.parents[1], ON_A_BASE, {**asdict(MOBILENET), "weights": weights})
    places = kill_and_go_on(models, KILLS_OF_A_BACKBONE)
    assert places, "the kills met no place of the training"
    assert len([*Path("data/features").glob("*.npy")]) == 2


@pytest.mark.soak
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
        assert time.monotonic() - began > LOCK_GRACE_SECONDS
        assert first.poll() is None


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
    page["schedules"]["augmented"]["phases"][0]["epochs"] = 40


@pytest.mark.soak  # the flow and the stages under it: `test_pipeline.py`
def test_dvc_leaves_the_state_of_a_killed_training_where_it_is(tmp_path: Path, cache: Path) -> None:
    project = Workspace(tmp_path / "project")
    project.use_cache(cache)  # the data is not made again
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
    assert "resumes after epoch" in project.run(*force)
    assert contents(models) == expected
    assert (project.root / "dvc.lock").read_text() == lock
