"""Stage `evaluate`: measure a trained candidate on images that it was not trained on. `confusion_matrix` draws."""

import logging

import pandas as pd

from podium.config import load_params
from podium.datasets.arrays import load_classes, open_split
from podium.evaluation.report import evaluate
from podium.models.files import load_model
from podium.models.inference import predict_heads
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)

SPLITS = ("validation", "test")


def main(name: str) -> None:
    """Measure the candidate `name` on the validation and the test split, beside what is published."""
    params = load_params()
    candidate = params.candidate(name)
    paths, dataset = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset)
    splits = {split: open_split(dataset.processed / split) for split in SPLITS}
    further = sorted(paths.repeats.glob("*/model.keras"), key=lambda file: int(file.parent.name))
    models = {params.schedule(candidate.schedule).seed: paths.model} | {int(file.parent.name): file for file in further}
    outputs = {}
    for seed, file in models.items():
        model = load_model(file)
        outputs[seed] = {split: predict_heads(model, arrays) for split, arrays in splits.items()}
    classes, leaks = load_classes(dataset.processed), pd.read_csv(dataset.validation / "leaks.csv")
    evaluation = evaluate(name, splits, outputs, classes, leaks, params.dataset(candidate.dataset).reference)
    evaluation.save(paths.reports)
    logger.info(
        "evaluate %s: read %s validation and %s test images, accuracy %.4f and %.4f, wrote %s",
        *(name, f"{len(splits['validation']):,}", f"{len(splits['test']):,}"),
        *(evaluation.metrics["validation"]["accuracy"], evaluation.metrics["test"]["accuracy"], paths.reports),
    )
