"""The recipe sign_language as it is, from Kaggle's own archive to the reports, where the test data is at hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.flows.workspace import Workspace
from tests.kaggle_server import TOKEN, serve_kaggle

pytestmark = [pytest.mark.slow, pytest.mark.soak]

WEIGHTS = "weights/mobilenet_1_0_224_tf_no_top.h5"


CANDIDATES = ("sign-author-first", "sign-author-final", "sign-cnn")


def test_candidates_are_trained_and_set_beside_the_published_results(shared_data: Path, tmp_path: Path) -> None:
    def shorten(page: dict) -> None:  # type: ignore[type-arg]
        for schedule in page["schedules"].values():
            schedule["phases"][0]["epochs"] = 1
            schedule["steps_per_epoch"] = 5
        for name in ("sign-author-first", "sign-author-final"):
            page["candidates"][name]["model"]["weights"] = str(shared_data / WEIGHTS)

    with serve_kaggle(shared_data / "kaggle") as server:
        project = Workspace(tmp_path / "project", **server.environment, KAGGLE_API_TOKEN=TOKEN)
        project.run("podium", "use", "sign_language")
        project.edit(shorten)
        project.run("dvc", "repro", *(f"confusion_matrix@{name}" for name in CANDIDATES))
    folder = project.root / "data/processed/sign-language"
    counts = {split: len(np.load(folder / split / "labels.npy")) for split in ("train", "validation", "test")}
    assert counts == {"train": 27455, "validation": 4303, "test": 2869}
    assert len(json.loads((folder / "classes.json").read_text())) == 24
    for candidate in CANDIDATES:
        reports = project.root / "reports/sign-language" / candidate
        assert (reports / "confusion_matrix.png").stat().st_size > 1000
        comparison = pd.read_csv(reports / "comparison.csv")
        accuracy = json.loads((reports / "metrics.json").read_text())["test"]["accuracy"]
        assert comparison["model"].tolist() == [
            candidate,
            "MobileNet, 40 pixels, frozen",
            "MobileNet, 80 pixels, frozen",
        ]
        assert comparison["value"].tolist() == [pytest.approx(accuracy), 0.2453, 0.9219]
