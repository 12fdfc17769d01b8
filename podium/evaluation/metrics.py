"""Metrics of predicted classes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss, precision_recall_fscore_support

Metrics = dict[str, float]


def measure(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Metrics:
    """Measure predicted classes of a split.

    Args:
        labels: (n,) the true classes.
        probabilities: (n, classes).

    Returns:
        accuracy, loss (cross-entropy in nats), and precision, recall and F1, each as the mean over classes
        (`macro_`) and weighted by the classes' images (`weighted_`), as in scikit-learn's
        `precision_recall_fscore_support`. A class that is never predicted counts with precision 0.

    Example:
        >>> measure(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32))["accuracy"]
        0.6666666666666666
    """
    predicted = probabilities.argmax(axis=1)
    metrics = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "loss": float(log_loss(labels, _normalised(probabilities), labels=range(probabilities.shape[1]))),
    }
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        metrics |= {
            f"{average}_{name}": float(score)
            for name, score in zip(("precision", "recall", "f1"), scores[:3], strict=True)
        }
    return metrics


def tabulate_repeats(metrics: dict[int, dict[str, Metrics]]) -> pd.DataFrame:
    """Give each seed its row: seed, and a column for each split and metric: `validation_accuracy`, `test_loss`."""
    return pd.DataFrame(
        {"seed": seed} | {f"{split}_{name}": value for split, some in splits.items() for name, value in some.items()}
        for seed, splits in metrics.items()
    )


def measure_repeats(repeats: pd.DataFrame) -> Metrics:
    """Measure the seed variance: the number of seeds, and the mean and sample standard deviation of each metric."""
    metrics = repeats.drop(columns="seed")
    means, deviations = metrics.mean().add_suffix("_mean"), metrics.std(ddof=1).add_suffix("_std")
    return {"seeds": float(len(repeats))} | {
        str(name): float(value) for name, value in [*means.items(), *deviations.items()]
    }


def measure_classes(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], classes: Sequence[str]
) -> pd.DataFrame:
    """Give each class its row: class, precision, recall, f1, support (how many images it has)."""
    columns = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0
    )
    named = zip(("precision", "recall", "f1", "support"), columns, strict=True)
    return pd.DataFrame({"class": classes} | dict(named))


def _normalised(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = probabilities.astype(np.float64)
    shares: NDArray[np.float64] = exact / exact.sum(axis=1, keepdims=True)
    return shares
