"""How often the intervals of an evaluation hold the truth, by simulation; nominal are 95 of 100.

A model is tried on made test sets whose truth is known: single images, groups of twenty alike, groups of one to forty.
Accuracies are the truth at thirteen values from 0.5 to 0.98, and given is the mean over them (and the least and the
most of one value: proportions of few images go in steps, so that no interval holds one value exactly 95 times). Beside
it stands Wilson's interval that takes every image for an independent one. The other figures are those of a model that
is right nine times of ten, in four classes of which the rarest has every tenth image. After ± stands the standard error
of the simulation. Groups of twenty that are alike in part make wider intervals than need be where they are few: how
much they agree can hardly be seen then, and the careful side is taken.
"""

from bench.measure import simulate
from bench.options import Options
from bench.report import NONE, Row

DURATION = "About ten minutes"

LEAST, MOST = 0.93, 0.97


def measure(options: Options) -> list[Row]:
    """Simulate; `--repetitions` is how often each test set is made."""
    return [_show(row) for row in simulate("bench.simulation", options.repeat(2000))]


def _show(row: dict[str, float | int | str]) -> Row:
    share, times = float(row["ours"]), int(row["times"])
    error = (share * (1 - share) / times) ** 0.5
    ours = f"{share:.1%} ± {error:.1%}"
    if "least" in row:
        ours += f" ({float(row['least']):.1%}–{float(row['most']):.1%})"
    return Row(
        str(row["what"]),
        ours,
        f"{float(row['other']):.1%}" if "other" in row else NONE,
        target=f"{LEAST:.0%}–{MOST:.0%}",
        reached=LEAST - 2 * error <= share <= MOST + 2 * error,
    )
