"""Models that were trained, evaluated and logged, it seems: tiny ones, with weights by chance.

Imports Keras: for modules that are marked as slow.
"""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from podium.config.datasets import Image
from podium.datasets.arrays import load_classes, open_split
from podium.evaluation.predictions import collect, save_predictions
from podium.files import save_json
from podium.models import zoo
from podium.models.files import load_model, save_model
from podium.models.inference import predict_heads
from podium.tracking.logged_model import log_model
from tests.makers import DENSE

SPLITS = ("validation", "test")
THRESHOLD = 0.4


def save_new_model(path: Path, shape: tuple[int, int, int], targets: dict[str, int], *, seed: int = 0) -> None:
    """Write a model file as `train` does."""
    keras.utils.set_random_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(zoo.build(DENSE, shape, targets), path)


def evaluate(path: Path, processed: Path, reports: Path) -> None:
    """Write what `evaluate` and `confusion_matrix` leave, as far as a logged model needs it."""
    model, classes = load_model(path), tuple(load_classes(processed))
    arrays = {split: open_split(processed / split) for split in SPLITS}
    ids = [str(name) for split in arrays.values() for name in split.ids]
    digests = [f"{row:064x}" for row in range(len(ids))]
    manifest = pd.DataFrame({"id": ids, "sha256": digests, "group": np.arange(len(ids))})
    reports.mkdir(parents=True, exist_ok=True)
    predictions = {
        split: collect(some, predict_heads(model, some), classes, manifest) for split, some in arrays.items()
    }
    save_predictions(predictions, reports / "predictions.parquet")
    (reports / "model_card.md").write_text("# A model\n", encoding="utf-8")
    save_json({"threshold": THRESHOLD}, path.with_name("thresholds.json"))


def log_evaluated(
    client: MlflowClient, run: Run, path: Path, processed: Path, reports: Path, resize: str = "stretch"
) -> Run:
    """Evaluate a model and log it to a run; give the run as it is then."""
    height, width, channels = open_split(processed / "validation").images.shape[1:]
    evaluate(path, processed, reports)
    log_model(client, run, path, processed, reports, Image(height, width, channels, resize))  # type: ignore[arg-type]
    return client.get_run(run.info.run_id)
