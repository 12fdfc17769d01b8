"""How the card writes numbers, and what it calls metrics."""

import math
from collections.abc import Mapping

from podium.evaluation.card.reading import Facts

TITLES = {
    "loss": "log loss",
    "log_loss": "log loss",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "matthews": "Matthews correlation",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "mean_iou": "mean IoU",
    "iou_50": "IoU of 0.5 or more",
    "iou_75": "IoU of 0.75 or more",
    "boxes": "images with a known box",
    "joint_accuracy": "right label and IoU of 0.5 or more",
    "box_mse": "box MSE",
}
"""Metrics that have a name of more than their words."""
MAIN = ("accuracy", "balanced_accuracy", "macro_f1", "loss", "log_loss", "mean_iou", "joint_accuracy", "box_mse")
"""Metrics that the card shows first."""
DASH = "–"


def title(metric: str) -> str:
    """Give a metric's name for people."""
    return TITLES.get(metric, metric.replace("_", " "))


def known(value: object) -> bool:
    """Say whether something is a number, and finite."""
    return isinstance(value, int | float) and math.isfinite(value)


def decimal(value: float | None) -> str:
    """Write a metric: three digits behind the point, or three that tell something.

    Example:
        >>> [decimal(value) for value in (0.98765, 0.00412, 12.3, 1360, None)]
        ['0.988', '0.00412', '12.3', '1,360', '–']
    """
    if value is None or not known(value):
        return DASH
    if value > 1 and value == round(value):
        return f"{value:,.0f}"
    return f"{value:.3f}" if 0.1 <= abs(value) < 10 or value == 0 else f"{value:.3g}"


def interval(estimate: Mapping[str, float | None]) -> str:
    """Write the ends of an interval, or nothing where there are none."""
    low, high = estimate.get("low"), estimate.get("high")
    return f"{decimal(low)} to {decimal(high)}" if known(low) and known(high) else ""


def percent(share: float | None) -> str:
    """Write a share in hundreds with one digit behind the point, but none where it is 0% or 100%."""
    if share is None or not known(share):
        return DASH
    text = f"{share * 100:.1f}"
    return f"{text.removesuffix('.0') if share in (0, 1) else text}%"


def points(difference: float) -> str:
    """Write a difference of shares in points of a hundred: +1.4 points."""
    return f"{difference * 100:+.1f} points"


def promise(accuracy: Facts, verb: str = "names") -> str:
    """Say what an accuracy and its interval promise, for someone who knows neither.

    Example:
        >>> promise({"value": 0.98, "low": 0.971, "high": 0.989})
        'Of 100 new images like these it names 97 to 99 right.'
    """
    low, high = accuracy.get("low"), accuracy.get("high")
    if low is None or high is None:
        return "There are too few images to say how many of new ones it would name right."
    of = 100 if high - low >= 0.01 else 1000
    least, most = math.floor(low * of + 1e-9), math.ceil(high * of - 1e-9)
    right = f"{least:,} to {most:,}" if least < most else f"{least:,}"
    return f"Of {of:,} new images like these it {verb} {right} right."


def spell_bytes(count: float | None) -> str:
    """Write a number of bytes: 1.5 MB."""
    if count is None or not known(count):
        return DASH
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"


def spell_seconds(seconds: float | None) -> str:
    """Write a time: 43 s, 7 min 11 s, 2 h 5 min."""
    if seconds is None or not known(seconds):
        return DASH
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
