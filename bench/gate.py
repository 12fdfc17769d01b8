"""How often the gate promotes what is no better, and what is, by simulation; beside it a gate without statistics.

The other gate promotes whatever has the higher validation accuracy. Every model is right nine times of ten, and two
trainings differ on every tenth image, because some images are harder than others. The epochs of a training drift: from
one to the next they differ on a third as many images as two trainings do (a small network on scikit-learn's digits:
16 to 35 of 100); epochs that are hardly alike differ on two thirds as many. The challenger's weights are those of its
best epoch, and it is the best of its candidates, by their accuracy on the images that the gate decides on. The champion
never saw these, which is the worst case, but where it says so. There are 720 images, if not said otherwise. After ±
stands the standard error of the simulation.
"""

from bench.measure import simulate
from bench.options import Options
from bench.report import NONE, Row

DURATION = "About four minutes"


def measure(options: Options) -> list[Row]:
    """Simulate; `--repetitions` is the usual number of rounds of a row."""
    return [_show(row) for row in simulate("bench.gate_simulation", options.repeat(1000))]


def _show(row: dict[str, float | str | None]) -> Row:
    share, times = float(row["ours"] or 0), float(row["times"] or 1)
    error = (share * (1 - share) / times) ** 0.5
    most, least = row["most"], row["least"]
    target, reached = NONE, None
    if most is not None:
        target, reached = f"at most {float(most):.0%}", share - 2 * error <= float(most)
    elif least is not None:
        target, reached = f"at least {float(least):.0%}", share + 2 * error >= float(least)
    other = row.get("other")
    return Row(
        str(row["what"]),
        f"{share:.1%} ± {error:.1%}",
        NONE if other is None else f"{float(other):.1%}",
        target=target,
        reached=reached,
    )
