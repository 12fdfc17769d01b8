"""Stage `train`: build a candidate's model, take it through its schedule, and calibrate it."""

import logging
from dataclasses import replace

from podium.config import load_params
from podium.datasets.arrays import open_split
from podium.files import atomic_write, exclusive_lock, remove, save_json
from podium.models.files import save_model
from podium.models.seconds import save_seconds
from podium.paths import FEATURES, CandidatePaths, DatasetPaths
from podium.training.checkpoint import read_seconds
from podium.training.phases import train
from podium.training.temperature import bake_temperature

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Train and calibrate the candidate `name`, from where a kill stopped it; with every seed that it asks for."""
    params = load_params()
    candidate = params.candidate(name)
    paths = CandidatePaths(name, candidate.dataset)
    processed = DatasetPaths(candidate.dataset).processed
    schedule = params.schedule(candidate.schedule)
    checkpoints = [paths.checkpoint, *map(paths.checkpoint_of, schedule.seeds[1:])]
    with exclusive_lock(paths.checkpoint, f"{name} is being trained"):
        paths.repeats.mkdir(parents=True, exist_ok=True)
        further = "".join(f"{seed}\n" for seed in schedule.seeds[1:])
        paths.further_seeds.write_text(f"seed\n{further}", encoding="utf-8", newline="\n")
        temperatures = {}
        for seed, checkpoint in zip(schedule.seeds, checkpoints, strict=True):
            first = seed == schedule.seed
            history, file = (
                one if first else paths.repeats / str(seed) / one.name for one in (paths.history, paths.model)
            )
            one = replace(schedule, seed=seed, repeats=None)
            log_folder = paths.tensorboard if first else paths.tensorboard / f"seed-{seed}"
            model = train(candidate.model, one, processed, history, checkpoint, FEATURES, log_folder)
            temperatures[seed] = bake_temperature(model, open_split(processed / "validation"))
            with atomic_write(file) as part:
                save_model(model, part)
            logger.info(
                "train %s: read %s, trained %s (%s parameters, seed %d, temperature %.2f), wrote %s",
                *(name, processed, candidate.model.kind, f"{model.count_params():,}", seed, temperatures[seed], file),
            )
        with atomic_write(paths.calibration) as part:
            save_json({"temperature": temperatures}, part)
        seconds = dict(zip(schedule.seeds, map(read_seconds, checkpoints), strict=True))
        save_seconds(seconds, paths.model, paths.seconds)
        for checkpoint in checkpoints:
            remove(checkpoint)
