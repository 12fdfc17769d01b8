"""Stage `train`: build a candidate's model and take it through its schedule."""

import logging

from podium.config import load_params
from podium.models import save_model
from podium.paths import FEATURES, CandidatePaths, DatasetPaths, alone, remove, written_whole
from podium.training.phases import train

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Train the candidate `name`, from where a killed training of it stopped."""
    page = load_params()
    candidate = page.candidate(name)
    paths = CandidatePaths(name, candidate.dataset)
    processed = DatasetPaths(candidate.dataset).processed
    schedule = page.schedule(candidate.schedule)
    with alone(paths.checkpoint, f"{name} is being trained"):
        model = train(candidate.model, schedule, processed, paths.history, paths.checkpoint, FEATURES)
        with written_whole(paths.model) as file:
            save_model(model, file)
        remove(paths.checkpoint)
    logger.info(
        "train %s: read %s, trained %s (%s parameters), wrote %s",
        *(name, processed, candidate.model.kind, f"{model.count_params():,}", paths.model),
    )
