"""The gates of `params.yaml`: what a challenger has to show before it takes the champion's place."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Fraction

Metric = Literal["accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy"]
OF_BOXES = frozenset({"mean_iou", "joint_accuracy"})
Share = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[float, Field(ge=1)]
"""How many times the champion's value is allowed."""


@dataclass(frozen=True, config=STRICT)
class Gate:
    """The rules by which challengers of one dataset are judged. They are fixed before a challenge, never after it."""

    metric: Metric = "accuracy"
    """What the challenger has to be better at, on validation images."""
    error: Fraction = 0.05
    """How often equal models may be promoted, over all decisions on the same images."""
    worth: Annotated[float, Field(gt=0)] = 0.01
    """The least gain that is worth more images: where none is shown and a greater one ruled out, the champion stays."""
    margin: Annotated[float, Field(gt=0)] | None = None
    """By how much a challenger that is smaller, faster or trained on newer data may be worse; by default it may not."""
    approval: Literal["automatic", "person"] = "automatic"
    """Who promotes a challenger that has shown to be better."""
    minimum: dict[Metric, float] | None = None
    """The least that each metric must reach; for `loss`, the most."""
    maximum_ece: Share | None = None
    """The largest expected calibration error."""
    size: Times | None = None
    """How many times the champion's bytes the model file may have."""
    latency: Times | None = None
    """How many times the champion's 95th percentile of the time for one image it may take."""
    memory: Times | None = None
    """How many times the champion's memory it may take."""
