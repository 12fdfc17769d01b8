"""The table of predictions: one row an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from podium.datasets.arrays import Split
from podium.evaluation.boxes import overlap


def find_clean(ids: pd.Series, leaks: pd.DataFrame) -> NDArray[np.bool_]:
    """Find the test images without a duplicate or near-duplicate among the training images.

    Args:
        ids: (n,) of the test images.
        leaks: as validation wrote them: id, split, twin_split among its columns.
    """
    seen = leaks.loc[(leaks["split"] == "test") & (leaks["twin_split"] == "train"), "id"]
    clean: NDArray[np.bool_] = ~ids.isin(seen).to_numpy()
    return clean


def tabulate(
    split: Split,
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    boxes: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Give each image its row.

    Args:
        split: the images.
        probabilities: (n, classes).
        classes: their names.
        boxes: (n, 4) the predicted boxes, if the split has boxes.

    Returns:
        id, actual, predicted, confidence (the probability of what was predicted); with boxes also left, top, width,
        height (predicted, in pixels of the split's images) and iou (of `overlap` with the true box).
    """
    names = np.array(classes)
    predicted = probabilities.argmax(axis=1)
    table = pd.DataFrame(
        {
            "id": np.asarray(split.ids),
            "actual": names[np.asarray(split.labels)],
            "predicted": names[predicted],
            "confidence": probabilities.max(axis=1),
        }
    )
    if boxes is not None and split.boxes is not None:
        table[["left", "top", "width", "height"]] = boxes
        table["iou"] = overlap(split.boxes, boxes)
    return table


def count_confusions(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count how often each actual class (rows) was predicted as each class (columns).

    Example:
        >>> predictions = pd.DataFrame({"actual": ["cat", "cat", "dog"], "predicted": ["cat", "dog", "dog"]})
        >>> count_confusions(predictions, ["cat", "dog"])
                cat  dog
        actual
        cat       1    1
        dog       0    1
    """
    counts = confusion_matrix(predictions["actual"], predictions["predicted"], labels=list(classes))
    return pd.DataFrame(counts, index=pd.Index(classes, name="actual"), columns=list(classes))


def normalise(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn counts into shares of each actual class; a class without images has zeros."""
    return counts.div(counts.sum(axis=1).clip(lower=1), axis=0)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read the table of `tabulate`; names stay text, whatever they look like."""
    text = {"split": str, "id": str, "actual": str, "predicted": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False)
