"""Stage `evaluate`: let a trained candidate see the images that it did not learn from."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.config import load_params
from podium.datasets.arrays import Split, load_classes, open_split
from podium.evaluation.boxes import measure_boxes
from podium.evaluation.metrics import Metrics, measure, measure_classes, measure_repeats, tabulate_repeats
from podium.evaluation.predictions import find_clean, tabulate
from podium.evaluation.published import compare
from podium.models.files import load_model
from podium.models.inference import predict_heads
from podium.pages.plots import choose_for_gallery, draw_gallery, draw_learning_curves
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)

SPLITS = ("validation", "test")


def main(name: str) -> None:
    """Measure the candidate `name` on the validation and the test split, beside what is published."""
    params = load_params()
    candidate = params.candidate(name)
    paths, processed = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset).processed
    classes = load_classes(processed)
    model = load_model(paths.model)
    reports = paths.reports
    reports.mkdir(parents=True, exist_ok=True)
    metrics, tables = {}, {}
    for split_name in SPLITS:
        split = open_split(processed / split_name)
        heads = predict_heads(model, split)
        metrics[split_name] = _measure(split, heads)
        tables[split_name] = tabulate(split, heads["label"], classes, heads.get("box"))
    histories = [pd.read_csv(path) for path in (paths.history, *sorted(paths.repeats.glob("*/history.csv")))]
    draw_learning_curves(histories, name, reports / "learning_curves.png")
    repeats = tabulate_repeats({params.schedule(candidate.schedule).seed: metrics} | _measure_seeds(paths, processed))
    clean = find_clean(tables["test"]["id"], pd.read_csv(DatasetPaths(candidate.dataset).validation / "leaks.csv"))
    if clean.any():
        metrics["test_clean"] = measure(split.labels[clean], heads["label"][clean]) | {"pictures": int(clean.sum())}
    measure_classes(split.labels, heads["label"], classes).to_csv(reports / "per_class.csv", index=False)
    pd.concat(tables, names=["split"]).reset_index("split").to_csv(reports / "predictions.csv", index=False)
    chosen = choose_for_gallery(tables["test"])
    title = f"{name}: the surest mistakes and the least sure hits on the test split"
    boxes = None if split.boxes is None else split.boxes[chosen]
    draw_gallery(split.images[chosen], tables["test"].loc[chosen], title, reports / "gallery.png", boxes)
    repeats.to_csv(reports / "seeds.csv", index=False)
    if len(repeats) > 1:
        metrics["repeats"] = measure_repeats(repeats)
    counts = {split_name: len(table) for split_name, table in tables.items()}
    comparison = compare(name, metrics, counts, params.dataset(candidate.dataset).reference)
    comparison.to_csv(reports / "comparison.csv", index=False)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    logger.info(
        "evaluate %s: read %d validation and %d test images, accuracy %.4f and %.4f, wrote %s",
        *(name, counts["validation"], counts["test"]),
        *(metrics["validation"]["accuracy"], metrics["test"]["accuracy"], reports),
    )


def _measure(split: Split, heads: dict[str, NDArray[np.float32]]) -> Metrics:
    boxes = {} if split.boxes is None else measure_boxes(split.boxes, heads["box"], split.images.shape[1:])
    return measure(split.labels, heads["label"]) | boxes


def _measure_seeds(paths: CandidatePaths, processed: Path) -> dict[int, dict[str, Metrics]]:
    """Measure the models that were trained with further seeds."""
    splits = {name: open_split(processed / name) for name in SPLITS}
    figures = {}
    for file in sorted(paths.repeats.glob("*/model.keras"), key=lambda file: int(file.parent.name)):
        model = load_model(file)
        figures[int(file.parent.name)] = {
            name: _measure(split, predict_heads(model, split)) for name, split in splits.items()
        }
    return figures
