"""A project whose registry has models by chance, as the app's slow tests need it. Imports Keras."""

import json
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from podium.datasets.arrays import SplitWriter
from tests.logged import log_evaluated, save_new_model
from tests.makers import SIDE, make_arrays

MANY = 1000
"""Classes of the dataset `many`."""


def make_project(root: Path, store: Path) -> None:
    """Make a project with the registered models `dots`, with boxes and two versions, and `many`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "dvc.yaml").write_text("stages: {}\n")
    client = MlflowClient(f"sqlite:///{shutil.copy(store, root / 'mlflow.db')}")
    processed = make_arrays(root / "data/processed/dots", boxes=True)
    many = _make_many(root / "data/processed/many")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow puts its address there; it goes with the block
        mlflow.set_tracking_uri(client.tracking_uri)
        for seed in (0, 1):
            _register(client, root, processed, "dots", {"label": 3, "box": 4}, seed)
        _register(client, root, many, "many", {"label": MANY}, 0)
        for name in ("dots", "many"):
            client.set_registered_model_alias(name, "champion", "1")


def _register(client: MlflowClient, root: Path, processed: Path, name: str, targets: dict[str, int], seed: int) -> None:
    known = client.get_experiment_by_name(name)
    place = (root / "artifacts").as_uri()
    experiment = known.experiment_id if known else client.create_experiment(name, artifact_location=place)
    run = client.create_run(experiment, tags={"podium.candidate": f"{name}-dense"})
    model = root / f"models/{name}-{seed}/model.keras"
    save_new_model(model, (SIDE, SIDE, 1), targets, seed=seed)
    run = log_evaluated(client, run, model, processed, root / f"reports/{name}-{seed}", "pad")
    client.log_metric(run.info.run_id, "test/accuracy", 0.75)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    model_id = run.outputs.model_outputs[0].model_id
    tags = {"podium.candidate": f"{name}-dense", "podium.decision": "promote", "podium.commit": "c0ffee"}
    client.create_model_version(name, f"models:/{model_id}", run.info.run_id, model_id=model_id, tags=tags)


def _make_many(processed: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (12, SIDE, SIDE, 1), dtype=np.uint8)
    for split in ("train", "validation", "test"):
        with SplitWriter(processed / split, (SIDE, SIDE, 1), [f"{split}-{row}" for row in range(12)]) as writer:
            for row, image in enumerate(images):
                writer.write(image, row * 80)
    (processed / "classes.json").write_text(json.dumps([f"class {number}" for number in range(MANY)]))
    (processed / "split.csv").write_text("id,sha256,split,reason\n")
    return processed
