"""Results as Prefect artifacts: tables to read and images to look at, beside the run that made them."""

import base64
import csv
from collections.abc import Mapping
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from podium.datasets.validation.summary import describe_validation, read_summary
from podium.pages.markdown import sentence
from podium.paths import DatasetPaths
from podium.registry.outcome import Outcome
from podium.tracking import Result
from podium.tracking.figures import read_figures

SHOWN_METRICS = ("accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy")
"""The columns of a candidate's table, as far as it has them."""
SPLITS = ("validation", "test", "test_clean")
PAGE = "index.html"
IMAGES = ("results", "confusion_matrix")
"""Of a candidate's images, those that stand beside its run."""


def show_result(result: Result, reports: Path) -> None:
    """Show a candidate's figures, the published ones beside them, its images, and where its page is."""
    create_table_artifact(
        list_figures(read_figures(reports)),
        key=f"{result.candidate}-figures",
        description=f"{result.candidate}: figures by split, each with its 95 % interval",
    )
    with (reports / "comparison.csv").open(encoding="utf-8", newline="") as file:
        create_table_artifact(
            list(csv.DictReader(file)),
            key=f"{result.candidate}-published",
            description=f"{result.candidate}: beside published results",
        )
    for image in (reports / f"{name}.png" for name in IMAGES):
        if image.is_file():
            data = base64.b64encode(image.read_bytes()).decode()
            key = f"{result.candidate}-{image.stem}".replace("_", "-")
            title = image.stem.replace("_", " ")
            create_markdown_artifact(
                f"![{title}](data:image/png;base64,{data})", key=key, description=f"{result.candidate}: {title}"
            )
    if (reports / PAGE).is_file():
        create_link_artifact(
            result.page or (reports / PAGE).resolve().as_uri(),
            link_text="the report card",
            key=f"{result.candidate}-report",
            description=f"{result.candidate}: the report card",
        )


def list_figures(figures: Mapping[str, float]) -> list[dict[str, str]]:
    """Give each split its row; and, where there were several seeds, one for the mean and one for the deviation.

    Args:
        figures: by their names in MLflow, see `podium.tracking.figures`.
    """
    columns = [name for name in SHOWN_METRICS if any(f"{split}/{name}" in figures for split in SPLITS)]
    rows = {
        split: {name: _with_ends(figures, f"{split}/{name}") for name in columns}
        for split in SPLITS
        if any(f"{split}/{name}" in figures for name in columns)
    }
    if seeds := figures.get("repeats/seeds"):
        for split in SPLITS[:2]:
            for title, end in (("mean", "mean"), ("standard deviation", "std")):
                values = {name: figures.get(f"repeats/{split}_{name}_{end}") for name in columns}
                row = {name: "" if value is None else f"{value:.4f}" for name, value in values.items()}
                rows[f"{split}, {title} of {seeds:.0f} seeds"] = row
    return [{"split": name, **row} for name, row in rows.items()]


def _with_ends(figures: Mapping[str, float], name: str) -> str:
    if name not in figures:
        return ""
    low, high = figures.get(f"{name}/low"), figures.get(f"{name}/high")
    return f"{figures[name]:.4f}{'' if low is None or high is None else f' ({low:.3f} to {high:.3f})'}"


def show_comparison(dataset: str, results: list[Result], outcome: Outcome) -> None:
    """Show a dataset's candidates side by side, the best first, and what was decided."""
    lines = [
        f"**{sentence(outcome.reason)}**",
        "",
        *([f"[The card of the decision]({outcome.card})", ""] if outcome.card.startswith("http") else []),
        "| candidate | validation accuracy | test accuracy | test macro F1 |",
        "| --- | --- | --- | --- |",
    ]
    for one in rank(results):
        lines.append(
            f"| {one.candidate} | {describe_accuracy(one, 'validation')} | {describe_accuracy(one, 'test')} "
            f"| {one.metrics['test']['macro_f1']:.4f} |"
        )
    create_markdown_artifact(
        "\n".join(lines), key=f"{dataset}-comparison", description=f"{dataset}: candidates and champion"
    )


def rank(results: list[Result]) -> list[Result]:
    """Give results with the best on the validation split first."""
    return sorted(results, key=lambda one: -one.metrics["validation"]["accuracy"])


def describe_accuracy(result: Result, split: str) -> str:
    """Give an accuracy with its interval, and the standard deviation over the seeds where there were several."""
    metrics, repeats = result.metrics[split], result.metrics.get("repeats")
    parts = []
    if "accuracy_low" in metrics:
        parts.append(f"{metrics['accuracy_low']:.3f}–{metrics['accuracy_high']:.3f}")
    if repeats:
        parts.append(f"± {repeats[f'{split}_accuracy_std']:.4f} over {repeats['seeds']:.0f} seeds")
    return f"{metrics['accuracy']:.4f}" + (f" ({'; '.join(parts)})" if parts else "")


def show_validation(root: Path, dataset: str) -> None:
    """Show what the validation of a dataset found; nothing if it broke before it found anything."""
    folder = DatasetPaths(dataset).validation
    if read_summary(root / folder):
        text = f"{describe_validation(dataset, root / folder)}\n\nThe page: `{folder / 'index.html'}`."
        create_markdown_artifact(text, key=f"{dataset}-validation", description=f"{dataset}: what validation found")
