"""Stage `confusion_matrix`: show what `evaluate` measured: confusions, errors, learning curves, and the report card."""

import logging
from dataclasses import asdict

import numpy as np
import pandas as pd

from podium.config import load_params
from podium.datasets.arrays import SPLITS, open_split
from podium.evaluation.card.drawings import draw_confusions, draw_errors
from podium.evaluation.card.model_card import write_model_card
from podium.evaluation.card.page import write_card
from podium.evaluation.card.reading import Card, flatten, load_report
from podium.evaluation.card.results import draw_results
from podium.evaluation.confusions import count_confusions, save_confusions
from podium.evaluation.predictions import load_predictions
from podium.files import file_digest
from podium.pages.plots import draw_learning_curves
from podium.paths import CandidatePaths, DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Write the tables and images of the candidate `name` that people look at, and its page."""
    params = load_params()
    candidate = params.candidate(name)
    paths, processed = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset).processed
    reports, test = paths.reports, load_predictions(paths.reports / "predictions.parquet")["test"]
    made = {"candidate": asdict(candidate), "schedule": asdict(params.schedule(candidate.schedule))}
    card = Card(
        name=name,
        dataset=candidate.dataset,
        report=load_report(reports),
        predictions=test,
        confusions=count_confusions(test),
        splits={split: open_split(processed / split) for split in SPLITS},
        histories=[pd.read_csv(path) for path in (paths.history, *sorted(paths.repeats.glob("*/history.csv")))],
        params=flatten(made),
        digest=file_digest(processed / "split.csv"),
    )
    save_confusions(card.confusions, test, reports)
    draw_confusions(card.confusions, f"{name}, test split", reports)
    draw_errors(card, reports / "gallery.png")
    draw_learning_curves(card.histories, name, reports / "learning_curves.png")
    draw_results(card, reports / "results.png")
    write_model_card(card, reports / "model_card.md")
    write_card(card, reports / "index.html")
    wrong = int(np.sum(~test.right))
    logger.info(
        "confusion_matrix %s: read %s predictions, %s wrong, wrote %s", name, f"{len(test):,}", f"{wrong:,}", reports
    )
