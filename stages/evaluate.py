"""Stage `evaluate`: let a trained candidate see the pictures that it did not learn from."""

import json
import logging

import pandas as pd

from podium.arrays import load_classes, open_split
from podium.config import load_params
from podium.evaluation import compare, find_clean, measure, measure_boxes, measure_classes, tabulate
from podium.figures import choose_for_gallery, draw_gallery, draw_learning_curves
from podium.models import load_model, predict_heads
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Measure the candidate `name` on the validation and the test split, beside what is published."""
    page = load_params()
    candidate = page.candidate(name)
    paths, processed = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset).processed
    classes = load_classes(processed)
    model = load_model(paths.model)
    reports = paths.reports
    reports.mkdir(parents=True, exist_ok=True)
    metrics, tables = {}, {}
    for split_name in ("validation", "test"):
        split = open_split(processed / split_name)
        heads = predict_heads(model, split)
        metrics[split_name] = measure(split.labels, heads["label"])
        if split.boxes is not None:
            metrics[split_name] |= measure_boxes(split.boxes, heads["box"], split.images.shape[1:])
        tables[split_name] = tabulate(split, heads["label"], classes, heads.get("box"))
    clean = find_clean(tables["test"]["id"], pd.read_csv(DatasetPaths(candidate.dataset).validation / "leaks.csv"))
    if clean.any():
        metrics["test_clean"] = measure(split.labels[clean], heads["label"][clean]) | {"pictures": int(clean.sum())}
    measure_classes(split.labels, heads["label"], classes).to_csv(reports / "per_class.csv", index=False)
    pd.concat(tables, names=["split"]).reset_index("split").to_csv(reports / "predictions.csv", index=False)
    draw_learning_curves(pd.read_csv(paths.history), name, reports / "learning_curves.png")
    chosen = choose_for_gallery(tables["test"])
    title = f"{name}: the surest mistakes and the least sure hits on the test split"
    boxes = None if split.boxes is None else split.boxes[chosen]
    draw_gallery(split.images[chosen], tables["test"].loc[chosen], title, reports / "gallery.png", boxes)
    counts = {split_name: len(table) for split_name, table in tables.items()}
    comparison = compare(name, metrics, counts, page.dataset(candidate.dataset).reference)
    comparison.to_csv(reports / "comparison.csv", index=False)
    (reports / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    logger.info(
        "evaluate %s: read %d validation and %d test pictures, accuracy %.4f and %.4f, wrote %s",
        *(name, counts["validation"], counts["test"]),
        *(metrics["validation"]["accuracy"], metrics["test"]["accuracy"], reports),
    )
