"""Metrics of a split's predictions, each with its interval.

They are scikit-learn's, number for number (the tests hold them to it). It is not asked for them here, because an
interval needs what each image or group adds to a metric, and because with ten thousand classes it fills gigabytes.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.errors import PodiumError
from podium.evaluation.areas import estimate_areas
from podium.evaluation.boxes import corner_errors, overlap
from podium.evaluation.counts import estimate_counted
from podium.evaluation.intervals import Estimate, Floats, estimate_proportion, estimate_proportions
from podium.evaluation.predictions import Predictions
from podium.evaluation.resampling import Resamples
from podium.evaluation.scores import Scores, score

Estimates = dict[str, Estimate]
Metrics = dict[str, float]

TOP = (2, 3, 5)
"""For how many of the likeliest classes it is asked whether the true one is among them."""
SMALLER_IS_BETTER = frozenset({"loss", "brier", "box_mse"})
MOST = {"brier": 2.0, "mean_iou": 1.0}
"""What no interval reaches beyond."""
HEADLINE = ("accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy", "box_mse")
"""The metrics that metrics.json and seeds.csv hold; all others stand in evaluation.json."""
WITH_ENDS = ("accuracy", "mean_iou")
"""Those of them whose interval stands beside them there."""


def measure_all(predictions: Predictions) -> Estimates:
    """Measure a split.

    Returns:
        By name: accuracy; top_2, top_3, top_5 (the true class is among the likeliest, where there are more classes);
        balanced_accuracy, macro_ and weighted_ precision, recall and f1, matthews, see `estimate_counted`; roc_auc and
        pr_auc, see `estimate_areas`; loss (cross-entropy in nats) and brier, see `Scores`. With boxes also mean_iou,
        iou_50 and iou_75 (the share of images with such an overlap), joint_accuracy (the right label and an overlap of
        at least 0.5), box_mse (see `corner_errors`), and boxes: how many images have a known box, which these are of.

        What is not defined is left out. Intervals are of groups of near-duplicates, see `podium.evaluation.intervals`.

    Raises:
        PodiumError: a predicted box is none.
    """
    scores, groups = score(predictions.labels, predictions.probabilities), predictions.groups
    predicted = predictions.predicted
    estimates = {"accuracy": estimate_proportion(predicted == predictions.labels, groups)}
    for count in TOP:
        if count < len(predictions.classes):
            estimates[f"top_{count}"] = estimate_proportion(scores.ranks < count, groups)
    estimates |= estimate_counted(predictions.labels, predicted, groups)
    estimates |= estimate_areas(predictions.labels, predictions.probabilities, groups).means
    return estimates | _estimate_means(predictions, scores)


def measure(predictions: Predictions) -> Metrics:
    """Give the headline metrics of a split without their intervals, such as those of one seed of several."""
    scores = score(predictions.labels, predictions.probabilities)
    counted = estimate_counted(predictions.labels, predictions.predicted, predictions.groups)
    figures = {
        "accuracy": float(predictions.right.mean()),
        "macro_f1": counted["macro_f1"].value,
        "loss": float(scores.losses.mean()),
    }
    if (boxes := _measure_boxes(predictions)) is not None:
        known, overlaps, errors = boxes
        joint = predictions.right[known] & (overlaps >= 0.5)
        figures |= {
            "mean_iou": float(overlaps.mean()),
            "joint_accuracy": float(joint.mean()),
            "box_mse": float(errors.mean()),
        }
    return figures


def measure_classes(predictions: Predictions) -> pd.DataFrame:
    """Give each class its row.

    Returns:
        class; precision, recall and f1, each with `_low` and `_high`; roc_auc and pr_auc; support (how many images it
        has). As in scikit-learn, precision is 0 of a class that is never predicted, recall of one that has no images;
        then the ends of the interval are empty, as are the areas where they are not defined.
    """
    labels, predicted, groups = predictions.labels, predictions.predicted, predictions.groups
    count, right = len(predictions.classes), predicted == labels
    precision = estimate_proportions(predicted, right, groups, count)
    recall = estimate_proportions(labels, right, groups, count)
    # F1 = 2 J / (1 + J), where J is the share of right ones among the images that are of the class or predicted as it.
    jaccard = estimate_proportions(
        np.concatenate([labels, predicted[~right]]),
        np.concatenate([right, right[~right]]),
        np.concatenate([groups, groups[~right]]),
        count,
    )
    areas = estimate_areas(labels, predictions.probabilities, groups)
    columns: dict[str, object] = {"class": predictions.classes}
    f1 = tuple(2 * part / (1 + part) for part in jaccard)
    for name, (value, low, high) in (("precision", precision), ("recall", recall), ("f1", f1)):
        columns |= {name: np.nan_to_num(value), f"{name}_low": low, f"{name}_high": high}
    columns |= {"roc_auc": areas.roc, "pr_auc": areas.precision_recall}
    return pd.DataFrame(columns | {"support": np.bincount(labels, minlength=count)})


def measure_clean(test: Predictions, clean: NDArray[np.bool_], whole: Estimates) -> Estimates:
    """Measure the test images without a near-duplicate in train or validation.

    Args:
        test: the predictions for all test images.
        clean: (n,) which of them have none, from `find_clean`.
        whole: the metrics of all of them: those of the clean ones if all are clean.

    Returns:
        The same metrics; none if no image is clean.
    """
    if clean.all():
        return whole
    return measure_all(test.take(clean)) if clean.any() else {}


def tabulate_repeats(metrics: Mapping[int, Mapping[str, Metrics]]) -> pd.DataFrame:
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


def summarise(
    metrics: Mapping[str, Estimates], clean: int | None = None, repeats: Metrics | None = None
) -> dict[str, dict[str, float]]:
    """Give what metrics.json holds: few figures that keep their names, for `dvc metrics diff`.

    Args:
        metrics: by split, from `measure_all`; and of `test_clean`, from `measure_clean`, empty if no image is clean.
        clean: how many test images are clean.
        repeats: from `measure_repeats`, if there are several seeds.
    """
    summary = {split: _summarise(estimates, HEADLINE) for split, estimates in metrics.items() if split != "test_clean"}
    if metrics.get("test_clean") and clean is not None:
        summary["test_clean"] = _summarise(metrics["test_clean"], ("accuracy",)) | {"images": clean}
    if repeats is not None:
        names = [f"{split}_accuracy_{kind}" for split in ("validation", "test") for kind in ("mean", "std")]
        summary["repeats"] = {name: repeats[name] for name in ("seeds", *names)}
    return summary


def _summarise(estimates: Estimates, names: tuple[str, ...]) -> dict[str, float]:
    summary: dict[str, float] = {}
    for name in names:
        if (estimate := estimates.get(name)) is not None:
            summary[name] = estimate.value
            if name in WITH_ENDS and estimate.low is not None and estimate.high is not None:
                summary |= {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return summary


def _estimate_means(predictions: Predictions, scores: Scores) -> Estimates:
    """Estimate the means of what each image adds, all on the same resamples."""
    columns = {"loss": scores.losses, "brier": scores.briers}
    boxes = _measure_boxes(predictions)
    if boxes is None:
        return _bootstrap(columns, predictions)
    known, overlaps, errors = boxes
    some, of_boxes = predictions.take(known), {"mean_iou": overlaps, "box_mse": errors}
    if known.all():
        means = _bootstrap(columns | of_boxes, predictions)
    else:
        means = _bootstrap(columns, predictions) | _bootstrap(of_boxes, some)
    half = overlaps >= 0.5
    shares = {"iou_50": half, "iou_75": overlaps >= 0.75, "joint_accuracy": some.right & half}
    means |= {name: estimate_proportion(hits, some.groups) for name, hits in shares.items()}
    return means | {"boxes": Estimate(float(len(some)))}


def _bootstrap(columns: dict[str, Floats], predictions: Predictions) -> Estimates:
    most = np.array([MOST.get(name, np.inf) for name in columns])
    means = Resamples(predictions.groups).means(np.stack([*columns.values()]), most)
    return dict(zip(columns, means, strict=True))


def _measure_boxes(predictions: Predictions) -> tuple[NDArray[np.bool_], Floats, Floats] | None:
    """Give which images have a known box, and of each of these its overlap and its error; None if there is none."""
    if predictions.boxes is None or predictions.predicted_boxes is None:
        return None
    known: NDArray[np.bool_] = np.all(np.isfinite(predictions.boxes), axis=1)
    if not known.any():
        return None
    actual, predicted = predictions.boxes[known], predictions.predicted_boxes[known]
    if not np.isfinite(predicted).all():
        raise PodiumError(
            "The model predicts boxes that are not made of numbers: its training may have diverged. Lower the learning "
            "rate in params.yaml, then `dvc repro`."
        )
    return known, overlap(actual, predicted), corner_errors(actual, predicted, predictions.shape)
