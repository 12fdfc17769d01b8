"""Training the tutorials' network on dogs and cats, 100 × 100 gray: images a second, and memory as they become many.

Ours is the pipeline and the network of `train`, which read the arrays from the disk: candidate `cnn-augmented` of the
recipe, which turns, shifts, zooms, shears and mirrors, and candidate `cnn`, whose images stay as they are. The others
are `bench/baselines/image_data_generator.py`, the published way of augmenting with the tutorial's own options, and
`bench/baselines/fit_arrays.py`, which shows arrays in memory to `fit` as they are: with TensorFlow as it comes, and
with the two switches that podium sets for speed, the most that can be had. All compute in float32,
in processes of their own, in turn; each process shows all images once before it counts, and validates nothing.
Images a second are each process's median over its epochs. Here higher is better. The memory is that of the recipe's
`dense-augmented`, which looks at the most images a second.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from bench.images import ARCHIVE, NAME, faster, grown, stage
from bench.measure import Cost
from bench.options import Options
from bench.report import Row
from bench.workspace import Workspace, sample, workspace

DURATION = "About ten minutes"

EPOCHS = 3
MANY = 25
SWITCHES = {"TF_CPU_ALLOCATOR_USE_BFC": "true", "TF_ENABLE_ONEDNN_OPTS": "1"}


def measure(options: Options) -> list[Row]:
    """Train in five ways, then look at the memory of a training on 25 times the images."""
    epochs = options.epochs or EPOCHS
    with workspace() as project:
        prepare(project)
        arrays = project.root / "data/processed" / NAME / "train"
        switched = replace(project, environment=project.environment | SWITCHES)
        ways = {
            "augmented": partial(ours, project, "cnn-augmented", epochs),
            "generator": partial(script, project, "image_data_generator", arrays, epochs),
            "plain": partial(ours, project, "cnn", epochs),
            "arrays": partial(script, switched, "fit_arrays", arrays, epochs),
            "unswitched": partial(script, project, "fit_arrays", arrays, epochs),
        }
        speeds: dict[str, list[float]] = {name: [] for name in ways}
        for repetition in range(options.repeat(5)):
            for name in list(ways)[:: -1 if repetition % 2 else 1]:  # a slow minute of the machine hits all
                speeds[name].append(ways[name]())
        few, small = peak(project, arrays)
        multiply(arrays, MANY)
        many, large = peak(project, arrays)
    return [
        faster("ours, augmented, against ImageDataGenerator", speeds["augmented"], speeds["generator"], 1.8),
        faster("ours, augmented, against `fit` in memory", speeds["augmented"], speeds["unswitched"], 0.95),
        faster("ours, not augmented, against `fit` in memory", speeds["plain"], speeds["unswitched"], 0.95),
        faster("ours, augmented, against `fit` in memory, switched", speeds["augmented"], speeds["arrays"], 0.95),
        faster("ours, not augmented, against `fit` in memory, switched", speeds["plain"], speeds["arrays"], 0.95),
        faster("`fit` in memory, switched, against TensorFlow as it comes", speeds["arrays"], speeds["unswitched"]),
        grown("dense-augmented", few, small, many, large),
    ]


def prepare(project: Workspace) -> None:
    """Make the photographs' arrays."""
    project.use("cats_vs_dogs")
    with project.page() as page:
        page["datasets"][NAME]["source"] = {"kind": "archive", "path": str(sample(ARCHIVE))}
    for name in ("download", "validate", "preprocess"):
        stage(project, name)


def ours(project: Workspace, candidate: str, epochs: int) -> float:
    return run(project, "-m", "bench.epochs", candidate, str(epochs))[0]


def script(project: Workspace, name: str, arrays: Path, epochs: int) -> float:
    return run(project, f"bench/baselines/{name}.py", str(arrays), str(epochs))[0]


def run(project: Workspace, *command: str) -> tuple[float, Cost]:
    """Give a process's median images a second, and what it cost."""
    file = project.root / "speeds.json"
    cost = project.run("python", *command, str(file))
    speeds: Sequence[float] = json.loads(file.read_text())
    print(command[1 if command[0] == "-m" else 0], *command[2:3], [round(each) for each in speeds], flush=True)
    return median(speeds), cost


def peak(project: Workspace, arrays: Path) -> tuple[int, Cost]:
    """Give the number of images, and what an epoch of the fastest network on them costs."""
    count = len(np.load(arrays / "labels.npy", mmap_mode="r"))
    return count, run(project, "-m", "bench.epochs", "dense-augmented", "1")[1]


def multiply(arrays: Path, copies: int) -> None:
    """Write every image several times."""
    for path in arrays.glob("*.npy"):
        few = np.load(path)
        header = {"descr": few.dtype.str, "fortran_order": False, "shape": (copies * len(few), *few.shape[1:])}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _ in range(copies):
                file.write(few.data)
