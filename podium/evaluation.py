"""How good a model is: figures from the probabilities it gave to pictures it did not learn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from podium.arrays import Split

Figures = dict[str, float]


def measure(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Figures:
    """Sum a split up.

    Args:
        labels: (n,) the true classes.
        probabilities: (n, classes).

    Returns:
        accuracy, loss (cross-entropy in nats), and precision, recall and F1, each as the mean over classes
        (`macro_`) and weighted by the classes' pictures (`weighted_`), as in scikit-learn's
        `precision_recall_fscore_support`. A class that is never predicted counts with precision 0.
    """
    predicted = probabilities.argmax(axis=1)
    figures = {
        "accuracy": float(accuracy_score(labels, predicted)),
        "loss": float(log_loss(labels, _normalised(probabilities), labels=range(probabilities.shape[1]))),
    }
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        figures |= {
            f"{average}_{name}": float(score)
            for name, score in zip(("precision", "recall", "f1"), scores[:3], strict=True)
        }
    return figures


def measure_classes(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], classes: Sequence[str]
) -> pd.DataFrame:
    """Give each class its row: class, precision, recall, f1, pictures."""
    columns = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0
    )
    named = zip(("precision", "recall", "f1", "pictures"), columns, strict=True)
    return pd.DataFrame({"class": classes} | dict(named))


def tabulate(split: Split, probabilities: NDArray[np.float32], classes: Sequence[str]) -> pd.DataFrame:
    """Give each picture its row: id, actual, predicted, confidence (the probability of what was predicted)."""
    names = np.array(classes)
    predicted = probabilities.argmax(axis=1)
    return pd.DataFrame(
        {
            "id": np.asarray(split.ids),
            "actual": names[np.asarray(split.labels)],
            "predicted": names[predicted],
            "confidence": probabilities.max(axis=1),
        }
    )


def count_confusions(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count how often each actual class (rows) was taken for each class (columns)."""
    counts = confusion_matrix(predictions["actual"], predictions["predicted"], labels=list(classes))
    return pd.DataFrame(counts, index=pd.Index(classes, name="actual"), columns=list(classes))


def normalise(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn counts into shares of each actual class; a class without pictures has zeros."""
    return counts.div(counts.sum(axis=1).clip(lower=1), axis=0)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read the table of `tabulate`; names stay text, whatever they look like."""
    text = {"split": str, "id": str, "actual": str, "predicted": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False)


def _normalised(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    exact = probabilities.astype(np.float64)
    shares: NDArray[np.float64] = exact / exact.sum(axis=1, keepdims=True)
    return shares
