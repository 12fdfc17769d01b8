"""Training a head on a frozen base: the feature cache against looking at every image in every epoch.

Ours is the stage `train` with an empty cache, or with the features there already, as after a change of the learning
rate. The other way is that of the published systems, whole processes in turn. Accuracies are on the test split.

- `sign-author-final` of sign_language, 80 × 80 pixels, against `bench/baselines/sign_mobilenet.py`: the author's ten
  epochs of 100 batches of 32. She validates on 1,280 images an epoch, ours on all 4,303. Both begin with the archive,
  so ours includes `preprocess`; the other resizes every image to floats in memory.
- `vgg16` of cats_vs_dogs on 2,002 photographs of 112 × 112 pixels, which is half the recipe's side and a quarter of its
  work, against `bench/baselines/vgg16_frozen.py`, which reads the same arrays; on a processor that has bfloat16 also
  with `precision: bfloat16`. Without a network there are no weights of VGG16 that learnt anything, so the accuracies
  are what a head makes of random features.
"""

import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.images import ARCHIVE, megabytes
from bench.measure import Cost, interleave
from bench.options import Options
from bench.pipeline_tax import read_accuracies
from bench.report import Row, compare, describe_costs
from bench.workspace import MOBILENET, SIGN_LANGUAGE, Workspace, sample, workspace

DURATION = "About 20 minutes"

SIDE = 112


def measure(options: Options) -> list[Row]:
    """Measure MobileNet, then VGG16."""
    with workspace() as project:
        rows = mobilenet(project, options)
    with workspace() as project:
        return rows + vgg16(project, options)


def mobilenet(project: Workspace, options: Options) -> list[Row]:
    """Train the author's final model."""
    archive, weights, name = sample(SIGN_LANGUAGE), str(sample(MOBILENET)), "sign-author-final"
    project.use_sign_language()
    epochs = prepare(project, name, weights, options.epochs)
    script = partial(baseline, project, "sign_mobilenet", archive, epochs, weights)
    ours, other = interleave(partial(afresh, project, name, "preprocess"), script, options.repeat(3), False)
    return [
        compare(f"MobileNet, sign_language, epochs: {epochs}", ours, other, 0.5),
        Row(
            "its peak memory",
            *(megabytes(ours), megabytes(other), f"{peak(ours) / peak(other):.2f}", "at most 0.25"),
            reached=peak(ours) <= peak(other) / 4,
        ),
        again(project, name),
        accuracy(project, "sign-language", name, "sign_mobilenet", archive),
    ]


def vgg16(project: Workspace, options: Options) -> list[Row]:
    """Train the published transfer learning, smaller."""
    weights, name = str(project.root / "vgg16.weights.h5"), "vgg16"
    project.run("python", "bench/baselines/vgg16_frozen.py", "weights", weights, str(SIDE))
    project.use("cats_vs_dogs")
    with project.page() as page:
        dataset = page["datasets"]["cats-vs-dogs"]
        dataset["source"] = {"kind": "archive", "path": str(sample(ARCHIVE))}
        dataset["image"] |= {"height": SIDE, "width": SIDE}
        page["candidates"][name]["model"]["size"] = SIDE
    epochs = prepare(project, name, weights, options.epochs)
    arrays = project.root / "data/processed/cats-vs-dogs"
    script = partial(baseline, project, "vgg16_frozen", arrays, epochs, weights)
    ours, other = interleave(partial(afresh, project, name), script, options.repeat(1), False)
    title = f"VGG16, cats_vs_dogs, epochs: {epochs}"
    rows = [
        compare(title, ours, other, 0.1),
        Row("its peak memory", megabytes(ours), megabytes(other)),
        again(project, name),
        accuracy(project, "cats-vs-dogs", name, "vgg16_frozen", arrays),
    ]
    if has_bfloat16():
        with project.page() as page:
            page["schedules"][page["candidates"][name]["schedule"]]["precision"] = "bfloat16"
        faster = [afresh(project, name) for _ in ours]
        rows += [
            compare(f"{title}, `precision: bfloat16`", faster, other, 0.1),
            accuracy(project, "cats-vs-dogs", name, "vgg16_frozen", arrays),
        ]
    return rows


def has_bfloat16() -> bool:
    """Say whether this processor computes with bfloat16 itself."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return any(f" {flag}" in flags for flag in ("avx512_bf16", "amx_bf16"))


def prepare(project: Workspace, name: str, weights: str, epochs: int | None) -> int:
    """Give a candidate its weights, and make its dataset's arrays; give the number of epochs."""
    with project.page() as page:
        candidate = page["candidates"][name]
        candidate["model"]["weights"] = weights
        (phase,) = page["schedules"][candidate["schedule"]]["phases"]
        phase["epochs"] = epochs or phase["epochs"]
    for one in ("download", "validate", "preprocess"):
        stage(project, one, candidate["dataset"])
    project.run("python", "-c", "import tensorflow")  # read from disk evaluation_dataset
    return int(phase["epochs"])


def afresh(project: Workspace, name: str, *before: str) -> Cost:
    """Train with an empty cache; count stages of the dataset that come before, too."""
    shutil.rmtree(project.root / "data/features", ignore_errors=True)
    costs = [stage(project, one, "sign-language") for one in before]
    return sum(costs, stage(project, "train", name))


def baseline(project: Workspace, script: str, data: Path, epochs: int, weights: str) -> Cost:
    target = str(project.root / f"{script}.keras")
    return project.run("python", f"bench/baselines/{script}.py", "train", str(data), target, str(epochs), weights)


def stage(project: Workspace, name: str, key: str) -> Cost:
    cost = project.run("python", "-m", "stages", name, key)
    print(f"{name} {key}: {cost}", flush=True)
    return cost


def again(project: Workspace, name: str) -> Row:
    return Row("ours with the features there already: `train` alone", describe_costs([stage(project, "train", name)]))


def accuracy(project: Workspace, dataset: str, name: str, script: str, data: Path) -> Row:
    """Measure both models on the test split."""
    stage(project, "evaluate", name)
    ours = read_accuracies(project.root / "reports" / dataset / name)["test"]
    command = ["python", f"bench/baselines/{script}.py", "score", str(data), str(project.root / f"{script}.keras")]
    found = subprocess.run(command, cwd=project.root, env=project.environment, capture_output=True, check=True)
    return Row(
        "test accuracy", f"{ours:.4f}", f"{float(found.stdout.split()[-1]):.4f}", target="the same, within noise"
    )


def peak(costs: Sequence[Cost]) -> int:
    return max(cost.peak for cost in costs)
