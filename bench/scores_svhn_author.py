"""How good the author's way is at svhn: the other side of scores_svhn, on the same recomposed images.

It is his network and schedule (frozen for 25 epochs, all of it for 50, images not moved, both heads on flattened
features) on MobileNet instead of VGG19, whose weights the test data lack; with one seed, as it takes hours.
"""

from bench.options import Options
from bench.report import Row
from bench.scores import Aim, contest
from bench.scores import measure as measure_candidate
from bench.scores_svhn import ARCHIVE

DURATION = "One to two hours"


def measure(options: Options) -> list[Row]:
    """Train the author's way."""
    with contest("svhn", {"svhn": ARCHIVE}) as project:
        with project.page() as page:
            page["candidates"]["svhn-author"]["model"]["backbone"] = "mobilenet"
        author = Aim(other="0.7237"), Aim("mean_iou"), Aim("box_mse", other="0.0104")
        way = "the author's way, on MobileNet"
        return measure_candidate(project, "svhn-author", way, options.seeds[:1], options, *author)
