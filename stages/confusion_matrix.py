"""Stage `confusion_matrix`: which class is taken for which, on the test split."""

import logging

from podium.config import load_params
from podium.datasets.arrays import load_classes
from podium.evaluation.predictions import count_confusions, normalise, read_predictions
from podium.pages.plots import draw_confusion_matrix
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Write the confusion matrix of the candidate `name`: counts, shares, an image, and a DVC plot."""
    candidate = load_params().candidate(name)
    reports = CandidatePaths(name, candidate.dataset).reports
    classes = load_classes(DatasetPaths(candidate.dataset).processed)
    predictions = read_predictions(reports / "predictions.csv")
    test = predictions[predictions["split"] == "test"]
    counts = count_confusions(test, classes)
    shares = normalise(counts)
    counts.to_csv(reports / "confusion_matrix.csv")
    shares.to_csv(reports / "confusion_matrix_normalised.csv", float_format="%.6f")
    test[["actual", "predicted"]].to_csv(reports / "confusions.csv", index=False)
    draw_confusion_matrix(counts, shares, f"{name}, test split", reports / "confusion_matrix.png")
    wrong = int((test["actual"] != test["predicted"]).sum())
    logger.info("confusion_matrix %s: read %d predictions, %d wrong, wrote %s", name, len(test), wrong, reports)
