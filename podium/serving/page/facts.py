"""What a page knows of its model: enough to answer, and what people should know before they believe it."""

from dataclasses import dataclass
from typing import Final

from podium.serving.finding import Facts
from podium.serving.predictor import Predictor
from podium.tracking.classifier import Size

METRICS: Final = {
    "accuracy": "Accuracy, test images",
    "macro_f1": "Macro F1",
    "mean_iou": "Overlap of the boxes (IoU)",
    "joint_accuracy": "Class and box right",
}
"""Shown on a page, and how they are named there."""


@dataclass(frozen=True)
class Score:
    """A metric on the test split, with its interval of 95 %; None where it has none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PageFacts:
    """What a page knows of its model.

    Attributes:
        name: the registered model's, or the candidate's.
        version: its number in the registry; empty for one that is not from there.
        dataset: that it was trained on; empty if nobody knows.
        classes: their names, in the order of the output `label`.
        image: what images are brought to.
        threshold: below which probability it is unsure; None if there is none.
        boxes: whether it has the output `box`.
        metrics: how good it is.
        decision: the gate's, in a sentence; empty if there is none.
    """

    name: str
    version: str
    dataset: str
    classes: tuple[str, ...]
    image: Size
    threshold: float | None
    boxes: bool
    metrics: tuple[Score, ...] = ()
    decision: str = ""


def describe(predictor: Predictor) -> PageFacts:
    """Say what a page is to know of a model."""
    found = predictor.found
    return PageFacts(
        name=found.name,
        version=found.version,
        dataset=found.facts.dataset,
        classes=predictor.classes,
        image=predictor.size,
        threshold=predictor.threshold,
        boxes=predictor.has_boxes,
        metrics=_list_scores(found.facts),
        decision=_read_decision(found.facts.description),
    )


def _list_scores(facts: Facts) -> tuple[Score, ...]:
    """List the metrics on the test split, as far as the run has them with an interval."""
    known = facts.metrics
    scores = (
        Score(shown, known[name], known[f"{name}/low"], known[f"{name}/high"])
        for metric, shown in METRICS.items()
        if {name := f"test/{metric}", f"{name}/low", f"{name}/high"} <= known.keys()
    )
    return tuple(scores)


def _read_decision(description: str) -> str:
    """Take the gate's sentence out of a version's description: what follows its first line."""
    paragraphs = [part.strip() for part in description.split("\n\n")]
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""
