"""Finding out how an archive of a million files is laid out, and accounting for each of them.

Ours is what `podium init` does before it decodes any image: open the archive and check its table, detect the layout,
and take the inventory. The other is `bench/baselines/count_files.py`: the list of names by `zipfile`, counted by
folder and ending; it checks nothing and detects nothing. Whole processes, in turn, on a file that the machine has in
memory.
"""

from statistics import median

from bench.measure import interleave, ratios
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import Workspace, workspace

DURATION = "About ten minutes"

FILES = 1_000_000
FEWER = 100_000
TARGET = 30
"""Seconds."""

MAKE = """
import sys, zipfile
count = int(sys.argv[2])
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("set/README.txt", "Photographs.")
    for number in range(count):
        part = "test" if number % 10 == 0 else "train"
        archive.writestr(f"set/{part}/class {number // 10 % 100}/{number:07d}.jpg", str(number))
"""

OURS = """
import sys
from pathlib import Path
from podium.datasets.archive import Archive
from podium.datasets.formats.detect import survey
from podium.datasets.formats.image_files import find_images
from podium.datasets.inventory import take_inventory
with Archive(Path(sys.argv[1]).parent) as archive:
    layout = survey(archive).format
    account = take_inventory(archive, layout, {name for _, _, name in find_images(archive, layout.folders)})
    assert (layout.kind, account.images, account.left) == ("image_folder", int(sys.argv[2]), 1), account
"""


def measure(options: Options) -> list[Row]:
    """Write two archives, and look through them."""
    with workspace() as project:
        path, fewer = _make(project, FILES), _make(project, FEWER)
        ours, other = interleave(
            lambda: project.run("python", "-c", OURS, path, str(FILES)),
            lambda: project.run("python", "bench/baselines/count_files.py", path),
            options.repeat(3),
        )
        small = [project.run("python", "-c", OURS, fewer, str(FEWER)) for _ in range(options.repeat(3))]
    seconds = [cost.wall for cost in ours]
    low, middle, high = ratios(seconds, [cost.wall for cost in other])
    each = (max(cost.peak for cost in ours) - max(cost.peak for cost in small)) / (FILES - FEWER)
    return [
        Row(
            f"seconds for {FILES:,} files",
            f"{median(seconds):.1f} ({min(seconds):.1f}–{max(seconds):.1f})",
            f"{median(cost.wall for cost in other):.1f}",
            f"**{middle:.1f}** ({low:.1f}–{high:.1f})",
            f"at most {TARGET}",
            median(seconds) <= TARGET,
        ),
        compare(f"{FILES:,} files", ours, other),
        Row(
            f"peak memory, {FEWER:,} and {FILES:,} files",
            f"{max(cost.peak for cost in small) / 1e6:,.0f} MB, {max(cost.peak for cost in ours) / 1e6:,.0f} MB",
            f"{max(cost.peak for cost in other) / 1e6:,.0f} MB for all",
        ),
        Row("bytes a file", f"{each:,.0f}", "–"),
    ]


def _make(project: Workspace, count: int) -> str:
    folder = project.root / "data" / f"many-{count}"
    folder.mkdir(parents=True)
    path = str(folder / "archive.zip")
    project.run("python", "-c", MAKE, path, str(count))
    return path
