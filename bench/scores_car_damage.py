"""How good car_damage's candidates are, on the archive's own test split of 136 photographs.

The author's network from scratch, trained as published; a logistic regression on the features that MobileNet, as it is,
sees in the images (`bench/baselines/logistic_features.py`); and ours. Published are 0.641 and 0.6895, on 248
photographs of a larger edition. Half of what one image more or less changes is 0.004; the standard error of an
accuracy of 0.75 on 136 images is 0.037. Given are the mean over the seeds, the smallest and the largest.
"""

import subprocess

from bench.options import Options
from bench.report import Row
from bench.scores import Aim, contest
from bench.scores import measure as measure_candidate
from bench.workspace import MOBILENET, sample

DURATION = "About an hour"

ARCHIVE = "kaggle/datasets/prajwalbhamere/car-damage-severity-dataset.zip"


def measure(options: Options) -> list[Row]:
    """Train ours and the author's network, and the regression."""
    with contest("car_damage", {"car-damage": ARCHIVE}) as project:
        clearly = Aim(target="clearly above both others")
        ours = measure_candidate(
            project, "car-mobilenet", "ours", options.seeds, options, clearly, Aim("macro_f1"), Aim("weighted_f1")
        )
        command = [
            "python",
            "bench/baselines/logistic_features.py",
            "data/processed/car-damage",
            str(sample(MOBILENET)),
        ]
        found = subprocess.run(command, cwd=project.root, env=project.environment, capture_output=True, check=True)
        regression = Row("a logistic regression on MobileNet's features: accuracy", found.stdout.decode().split()[-1])
        author = Aim(other="0.641"), Aim("weighted_f1", other="0.62")
        return [
            *measure_candidate(project, "car-cnn4", "the author's network", options.seeds[:1], options, *author),
            regression,
            *ours,
        ]
