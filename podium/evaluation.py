"""How good a model is: figures from what it answered to pictures it did not learn from."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

from podium.arrays import Split
from podium.config.tables import Reference

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


def find_clean(ids: pd.Series, leaks: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which test pictures look like none that trained.

    Args:
        ids: (n,) of the test pictures.
        leaks: as validation wrote them: id, split, twin_split among its columns.
    """
    seen = leaks.loc[(leaks["split"] == "test") & (leaks["twin_split"] == "train"), "id"]
    clean: NDArray[np.bool_] = ~ids.isin(seen).to_numpy()
    return clean


def measure_boxes(actual: NDArray[np.float32], predicted: NDArray[np.float32], shape: tuple[int, int, int]) -> Figures:
    """Sum a split's boxes up.

    Args:
        actual: (n, 4) left, top, width, height in pixels.
        predicted: (n, 4) likewise.
        shape: height, width and channels of the pictures.

    Returns:
        box_mse (mean squared error over left, top, right and bottom as shares of the picture's width and height),
        mean_iou (of `overlap`), and iou_over_half (share of the pictures with an overlap of at least 0.5, where
        M. Everingham et al., "The Pascal Visual Object Classes Challenge", 2010, begin to call a box right).
    """
    height, width, _ = shape
    errors = (_corners(actual) - _corners(predicted)) / np.array([width, height, width, height])
    overlaps = overlap(actual, predicted)
    return {
        "box_mse": float(np.mean(errors**2)),
        "mean_iou": float(np.mean(overlaps)),
        "iou_over_half": float(np.mean(overlaps >= 0.5)),
    }


def overlap(actual: NDArray[np.float32], predicted: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give each pair of boxes its intersection over union, 0..1: (n,) from (n, 4) left, top, width, height in pixels.

    A box whose width or height is not above zero covers nothing.
    """
    one, two = _corners(actual), _corners(predicted)
    sides = np.minimum(one[:, 2:], two[:, 2:]) - np.maximum(one[:, :2], two[:, :2])
    areas = [np.prod(np.maximum(box, 0), axis=1) for box in (sides, one[:, 2:] - one[:, :2], two[:, 2:] - two[:, :2])]
    union = areas[1] + areas[2] - areas[0]
    shares: NDArray[np.float64] = np.divide(areas[0], union, out=np.zeros_like(union), where=union > 0)
    return shares


def _corners(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give left, top, right, bottom of boxes that are left, top, width, height."""
    exact = np.asarray(boxes, np.float64)
    return np.concatenate([exact[:, :2], exact[:, :2] + exact[:, 2:]], axis=1)


def tabulate_repeats(figures: dict[int, dict[str, Figures]]) -> pd.DataFrame:
    """Give each seed its row: seed, and a column for each split and figure: `validation_accuracy`, `test_loss`."""
    return pd.DataFrame(
        {"seed": seed} | {f"{split}_{name}": value for split, some in splits.items() for name, value in some.items()}
        for seed, splits in figures.items()
    )


def measure_repeats(repeats: pd.DataFrame) -> Figures:
    """Say how far seeds are apart: how many there are, and each figure's mean and sample standard deviation."""
    figures = repeats.drop(columns="seed")
    means, deviations = figures.mean().add_suffix("_mean"), figures.std(ddof=1).add_suffix("_std")
    return {"seeds": float(len(repeats))} | {
        str(name): float(value) for name, value in [*means.items(), *deviations.items()]
    }


def compare(
    name: str, figures: dict[str, Figures], pictures: dict[str, int], references: Sequence[Reference]
) -> pd.DataFrame:
    """Set a candidate's figures beside the published ones.

    Args:
        name: the candidate's.
        figures: of each split, from `measure` and `measure_boxes`; and of `repeats`, from `measure_repeats`, if any.
        pictures: how many each split has.
        references: what is published. Without any, our test accuracy stands alone.

    Returns:
        First our rows, one for each metric and split that the references name (and that we have; a second one for the
        mean of the seeds, where there are several), then theirs:
        model, metric, split, value, standard_error (ours of an accuracy p of n pictures: √(p (1 − p) / n)), source.
    """
    rows: list[dict[str, str | float | None]] = []
    asked = dict.fromkeys((reference.metric, reference.split) for reference in references) or [("accuracy", "test")]
    for metric, split in asked:
        if metric in figures[split]:
            value = figures[split][metric]
            error = np.sqrt(value * (1 - value) / pictures[split]) if metric == "accuracy" else None
            rows.append({"model": name, "metric": metric, "split": split, "value": value, "standard_error": error})
            if repeats := figures.get("repeats"):
                mean = repeats[f"{split}_{metric}_mean"]
                title = f"{name}, mean of {repeats['seeds']:.0f} seeds"
                rows.append({"model": title, "metric": metric, "split": split, "value": mean})
    rows += [asdict(reference) for reference in references]
    return pd.DataFrame(rows, columns=[field.name for field in fields(Reference)])


def measure_classes(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], classes: Sequence[str]
) -> pd.DataFrame:
    """Give each class its row: class, precision, recall, f1, pictures."""
    columns = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0
    )
    named = zip(("precision", "recall", "f1", "pictures"), columns, strict=True)
    return pd.DataFrame({"class": classes} | dict(named))


def tabulate(
    split: Split,
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    boxes: NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    """Give each picture its row.

    Args:
        split: the pictures.
        probabilities: (n, classes).
        classes: their names.
        boxes: (n, 4) the predicted boxes, if the split has boxes.

    Returns:
        id, actual, predicted, confidence (the probability of what was predicted); with boxes also left, top, width,
        height (predicted, in pixels of the split's pictures) and iou (of `overlap` with the true box).
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
