"""Preparing photographs: dogs and cats to 100 × 100 gray, in images per second, and memory as they become many.

Ours is `python -m stages preprocess` on a zip in a zip, as Kaggle delivers it, with split, ids, classes and names of
everything. The published way is `bench/baselines/opencv_loop.py`: files already unpacked, a Python loop (OpenCV uses
its own threads), a list, one array of fractions, kept in memory. The bare loop is
`bench/baselines/opencv_reduced.py`: JPEGs decoded at half their size on every core, kept in memory, nothing checked or
named. All are processes of their own, in turn, on 2,002 real images and on 20,020 (the same ten times); what starting
and ending take is left out by counting only the images and the seconds that the larger number has more. `validate`
before it decodes every image in full. Here higher is better. The memory that grows is names, digests and the
archive's table of contents, some 2 kB an image; the images themselves are never in memory together.
"""

import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from bench.measure import Cost, interleave, ratios
from bench.options import Options
from bench.report import Row
from bench.workspace import ROOT, Workspace, sample, workspace

DURATION = "About five minutes"

ARCHIVE = "kaggle/competitions/dogs-vs-cats.zip"
COPIES = 10
MANY = 25
NAME = "cats-vs-dogs-gray"


def measure(options: Options) -> list[Row]:
    """Compare the stage with both loops at two sizes, then its memory at two sizes further apart."""
    sizes: dict[int, int] = {}
    ours: dict[int, list[Cost]] = {}
    loops: dict[int, dict[str, list[Cost]]] = {}
    validated: dict[int, list[Cost]] = {}
    peaks = {}
    with workspace() as project:
        for copies in (1, COPIES):
            few, sizes[copies] = prepare(project, copies)
            peaks.setdefault(sizes[copies], few)
            folder = unpack(project)
            loops[copies] = {}
            for script in ("opencv_loop", "opencv_reduced"):
                loop = partial(project.run, "python", f"bench/baselines/{script}.py", str(folder / "train"))
                ours[copies], loops[copies][script] = interleave(
                    partial(stage, project, "preprocess"), loop, options.repeat(5)
                )
            validated[copies] = [stage(project, "validate") for _ in range(options.repeat(3))]
            shutil.rmtree(folder)
        many, count = prepare(project, MANY)
    few, more = sizes.values()
    speeds = {
        "ours": speed(ours, sizes),
        **{script: speed({n: costs[script] for n, costs in loops.items()}, sizes) for script in loops[1]},
        "validate": speed(validated, sizes),
    }
    return [
        faster("`preprocess` against the published loop", speeds["ours"], speeds["opencv_loop"], 1.7),
        faster("`preprocess` against the bare loop", speeds["ours"], speeds["opencv_reduced"], 0.8),
        Row("`validate`, every image decoded in full", rate(speeds["validate"])),
        Row(
            f"the same, `preprocess` from start to end, {more:,} images",
            *(rate([more / cost.wall for cost in costs]) for costs in (ours[COPIES], loops[COPIES]["opencv_loop"])),
        ),
        Row("gray levels by which a reduced JPEG differs from one decoded in full, mean over its pixels", difference()),
        Row(f"peak memory, {more:,} images", megabytes(ours[COPIES]), megabytes(loops[COPIES]["opencv_loop"])),
        *(grown(name, few, peaks[few][name], count, many[name]) for name in ("validate", "preprocess")),
    ]


def prepare(project: Workspace, copies: int) -> tuple[dict[str, Cost], int]:
    """Put so many copies of the photographs into the workspace and take them through the dataset's stages."""
    archive = project.root / "photographs.zip"
    count = multiply(sample(ARCHIVE), archive, copies)
    project.use("cats_vs_dogs")
    with project.page() as page:
        dataset = page["datasets"][NAME]
        dataset["source"] = {"kind": "archive", "path": str(archive)}
        dataset["format"]["folders"] = {"train": "train.zip/train"}
    return {name: stage(project, name) for name in ("download", "validate", "preprocess")}, count


def multiply(source: Path, target: Path, copies: int) -> int:
    """Write a competition's archive whose train.zip holds every image several times; give the number of images."""
    with zipfile.ZipFile(source) as outer:
        images = zipfile.ZipFile(io.BytesIO(outer.read("train.zip")))
    names = [info.filename for info in images.infolist() if not info.is_dir()]
    with (
        zipfile.ZipFile(target, "w") as outer,
        outer.open("train.zip", "w", force_zip64=True) as file,
        zipfile.ZipFile(file, "w") as inner,
    ):
        for copy in range(copies):
            for name in names:
                inner.writestr(name.replace(".jpg", f".{copy}.jpg"), images.read(name))
    return copies * len(names)


def stage(project: Workspace, name: str) -> Cost:
    return project.run("python", "-m", "stages", name, NAME)


def unpack(project: Workspace) -> Path:
    """Spread the photographs on the disk, as the loops want them."""
    folder = project.root / "images"
    with zipfile.ZipFile(project.root / "photographs.zip") as outer, outer.open("train.zip") as inner:
        zipfile.ZipFile(inner).extractall(folder)
    return folder


def difference() -> str:
    """Compare reduced with full decoding, of every real image."""
    command = [sys.executable, "-m", "bench.reduction", str(sample(ARCHIVE))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def speed(costs: dict[int, list[Cost]], sizes: dict[int, int]) -> list[float]:
    """Give the further images a second, of each repetition."""
    few, more = costs
    pairs = zip(costs[few], costs[more], strict=True)
    return [(sizes[more] - sizes[few]) / (long.wall - short.wall) for short, long in pairs]


def faster(what: str, ours: Sequence[float], other: Sequence[float], target: float | None = None) -> Row:
    low, middle, high = ratios(ours, other)
    row = Row(what, rate(ours), rate(other), f"**{middle:.2f}** ({low:.2f}–{high:.2f})")
    return row if target is None else replace(row, target=f"at least {target:g}", reached=middle >= target)


def grown(name: str, few: int, small: Cost, many: int, large: Cost) -> Row:
    ratio = large.peak / small.peak
    words = f"peak memory of `{name}` with {few:,} and {many:,} images"
    return Row(words, f"{megabytes([small])}, {megabytes([large])}", "–", f"{ratio:.2f}", "at most 1.2", ratio <= 1.2)


def rate(speeds: Sequence[float]) -> str:
    return f"{median(speeds):,.0f}/s ({min(speeds):,.0f}–{max(speeds):,.0f})"


def megabytes(costs: Sequence[Cost]) -> str:
    return f"{max(cost.peak for cost in costs) / 1e6:,.0f} MB"
