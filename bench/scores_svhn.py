"""How good svhn's candidates are at naming a digit and finding its box in a whole image.

The images are recomposed: real digits in made surroundings, so these are no results on SVHN; they compare two ways.
The author's way is his network and schedule (frozen for 25 epochs, all of it for 50, images not moved, both heads on
flattened features) on MobileNet instead of VGG19, whose weights the test data lack; with one seed, as it takes hours.
Ours is a small network from scratch, on images that are moved about. Digits of one photograph lie in both train and
validation, but not in both train and test: so validation is the easier one. Published, on the original images: 0.7237
and a box error of 0.0104. Given are the mean over the seeds, the smallest and the largest.
"""

from bench.options import Options
from bench.report import Row
from bench.scores import Aim, contest
from bench.scores import measure as measure_candidate

DURATION = "Two to three hours"

ARCHIVE = "kaggle/datasets/stanfordu/street-view-house-numbers.zip"


def measure(options: Options) -> list[Row]:
    """Train ours, then the author's way."""
    clearly = "clearly above the author's way"
    with contest("svhn", {"svhn": ARCHIVE}) as project:
        aims = Aim(other="0.7237", target=clearly), Aim("mean_iou", target=clearly), Aim("box_mse", other="0.0104")
        ours = measure_candidate(project, "svhn-cnn", "ours", options.seeds, options, *aims)
        with project.page() as page:
            page["candidates"]["svhn-author"]["model"]["backbone"] = "mobilenet"
        author = Aim(other="0.7237"), Aim("mean_iou"), Aim("box_mse", other="0.0104")
        way = "the author's way, on MobileNet"
        return measure_candidate(project, "svhn-author", way, options.seeds[:1], options, *author) + ours
