"""How good cats_vs_dogs' candidates are, on a quarter of 2,002 photographs that is held out.

From scratch, 100 × 100 pixels, gray: the published network with dropout and augmentation, trained the author's way (its
0.86 was reached with ten times the images, on its validation split), against ours on the same split. With a
pretrained backbone, 224 × 224 pixels: ours against the published 0.976 of VGG16, whose weights the test data lack.
Given are the test accuracy's mean over the seeds, the smallest and the largest.
"""

from bench.images import ARCHIVE
from bench.options import Options
from bench.report import Row
from bench.scores import Aim, at_least, contest
from bench.scores import measure as measure_candidate

DURATION = "About an hour"


def measure(options: Options) -> list[Row]:
    """Train the published network and ours from scratch, then ours on a base."""
    with contest("cats_vs_dogs", {"cats-vs-dogs-gray": ARCHIVE, "cats-vs-dogs": ARCHIVE}) as project:
        based = measure_candidate(
            project, "mobilenet", "ours on a base", options.seeds, options, at_least(0.975, other="0.976")
        )
        author = "from scratch, the author's way"
        rows = measure_candidate(project, "cnn-dropout-augmented", author, options.seeds, options, Aim(other="0.86"))
        clearly = Aim(target="clearly above the author's way")
        return (
            rows
            + measure_candidate(project, "photo-cnn", "from scratch, ours", options.seeds, options, clearly)
            + based
        )
