"""The whole pipeline on sign_language's `sign-cnn` against one bare script that does the same work.

Ours is `python -m flows.pipeline sign-cnn` in a fresh clone: a Prefect server for the time of the run, six DVC
stages in processes of their own, the validation of every image, a fresh MLflow store with curves, figures and
model, and the promotion. The other is `bench/baselines/sign_cnn.py`, what one would write by hand: zip to arrays,
the same network, batches, moves of the images and schedule from the same random numbers, the same figures,
tables and drawings, and the model saved; no validation, no cache, no history. Both are whole processes, imports
included, in turn. The accuracies stand beside each other to show that the training is the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Cost, interleave
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import SIGN_LANGUAGE, Workspace, folder, sample, workspace

DURATION = "About 15 minutes"

SCRIPT = "bench/baselines/sign_cnn.py"

Outcome = tuple[Cost, dict[str, float]]


def measure(options: Options) -> list[Row]:
    """Compare the two."""
    with workspace() as project:
        project.use_sign_language()
        with project.page() as page:
            epochs = options.epochs or sum(phase["epochs"] for phase in page["schedules"]["augmented"]["phases"])
        project.run(
            "python", "-c", "import tensorflow, mlflow.tensorflow, prefect, sklearn"
        )  # read from disk evaluation_dataset
        ours, other = interleave(
            lambda: run_pipeline(epochs), lambda: run_script(project, epochs), options.repeat(2), warm_up=False
        )
    return [
        compare(
            f"the flow against the script, epochs: {epochs}",
            [cost for cost, _ in ours],
            [cost for cost, _ in other],
            1.15,
        ),
        *(_accuracies(split, [one for _, one in ours], [one for _, one in other]) for split in ("validation", "test")),
    ]


def run_pipeline(epochs: int) -> Outcome:
    """Run the flow in a workspace where nothing ever ran; making the workspace is not counted."""
    with workspace() as project:
        project.use_sign_language()
        with project.page() as page:
            (phase,) = page["schedules"]["augmented"]["phases"]
            phase["epochs"] = epochs
        cost = project.run("python", "-m", "flows.pipeline", "sign-cnn")
        return cost, read_accuracies(project.root / "reports" / "sign-language" / "sign-cnn")


def run_script(project: Workspace, epochs: int) -> Outcome:
    """Run the bare script."""
    with folder() as home:
        target = home / "made"
        cost = project.run("python", SCRIPT, str(sample(SIGN_LANGUAGE)), str(target), str(epochs))
        return cost, read_accuracies(target)


def read_accuracies(reports: Path) -> dict[str, float]:
    """Read a candidate's accuracy on each split."""
    metrics = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))
    return {split: figures["accuracy"] for split, figures in metrics.items()}


def _accuracies(split: str, ours: Sequence[dict[str, float]], other: Sequence[dict[str, float]]) -> Row:
    mine, its = (", ".join(dict.fromkeys(f"{one[split]:.4f}" for one in found)) for found in (ours, other))
    return Row(f"{split} accuracy", mine, its, target="the same", reached=mine == its)
