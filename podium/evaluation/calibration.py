"""Calibration: whether a model that says 80 % is right in 80 of 100 cases, and what that is good for.

After C. Guo et al., "On Calibration of Modern Neural Networks", 2017, arXiv:1706.04599. The bins hold equally many
images (R. Roelofs et al., "Mitigating Bias in Calibration Error Estimation", 2022, arXiv:2012.08668): of bins of one
width the last has nearly all images of a good model, and the others say little.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.evaluation.coverage import answered, choose_threshold, tabulate_coverage
from podium.evaluation.intervals import LEVEL, Estimate, estimate_proportion
from podium.evaluation.predictions import Predictions
from podium.evaluation.temperature import LEAST_IMAGES, with_temperature

BINS = 15
"""Bins of a reliability diagram."""
LEAST_IN_BIN = 10
"""Images that a bin has, or there are fewer bins."""

_DRAWS = 2000
"""How often chance is drawn for an interval."""
_FARTHEST = 8.0
"""No interval ends beyond so many times the error that was measured."""
_HALVINGS = 20


@dataclass(frozen=True)
class Calibration:
    """How far a model's confidence is to be trusted.

    Attributes:
        temperature: what the model's logits were divided by, see `podium.evaluation.temperature`.
        ece: by split, the expected calibration error: how far confidence and accuracy of a bin lie apart, on average.
        ece_before: what it was before the temperature.
        ece_by_chance: what a model would show on so few images whose every confidence is true. Less cannot be told.
        stated_accuracy: how often the model is to be right where it answers.
        threshold: how sure it has to be for that, from validation alone; None: validation bears out no threshold.
        coverage: by split, the share of the images that it then answers.
        accuracy: by split, how often those answers are right; without a split of which it answers nothing.
        note: what there is to say of it, in one sentence; empty if nothing.
        reliability: split, from, to, images, confidence (mean), accuracy, low, high: a row for each bin.
        curve: split, and the columns of `podium.evaluation.coverage.tabulate_coverage`.
    """

    temperature: float
    ece: dict[str, Estimate]
    ece_before: dict[str, float]
    ece_by_chance: dict[str, float]
    stated_accuracy: float
    threshold: float | None
    coverage: dict[str, float]
    accuracy: dict[str, Estimate]
    note: str
    reliability: pd.DataFrame
    curve: pd.DataFrame

    def describe(self) -> dict[str, Any]:
        """Give all but the tables, for JSON."""
        known = {name: value for name, value in vars(self).items() if name not in ("reliability", "curve")}
        for name in ("ece", "accuracy"):
            known[name] = {split: asdict(estimate) for split, estimate in known[name].items()}
        return known

    def describe_thresholds(self) -> dict[str, float | None]:
        """Give what whoever serves the model needs to know."""
        accuracy = self.accuracy.get("validation")
        return {
            "temperature": self.temperature,
            "stated_accuracy": self.stated_accuracy,
            "threshold": self.threshold,
            "validation_coverage": self.coverage.get("validation"),
            "validation_accuracy": None if accuracy is None else accuracy.value,
        }


def calibrate(
    validation: Predictions, test: Predictions, temperature: float, stated_accuracy: float = 0.95
) -> Calibration:
    """Look at a model's confidence.

    Args:
        validation: what it predicts; the threshold is chosen on it.
        test: likewise, never looked at to choose.
        temperature: what the model's logits were divided by already.
        stated_accuracy: how often the model is to be right where it answers.
    """
    splits = {"validation": validation, "test": test}
    threshold = choose_threshold(validation, stated_accuracy)
    coverage, accuracy = {}, {}
    if threshold is not None:
        for name, some in splits.items():
            sure = answered(some, threshold)
            coverage[name] = float(sure.mean())
            if sure.any():
                accuracy[name] = estimate_proportion(some.right[sure], some.groups[sure])
    before = {name: _confidence_before(some, temperature) for name, some in splits.items()}
    return Calibration(
        temperature=temperature,
        ece={name: estimate_ece(some) for name, some in splits.items()},
        ece_before={name: measure_ece(some.right, before[name]) for name, some in splits.items()},
        ece_by_chance={name: ece_by_chance(some) for name, some in splits.items()},
        stated_accuracy=stated_accuracy,
        threshold=threshold,
        coverage=coverage,
        accuracy=accuracy,
        note=_note(validation, threshold, stated_accuracy),
        reliability=_by_split({name: tabulate_reliability(some) for name, some in splits.items()}),
        curve=_by_split({name: tabulate_coverage(some) for name, some in splits.items()}),
    )


def bin_by_confidence(confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    """Sort images into up to `BINS` bins of equally many: (n,) the bin of each, from 0.

    Images of one confidence stay together, so bins may be fewer and of other sizes: one if all are the same.
    """
    bins = max(1, min(BINS, len(confidence) // LEAST_IN_BIN))
    edges = np.unique(np.quantile(confidence, np.arange(1, bins) / bins, method="lower"))
    _, numbers = np.unique(np.searchsorted(edges, confidence, side="left"), return_inverse=True)
    return numbers.astype(np.int64)


def measure_ece(right: NDArray[np.bool_], confidence: NDArray[np.float32]) -> float:
    """Give the expected calibration error: the bins' |accuracy - confidence|, weighted by their images."""
    gaps: NDArray[np.float64] = right - confidence.astype(np.float64)
    return float(np.abs(np.bincount(bin_by_confidence(confidence), weights=gaps)).sum() / len(gaps))


