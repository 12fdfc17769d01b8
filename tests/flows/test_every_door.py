"""The champion of each recipe, hardly trained, through every door: command line, REST, exports, live page, app."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podium.serving.export.table import DIFFERS, SAME
from tests.browser import chromium
from tests.flows.workspace import Workspace
from tests.kaggle_server import TOKEN, serve_kaggle
from tests.servers import find_free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.soak]

CANDIDATES = {
    "digits": ("digits", "digits-cnn"),
    "sign_language": ("sign-language", "sign-cnn"),
    "svhn": ("svhn", "svhn-cnn"),
    "cats_vs_dogs": ("cats-vs-dogs-gray", "cnn-dropout"),
    "car_damage": ("car-damage", "car-cnn4"),
}
SECONDS = 60_000
"""Milliseconds that the app may take for an answer on a busy machine."""


def shorten(candidate: str) -> Callable[[dict[str, Any]], None]:
    """Leave one candidate, and train it for a few steps."""

    def change(page: dict[str, Any]) -> None:
        page["candidates"] = {candidate: page["candidates"][candidate]}
        schedule = page["schedules"][page["candidates"][candidate]["schedule"]]
        schedule["steps_per_epoch"] = 20
        for phase in schedule["phases"]:
            phase["epochs"] = 1
            phase.pop("warmup", None)

    return change


@pytest.mark.parametrize("recipe", CANDIDATES)
def test_a_champion_answers_alike_through_every_door(shared_data: Path, tmp_path: Path, recipe: str) -> None:
    dataset, candidate = CANDIDATES[recipe]
    with serve_kaggle(shared_data / "kaggle") as server:
        project = Workspace(tmp_path / "project", **server.environment, KAGGLE_API_TOKEN=TOKEN)
        project.run("podium", "use", recipe)
        project.edit(shorten(candidate))
        project.run("dvc", "repro", f"confusion_matrix@{candidate}")
    project.run("podium", "run", candidate)
    champion = f"{dataset}@champion"
    print(project.run("podium", "export", champion, "--check", "--rest", "--out", "checked"))
    rows = json.loads((project.root / "checked/export.json").read_text())["rows"]
    assert not [row for row in rows if row["verdict"] == DIFFERS]
    same = {row["runtime"] for row in rows if row["verdict"] == SAME}
    doors = {"MLflow, pyfunc", "MLflow, REST", "ONNX Runtime", "LiteRT", "TensorFlow", "TensorFlow.js"}
    assert same >= doors | {"onnxruntime-web", "page in Chromium"}
    project.run("podium", "export", champion, "--to", "web,space")
    assert (project.root / f"exports/{dataset}-1/web/index.html").is_file()

    (model,) = (project.root / ".dvc/tmp/podium-models/models").iterdir()
    golden = json.loads((model / "artifacts/golden.json").read_text())["images"]
    files = [model / "artifacts" / one["image"] for one in golden]
    answers = json.loads(project.run("podium", "predict", *map(str, files), "--format", "json"))
    labels = [one["label"] for one in answers]
    assert len(labels) == len(golden)

    port = find_free_port()
    with project.running(sys.executable, "-m", "podium.cli", "serve", champion, "--port", str(port)) as app:
        wait_for(f"http://127.0.0.1:{port}/", app)
        with chromium() as browser:
            page = browser.new_page()
            page.set_default_timeout(SECONDS)
            page.goto(f"http://127.0.0.1:{port}/")
            page.locator("#first input").wait_for()
            page.locator("#picture input[type=file]").set_input_files(files[0])
            page.locator("#answer .headline .label", has_text=labels[0]).wait_for()
            page.screenshot(path=tmp_path / "app.png", full_page=True)
