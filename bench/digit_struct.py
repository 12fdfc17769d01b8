"""Reading `digitStruct.mat` of Street View House Numbers: h5py's low-level calls against the usual loop.

Ours is `read_digit_struct` of the format, for images with one digit, as the recipe asks. The other is
`bench/baselines/read_digit_struct.py`, the loop over references that one finds on the web; it reads every digit. The
file is `bench/house_numbers.py`'s: as many images and digits as the official train part, in the structures that MATLAB
writes, with one attribute an object where MATLAB has two or three. Both are whole processes, in turn, on a file that
the machine has in memory already.
"""

from collections.abc import Sequence
from statistics import median

from bench.measure import Cost, interleave, ratios
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import workspace

DURATION = "About ten minutes"

IMAGES = 33_402
TARGET = 2_000
"""Images a second."""

OURS = """
import sys
from pathlib import Path
from podium.datasets.formats.digit_struct.annotations import read_digit_struct
read_digit_struct(Path(sys.argv[1]), "one")
"""


def measure(options: Options) -> list[Row]:
    """Write the file, and read it both ways."""
    with workspace() as project:
        path = str(project.root / "digitStruct.mat")
        project.run("python", "-m", "bench.house_numbers", path)
        ours, other = interleave(
            lambda: project.run("python", "-c", OURS, path),
            lambda: project.run("python", "bench/baselines/read_digit_struct.py", path),
            options.repeat(3),
        )
    low, middle, high = ratios([1 / cost.wall for cost in ours], [1 / cost.wall for cost in other])
    return [
        Row(
            "images a second",
            _speed(ours),
            _speed(other),
            f"**{middle:.0f}** ({low:.0f}–{high:.0f})",
            f"at least {TARGET:,}",
            IMAGES / median(cost.wall for cost in ours) >= TARGET,
        ),
        compare(f"{IMAGES:,} images with 73,257 digits", ours, other),
        Row("peak memory, the file of 231 MB included", _megabytes(ours), _megabytes(other)),
    ]


def _speed(costs: Sequence[Cost]) -> str:
    values = [IMAGES / cost.wall for cost in costs]
    return f"{median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"


def _megabytes(costs: Sequence[Cost]) -> str:
    return f"{max(cost.peak for cost in costs) / 1e6:,.0f} MB"