def estimate_ece(predictions: Predictions) -> Estimate:
    """Give the expected calibration error with its interval.

    Chance alone lifts it: a bin's accuracy is never quite its confidence. A bootstrap lifts it once more, and rarely
    holds a true 0 (24 to 50 times of 100, measured). So the interval holds the errors with which the measured one
    would not be rare: those of the bins as they are, times a factor, with each bin's chance on top (an inverted test;
    it holds the truth 89 to 98 times of 100, a true 0 nearly always). It begins at 0 where chance explains all.
    """
    value = measure_ece(predictions.right, predictions.confidence)
    gaps, chance = _gaps(predictions)
    noise = np.random.default_rng(0).normal(0, chance, (_DRAWS, len(chance)))

    def quantile(factor: float, share: float) -> float:
        return float(np.quantile(np.abs(factor * gaps + noise).sum(axis=1), share))

    def reach(share: float) -> float:
        """Find the factor with which that share of all measured errors lies below the one at hand; 0 if none has it."""
        low, high = 0.0, _FARTHEST
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if quantile(middle, share) <= value else (low, middle)
        return (low + high) / 2 if low else 0.0

    ends = [min(1.0, reach((1 + sign * LEVEL) / 2) * value) for sign in (1, -1)]
    return Estimate(value, min(ends[0], value), max(ends[1], value), "inverted test")


def ece_by_chance(predictions: Predictions) -> float:
    """Give the expected calibration error that is to be expected where every confidence is true.

    In a bin with the standard error s of its accuracy it is s √(2 / π): half a normal distribution's mean.
    """
    confidence = predictions.confidence.astype(np.float64)
    of_bins = _deviations(predictions, np.sqrt(confidence * (1 - confidence)))
    return float(np.sqrt(2 / np.pi) * of_bins.sum())


def _gaps(predictions: Predictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each bin's accuracy less its confidence, times its share of the images; and the standard error of that.

    The standard error is that of the images seen or that of the confidences, whichever is larger: where all of a few
    images are right, they tell nothing of how often others are.
    """
    confidence = predictions.confidence.astype(np.float64)
    numbers, differences = bin_by_confidence(predictions.confidence), predictions.right - confidence
    sums, sizes = np.bincount(numbers, weights=differences), np.bincount(numbers)
    seen = _deviations(predictions, differences - (sums / sizes)[numbers]) * np.sqrt(sizes / np.maximum(sizes - 1, 1))
    return sums / len(confidence), np.maximum(seen, _deviations(predictions, np.sqrt(confidence * (1 - confidence))))


def _deviations(predictions: Predictions, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up deviations, (n,), to those of bins: within a group of near-duplicates all at once, else by squares."""
    numbers = bin_by_confidence(predictions.confidence)
    keys = numbers * (int(predictions.groups.max()) + 1) + predictions.groups
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    squares = np.bincount(place, weights=deviations) ** 2
    of_bins: NDArray[np.float64] = np.sqrt(np.bincount(numbers[first], weights=squares)) / len(predictions)
    return of_bins


def tabulate_reliability(predictions: Predictions) -> pd.DataFrame:
    """Give each bin its row: from, to, images, confidence (mean), accuracy, low, high (of its interval)."""
    confidence, right, groups = predictions.confidence, predictions.right, predictions.groups
    numbers = bin_by_confidence(confidence)
    rows = []
    for number in range(int(numbers.max()) + 1):
        inside = numbers == number
        accuracy, here = estimate_proportion(right[inside], groups[inside]), confidence[inside].astype(np.float64)
        rows.append((here.min(), here.max(), len(here), here.mean(), accuracy.value, accuracy.low, accuracy.high))
    return pd.DataFrame(rows, columns=["from", "to", "images", "confidence", "accuracy", "low", "high"])


def _confidence_before(predictions: Predictions, temperature: float) -> NDArray[np.float32]:
    most: NDArray[np.float32] = with_temperature(predictions.probabilities, 1 / temperature).max(axis=1)
    return most


def _by_split(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, names=["split"]).reset_index("split").reset_index(drop=True)


def _note(validation: Predictions, threshold: float | None, stated: float) -> str:
    sentences = []
    if len(validation) < LEAST_IMAGES:
        sentences.append(
            f"The {len(validation)} validation images are too few to fit a temperature ({LEAST_IMAGES}): it stays 1."
        )
    if threshold is None:
        sentences.append(
            f"No threshold is borne out by the {len(validation):,} validation images at which answers are right in "
            f"{stated:.1%} of all cases."
        )
    return " ".join(sentences)
