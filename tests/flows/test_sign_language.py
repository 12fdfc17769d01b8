"""The recipe sign_language on Kaggle's own archive, where the test data is at hand."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.flows.workspace import Workspace

pytestmark = pytest.mark.slow

ARCHIVE = "kaggle/datasets/datamunge/sign-language-mnist.zip"
WEIGHTS = "weights/mobilenet_1_0_224_tf_no_top.h5"


def shorten(page: dict) -> None:  # type: ignore[type-arg]
    for schedule in page["schedules"].values():
        schedule["phases"][0]["epochs"] = 1
        schedule["steps_per_epoch"] = 5


def test_it_runs_with_one_line_changed(shared_data: Path, tmp_path: Path) -> None:
    project = Workspace(tmp_path / "project")
    project.run("podium", "use", "sign_language")
    page = project.root / "params.yaml"
    text, lines = re.subn(r"path: .*", f"path: {shared_data / ARCHIVE}", page.read_text())
    assert lines == 1
    page.write_text(text.replace("weights: imagenet", f"weights: {shared_data / WEIGHTS}"))
    project.edit(shorten)
    project.run("dvc", "repro")
    folder = project.root / "data/processed/sign-language"
    counts = {split: len(np.load(folder / split / "labels.npy")) for split in ("train", "validation", "test")}
    assert counts == {"train": 27455, "validation": 4303, "test": 2869}
    assert len(json.loads((folder / "classes.json").read_text())) == 24
    for candidate in ("sign-author-first", "sign-author-final", "sign-cnn"):
        assert (project.root / "reports/sign-language" / candidate / "confusion_matrix.png").stat().st_size > 1000


def test_without_the_archive_it_says_what_to_do(tmp_path: Path) -> None:
    project = Workspace(tmp_path / "project")
    project.run("podium", "use", "sign_language")
    output = project.run("dvc", "repro", status=None)
    assert "There is no archive at" in output
    assert "Traceback" not in output
    assert not (project.root / "data/raw/sign-language").exists()
