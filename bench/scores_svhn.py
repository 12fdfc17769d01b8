"""How good svhn's candidates are at naming a digit and finding its box in a whole image.

The images are recomposed: real digits in made surroundings, so these are no results on SVHN; they compare ways.
`svhn-cnn` is a small network from scratch, on images that are moved about; `svhn-two-looks` finds the box in the whole
image and reads the digit from the box alone. The author's way has a bench of its own, as it takes hours. Digits of one
photograph lie in both train and validation, but not in both train and test: so validation is the easier one. Published,
on the original images: 0.7237 and a box error of 0.0104. Given are the mean over the seeds, the smallest and the
largest; the standard error of an accuracy of 0.86 on 802 images is 0.012.
"""

from bench.options import Options
from bench.report import Row
from bench.scores import Aim, at_least, contest
from bench.scores import measure as measure_candidate

DURATION = "About an hour"

ARCHIVE = "kaggle/datasets/stanfordu/street-view-house-numbers.zip"


def measure(options: Options) -> list[Row]:
    """Train both of ours."""
    clearly = "clearly above the author's way"
    with contest("svhn", {"svhn": ARCHIVE}) as project:
        box = Aim("box_mse", other="0.0104")
        aims = Aim(other="0.7237", target=clearly), Aim("mean_iou", target=clearly), box
        rows = measure_candidate(project, "svhn-cnn", "ours", options.seeds, options, *aims)
        aims = at_least(0.8, other="0.7237"), at_least(0.7, metric="mean_iou"), box
        return rows + measure_candidate(project, "svhn-two-looks", "ours, two looks", options.seeds, options, *aims)
