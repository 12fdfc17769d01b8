"""Stage `evaluate`: measure a trained candidate on images that it was not trained on. `confusion_matrix` draws."""

import logging
import time
from dataclasses import asdict

import numpy as np
import pandas as pd

from podium.config import load_params
from podium.config.datasets import Evaluation as Asked
from podium.datasets.arrays import load_classes, open_split
from podium.datasets.validation.manifest import COLUMNS, load_manifest
from podium.evaluation.failures import conflicting_rows, find_failures
from podium.evaluation.learning_curve import extrapolate
from podium.evaluation.neighbours import Training, reference_rows
from podium.evaluation.predictions import collect, look_up
from podium.evaluation.report import MANIFEST, evaluate
from podium.files import save_json
from podium.models.cost import measure_cost
from podium.models.features import FEATURES, with_features
from podium.models.files import load_model
from podium.models.gradcam import heat_maps
from podium.models.inference import predict_heads
from podium.models.seconds import load_seconds
from podium.paths import CandidatePaths, DatasetPaths
from podium.training.learning_curve import measure_learning_curve
from podium.training.temperature import load_temperature

logger = logging.getLogger(__name__)

SPLITS = ("validation", "test")


def main(name: str) -> None:
    """Measure the candidate `name` on the validation and the test split, and look into where it fails and why."""
    params = load_params()
    candidate = params.candidate(name)
    dataset, schedule = params.dataset(candidate.dataset), params.schedule(candidate.schedule)
    paths, data = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset)
    asked = dataset.evaluation or Asked()
    manifest = load_manifest(data.manifest, COLUMNS if asked.slices else MANIFEST)
    train, *others = (open_split(data.processed / split) for split in ("train", *SPLITS))
    splits = dict(zip(SPLITS, others, strict=True))
    classes, leaks = tuple(load_classes(data.processed)), pd.read_csv(data.validation / "leaks.csv")
    temperature = load_temperature(paths.calibration, schedule.seed)

    network = load_model(paths.model)
    model = with_features(network)
    began = time.perf_counter()
    heads = {split: predict_heads(model, arrays) for split, arrays in splits.items()}
    images_per_second = sum(map(len, splits.values())) / (time.perf_counter() - began)
    outputs = {schedule.seed: {split: collect(splits[split], heads[split], classes, manifest) for split in SPLITS}}
    for seed in schedule.seeds[1:]:
        further = load_model(paths.repeats / str(seed) / paths.model.name)
        outputs[seed] = {
            split: collect(arrays, predict_heads(further, arrays), classes, manifest)
            for split, arrays in splits.items()
        }
    evaluation = evaluate(paths, dataset, outputs, leaks, manifest, temperature)

    validation, test = (evaluation.predictions[split] for split in SPLITS)
    labels, groups = np.asarray(train.labels), look_up(train.ids, manifest)["group"].to_numpy(np.int64)
    rows = reference_rows(labels, conflicting_rows(test, labels, groups))
    training = Training(np.asarray(train.ids), labels, groups, rows, predict_heads(model, train, rows)[FEATURES])
    failures = find_failures(test, heads["test"][FEATURES], validation, heads["validation"][FEATURES], training)
    wrong = failures.error_rows
    maps = heat_maps(model, splits["test"].images[wrong], test.labels[wrong], test.predicted[wrong])

    training_seconds = (load_seconds(paths.model, paths.seconds) or {}).get(schedule.seed)
    image = np.asarray(splits["test"].images[0])
    cost = measure_cost(network, paths.model, image, images_per_second, training_seconds)
    curve_asked = name in (asked.learning_curve or ())
    curve = measure_learning_curve(network, paths, candidate.model, schedule, groups, asked=curve_asked)
    more_images = extrapolate(curve, validation.groups) or {"reason": curve.reason}

    evaluation.save(paths.reports, paths.thresholds, learning_curve=more_images)
    failures.save(paths.reports, maps)
    curve.save(paths.reports / "learning_curve.csv")
    save_json(asdict(cost), paths.reports / "cost.json")
    logger.info(
        "evaluate %s: read %s validation and %s test images, accuracy %.4f and %.4f, wrote %s",
        *(name, f"{len(validation):,}", f"{len(test):,}"),
        *(evaluation.metrics["validation"]["accuracy"], evaluation.metrics["test"]["accuracy"], paths.reports),
    )
