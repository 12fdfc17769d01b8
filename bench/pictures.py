"""Preparing photographs: dogs and cats to 100 × 100 gray, in pictures per second, and memory as they become many.

Ours is `python -m stages preprocess` on a zip in a zip, as Kaggle delivers it, with split, ids, classes and names of
everything. The published way is `bench/baselines/opencv_loop.py`: files already unpacked, a Python loop (OpenCV uses
its own threads), a list, one array of fractions, kept in memory. The bare loop is
`bench/baselines/opencv_reduced.py`: JPEGs decoded at half their size on every core, kept in memory, nothing checked or
named. All are whole processes, imports included, in turn, on 20,020 pictures (2,002 real ones, ten times). `validate`
before it decodes every picture in full. Here higher is better.
"""

import io
import shutil
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from bench.measure import Cost, interleave, ratios
from bench.options import Options
from bench.report import Row
from bench.workspace import Workspace, sample, workspace

DURATION = "About five minutes"

ARCHIVE = "kaggle/competitions/dogs-vs-cats.zip"
COPIES = 10
MANY = 25
NAME = "cats-vs-dogs-gray"


def measure(options: Options) -> list[Row]:
    """Compare the stage with both loops, then its memory at two sizes."""
    with workspace() as project:
        few, count = prepare(project, 1)
        peaks = {count: few}
        _, count = prepare(project, COPIES)
        folder = project.root / "pictures"
        with zipfile.ZipFile(project.root / "photographs.zip") as outer, outer.open("train.zip") as inner:
            zipfile.ZipFile(inner).extractall(folder)
        rows = []
        for script, what, target in (
            ("opencv_loop", "`preprocess` against the published loop", 1.7),
            ("opencv_reduced", "`preprocess` against the bare loop", 0.8),
        ):
            loop = partial(project.run, "python", f"bench/baselines/{script}.py", str(folder / "train"))
            ours, other = interleave(partial(stage, project, "preprocess"), loop, options.repeat(5))
            rows.append(faster(what, ours, other, count, target))
            if target == 1.7:
                rows.append(Row("peak memory, 20,020 pictures", megabytes(ours), megabytes(other)))
        seen = [stage(project, "validate") for _ in range(options.repeat(3))]
        rows.append(Row("`validate`, every picture decoded in full", rate(seen, count)))
        shutil.rmtree(folder)
        many, count = prepare(project, MANY)
        peaks[count] = many
    for name in ("validate", "preprocess"):
        small, large = ([costs[name]] for costs in peaks.values())
        grown = large[0].peak / small[0].peak
        words = " and ".join(f"{pictures:,}" for pictures in peaks)
        rows.append(
            Row(
                *(f"peak memory of `{name}` with {words} pictures", f"{megabytes(small)}, {megabytes(large)}"),
                *("–", f"{grown:.2f}", "at most 1.2", grown <= 1.2),
            )
        )
    return rows


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
    """Write a competition's archive whose train.zip holds every picture several times; give the number of pictures."""
    with zipfile.ZipFile(source) as outer:
        pictures = zipfile.ZipFile(io.BytesIO(outer.read("train.zip")))
    names = [info.filename for info in pictures.infolist() if not info.is_dir()]
    with (
        zipfile.ZipFile(target, "w") as outer,
        outer.open("train.zip", "w", force_zip64=True) as file,
        zipfile.ZipFile(file, "w") as inner,
    ):
        for copy in range(copies):
            for name in names:
                inner.writestr(name.replace(".jpg", f".{copy}.jpg"), pictures.read(name))
    return copies * len(names)


def stage(project: Workspace, name: str) -> Cost:
    return project.run("python", "-m", "stages", name, NAME)


def faster(what: str, ours: Sequence[Cost], other: Sequence[Cost], count: int, target: float) -> Row:
    low, middle, high = ratios([cost.wall for cost in other], [cost.wall for cost in ours])
    ratio = f"**{middle:.2f}** ({low:.2f}–{high:.2f})"
    return Row(what, rate(ours, count), rate(other, count), ratio, f"at least {target:g}", middle >= target)


def rate(costs: Sequence[Cost], count: int) -> str:
    speeds = [count / cost.wall for cost in costs]
    return f"{median(speeds):,.0f}/s ({min(speeds):,.0f}–{max(speeds):,.0f})"


def megabytes(costs: Sequence[Cost]) -> str:
    return f"{max(cost.peak for cost in costs) / 1e6:,.0f} MB"
