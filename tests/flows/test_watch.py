"""What is asked of a champion as MLflow serves it, watched; and the reasons to retrain that this and labels give."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from flows.reasons import labels, served
from flows.reasons.reason import Circumstances
from podium.config import load_params
from podium.datasets.arrays import open_split
from podium.workspace.clone import isolated_clone
from tests.flows.workspace import Workspace
from tests.makers import add_labels

pytestmark = pytest.mark.slow

ASK = """
import json, sys
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/digits@champion")
answers = model.predict({"image": [image for image in np.load(sys.argv[2])]})
print(len(answers))
"""
FLOW = "from flows.watch import watch; print(watch(['digits'], return_state=True).message)"


@pytest.fixture(scope="module")
def log(shipped_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a champion that was asked about dark images, as `mlflow models serve` loads and asks it."""
    folder = tmp_path_factory.mktemp("asked")
    images = np.asarray(open_split(shipped_once.root / "data/processed/digits/test").images[:150]) // 3
    np.save(folder / "images.npy", images)
    uri = f"sqlite:///{shipped_once.root / 'mlflow.db'}"
    environment = {"PODIUM_REQUEST_LOG": str(folder / "log"), "PODIUM_REQUEST_IMAGES": "1"}
    shipped_once.environment |= environment
    try:
        assert shipped_once.run(sys.executable, "-c", ASK, uri, str(folder / "images.npy")).endswith("150\n")
    finally:
        for name in environment:
            del shipped_once.environment[name]
    return folder / "log"


def test_what_was_asked_of_the_champion_is_compared_with_what_it_was_accepted_on(shipped: Workspace, log: Path) -> None:
    lines = [json.loads(line) for path in log.glob("*.jsonl") for line in path.read_text().splitlines()]
    assert {one["model"] for one in lines} == {f"digits/{shipped.champion().version}"}
    assert len([*log.rglob("*.png")]) == len(lines) == 150
    said = shipped.run("podium", "watch", "digits", "--log", str(log))
    assert "150 requests of digits/1 are not like what it was accepted on. Moved for certain: " in said
    assert "brightness by" in said
    figures = json.loads((shipped.root / "reports/watch/digits/watch.json").read_text())
    assert (figures["verdict"], figures["limit"]) == ("moved", 0.1)
    assert "Least sure" in (shipped.root / "reports/watch/digits/index.html").read_text()
    assert "There is no log of requests" in shipped.run("podium", "watch", "digits", status=1)


def test_the_flow_says_the_same(shipped: Workspace, log: Path, prefect_server: str) -> None:
    shipped.environment |= {"PODIUM_REQUEST_LOG": str(log), "PREFECT_API_URL": prefect_server}
    try:
        said = shipped.run(sys.executable, "-c", FLOW)
    finally:
        del shipped.environment["PODIUM_REQUEST_LOG"], shipped.environment["PREFECT_API_URL"]
    assert "150 requests of digits/1 are not like what it was accepted on" in said


def test_both_are_reasons_to_retrain(shipped: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = load_params(shipped.root / "params.yaml")
    commit = shipped.run("git", "rev-parse", "HEAD").strip()
    with isolated_clone(shipped.root, commit) as clone:
        (clone / "dvc.lock").write_bytes((shipped.root / "dvc.lock").read_bytes())
        here = Circumstances(shipped.root, clone, params, ("digits",))
        assert served.find(here) == []  # nobody notes requests here
        assert labels.find(here) == []
        monkeypatch.setenv("PODIUM_REQUEST_LOG", str(log))
        (reason,) = served.find(here)
        assert reason.kind == "served"
        assert reason.text.startswith("150 requests of digits/1 are not like what it was accepted on")
        add_labels(clone, "digits", ("3", b"an image"))
        (reason,) = labels.find(here)
        assert reason.text == (
            "digits/1, the newest version, was trained without 1 accepted label of data/additions.csv."
        )
