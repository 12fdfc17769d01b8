"""Results as Prefect artifacts: tables to read and images to look at, beside the run that made them."""

import base64
import csv
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from podium.datasets.validation.summary import describe_validation, read_summary
from podium.paths import DatasetPaths
from podium.registry import Decision
from podium.tracking import Result

COMPARED_METRICS = ("accuracy", "macro_f1", "weighted_f1", "loss")


def show_result(result: Result, reports: Path) -> None:
    """Show a candidate's figures, the published ones beside them, and its images."""
    create_table_artifact(
        list_figures(result.metrics),
        key=f"{result.candidate}-figures",
        description=f"{result.candidate}: figures by split",
    )
    with (reports / "comparison.csv").open(encoding="utf-8", newline="") as file:
        create_table_artifact(
            list(csv.DictReader(file)),
            key=f"{result.candidate}-published",
            description=f"{result.candidate}: beside published results",
        )
    for image in sorted(reports.glob("*.png")):
        data = base64.b64encode(image.read_bytes()).decode()
        key = f"{result.candidate}-{image.stem}".replace("_", "-")
        title = image.stem.replace("_", " ")
        create_markdown_artifact(
            f"![{title}](data:image/png;base64,{data})", key=key, description=f"{result.candidate}: {title}"
        )


def list_figures(metrics: dict[str, dict[str, float]]) -> list[dict[str, str | float]]:
    """Give each split its row; and, where there were several seeds, one for the mean and one for the deviation."""
    rows = {split: values for split, values in metrics.items() if split != "repeats"}
    if repeats := metrics.get("repeats"):
        for split in ("validation", "test"):
            for title, end in (("mean", "mean"), ("standard deviation", "std")):
                name = f"{split}, {title} of {repeats['seeds']:.0f} seeds"
                rows[name] = {key: repeats[f"{split}_{key}_{end}"] for key in COMPARED_METRICS}
    return [
        {"split": name, **{key: round(values[key], 4) for key in COMPARED_METRICS}} for name, values in rows.items()
    ]


def show_comparison(dataset: str, results: list[Result], decision: Decision) -> None:
    """Show a dataset's candidates side by side, the best first, and what was decided."""
    lines = [
        f"**{decision.reason}**",
        "",
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
    """Give an accuracy, with the standard deviation over the seeds where there were several."""
    accuracy, repeats = f"{result.metrics[split]['accuracy']:.4f}", result.metrics.get("repeats")
    if not repeats:
        return accuracy
    return f"{accuracy} (± {repeats[f'{split}_accuracy_std']:.4f} over {repeats['seeds']:.0f} seeds)"


def show_validation(root: Path, dataset: str) -> None:
    """Show what the validation of a dataset found; nothing if it broke before it found anything."""
    folder = DatasetPaths(dataset).validation
    if read_summary(root / folder):
        text = f"{describe_validation(dataset, root / folder)}\n\nThe page: `{folder / 'index.html'}`."
        create_markdown_artifact(text, key=f"{dataset}-validation", description=f"{dataset}: what validation found")
