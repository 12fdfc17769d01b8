"""Stage `confusion_matrix`: draw what `evaluate` measured: which class is taken for which, errors, learning curves."""

import logging

import pandas as pd

from podium.config import load_params
from podium.datasets.arrays import load_classes, open_split
from podium.evaluation.predictions import count_confusions, normalise, read_predictions
from podium.pages.plots import choose_for_gallery, draw_confusion_matrix, draw_gallery, draw_learning_curves
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Write the confusion matrix of the candidate `name`, a gallery of test images, and the learning curves."""
    candidate = load_params().candidate(name)
    paths, processed = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset).processed
    reports, split = paths.reports, open_split(processed / "test")
    predictions = read_predictions(reports / "predictions.csv")
    test = predictions[predictions["split"] == "test"].reset_index(drop=True)
    counts = count_confusions(test, load_classes(processed))
    shares = normalise(counts)
    counts.to_csv(reports / "confusion_matrix.csv")
    shares.to_csv(reports / "confusion_matrix_normalised.csv", float_format="%.6f")
    test[["actual", "predicted"]].to_csv(reports / "confusions.csv", index=False)
    draw_confusion_matrix(counts, shares, f"{name}, test split", reports / "confusion_matrix.png")
    chosen = choose_for_gallery(test)
    title = f"{name}: most confident errors and least confident hits on test images"
    boxes = None if split.boxes is None else split.boxes[chosen]
    draw_gallery(split.images[chosen], test.loc[chosen], title, reports / "gallery.png", boxes)
    histories = [pd.read_csv(path) for path in (paths.history, *sorted(paths.repeats.glob("*/history.csv")))]
    draw_learning_curves(histories, name, reports / "learning_curves.png")
    wrong = int((test["actual"] != test["predicted"]).sum())
    logger.info(
        "confusion_matrix %s: read %s predictions, %s wrong, wrote %s", name, f"{len(test):,}", f"{wrong:,}", reports
    )
