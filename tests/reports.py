"""A made-up report as `evaluate` leaves it: every file of it, and the arrays that it speaks of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.datasets.arrays import Split
from podium.evaluation.predictions import Predictions, save_predictions
from podium.paths import REVIEW_COLUMNS

NAME, DATASET = "made-cnn", "made"
REFERENCE = "https://example.org/paper?a=1&b=2"


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes:
        reports: the folder of the files.
        predictions: by split, validation and test.
        splits: the arrays of train, validation and test.
        histories: of the trainings, the candidate's own first.
    """

    reports: Path
    predictions: dict[str, Predictions]
    splits: dict[str, Split]
    histories: list[pd.DataFrame]


def make_report(
    reports: Path,
    *,
    classes: int | Sequence[str] = 3,
    images: int = 120,
    side: int = 12,
    channels: int = 1,
    accuracy: float = 0.9,
    boxes: bool = False,
    curve: bool = True,
    cost: bool = True,
    seeds: int = 3,
    splits: dict[str, Split] | None = None,
) -> Made:
    """Write a report.

    Args:
        reports: the folder to be.
        classes: how many, or their names.
        images: how many each split has.
        side: pixels of the images' height and width.
        channels: 1 or 3.
        accuracy: about how many are right.
        boxes: whether there are boxes.
        curve: whether there is a learning curve over shares of the images.
        cost: whether time and cost were measured.
        seeds: how many trainings there are.
        splits: arrays to speak of, instead of made-up ones.
    """
    names = tuple(f"class {number}" for number in range(classes)) if isinstance(classes, int) else tuple(classes)
    arrays = splits or {
        split: _make_split(split, len(names), images, (side, side, channels), boxes, seed)
        for seed, split in enumerate(("train", "validation", "test"))
    }
    predictions = {
        split: _predict(arrays[split], names, accuracy, seed)
        for seed, split in enumerate(("validation", "test"), start=1)
    }
    reports.mkdir(parents=True, exist_ok=True)
    save_predictions(predictions, reports / "predictions.parquet")
    _write_tables(reports, predictions, seeds)
    _write_evaluation(reports, predictions, curve)
    _write_failures(reports, predictions["test"], arrays)
    if cost:
        _save(reports / "cost.json", _COST)
    if curve:
        counts = np.repeat([100, 200, 500, 1000], 3)
        noise = np.random.default_rng(5).normal(0, 0.004, len(counts))
        pd.DataFrame(
            {
                "images": counts,
                "share": counts / 1000,
                "seed": np.tile([0, 1, 2], 4),
                "accuracy": np.minimum(0.95 - 0.9 * counts**-0.5 + noise, 1),
            }
        ).to_csv(reports / "learning_curve.csv", index=False)
    return Made(reports, predictions, arrays, [_make_history(seed, boxes) for seed in range(seeds)])


_COST = {
    "parameters": 123_456,
    "model_bytes": 1_543_210,
    "images_per_second": 812.4,
    "milliseconds_per_image": 9.31,
    "training_seconds": 431.0,
    "machine": "2 cores, <no> GPU",
}


def _make_split(name: str, classes: int, images: int, shape: tuple[int, int, int], boxes: bool, seed: int) -> Split:
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(images) % classes)
    down, across = np.mgrid[: shape[0], : shape[1]] / shape[0]
    pixels = np.empty((images, *shape), np.uint8)
    for row, label in enumerate(labels):
        wave = np.sin(6.3 * (label % 5 + 1) * across + label) * np.cos(6.3 * (label % 3 + 1) * down)
        pixels[row] = np.clip(128 + 90 * wave[..., None] + generator.normal(0, 15, shape), 0, 255)
    corners = generator.uniform([1, 1, 3, 3], [4, 4, 7, 7], (images, 4)) * shape[0] / 12
    ids = np.array([f"{name}/{'ab'[row % 2]}/image {row}.png" for row in range(images)])
    return Split(pixels, labels.astype(np.int64), ids, corners.astype(np.float32) if boxes else None)


def _predict(split: Split, names: tuple[str, ...], accuracy: float, seed: int) -> Predictions:
    generator = np.random.default_rng(seed)
    labels, count, classes = np.asarray(split.labels, np.int64), len(split), len(names)
    logits = generator.normal(0, 1, (count, classes)).astype(np.float32)
    rows = np.arange(count)
    near = (labels + np.where(generator.random(count) < 0.5, 1, max(classes // 2, 1))) % classes
    wrong = generator.random(count) > accuracy
    wrong[: min(2, count // 2)] = True
    logits[rows, labels] += 5 + generator.normal(0, 1.5, count)
    logits[rows, near] += np.where(wrong, 9.0, 3.0) * (labels % 4 != 0)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    boxes = None if split.boxes is None else np.array(split.boxes)
    if boxes is not None:
        boxes[3::17] = np.nan
    guesses = None if split.boxes is None else split.boxes + generator.normal(0, 0.8, (count, 4)).astype(np.float32)
    return Predictions(
        ids=np.asarray(split.ids),
        labels=labels,
        probabilities=(shares / shares.sum(axis=1, keepdims=True)).astype(np.float32),
        groups=np.maximum(rows - rows % 9 // 8, 0).astype(np.int64),
        digests=np.array([f"{seed}{row:063x}" for row in rows]),
        classes=names,
        shape=split.images.shape[1:],
        boxes=boxes,
        predicted_boxes=guesses,
    )


def _wilson(hits: int, count: int) -> tuple[float, float]:
    if not count:
        return 0.0, 1.0
    share, z = hits / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return float(max(middle - half, 0)), float(min(middle + half, 1))


def _estimate(right: NDArray[np.bool_]) -> dict[str, Any]:
    low, high = _wilson(int(right.sum()), len(right))
    return {"value": float(right.mean()) if len(right) else 0.0, "low": low, "high": high, "method": "Wilson"}


def _spread(value: float) -> dict[str, Any]:
    return {"value": value, "low": value * 0.96, "high": min(value * 1.03, 1.0), "method": "cluster bootstrap"}


def _metrics(some: Predictions) -> dict[str, Any]:
    accuracy = _estimate(some.right)
    share = accuracy["value"]
    metrics = {"accuracy": accuracy} | {
        name: _spread(share * factor)
        for name, factor in (
            *(("balanced_accuracy", 0.99), ("top_3_accuracy", 1.02), ("macro_precision", 0.98)),
            *(("macro_recall", 0.99), ("macro_f1", 0.985), ("weighted_precision", 0.99), ("weighted_recall", 1.0)),
            *(("weighted_f1", 0.995), ("roc_auc", 1.0), ("pr_auc", 0.97), ("matthews", 0.96)),
        )
    }
    metrics |= {
        "loss": {"value": 0.312, "low": 0.281, "high": 0.345, "method": "cluster bootstrap"},
        "brier": {"value": 0.148, "low": None, "high": None, "method": ""},
    }
    if some.boxes is not None:
        metrics |= {name: _spread(value) for name, value in _BOXES.items()}
        metrics["boxes"] = {
            "value": float(np.isfinite(some.boxes).all(axis=1).sum()),
            "low": None,
            "high": None,
            "method": "",
        }
    return metrics


_BOXES = {"mean_iou": 0.684, "iou_50": 0.87, "iou_75": 0.41, "joint_accuracy": 0.78} | {"box_mse": 0.0041}


def _write_tables(reports: Path, predictions: dict[str, Predictions], seeds: int) -> None:
    test = predictions["test"]
    accuracy = _estimate(test.right)
    support = np.bincount(test.labels, minlength=len(test.classes))
    hits = np.bincount(test.labels[test.right], minlength=len(test.classes))
    named = np.bincount(test.predicted, minlength=len(test.classes))
    rows = []
    for name, right, asked, given in zip(test.classes, hits.tolist(), support.tolist(), named.tolist(), strict=True):
        row: dict[str, Any] = {"class": name}
        for metric, of in (("precision", given), ("recall", asked)):
            low, high = _wilson(right, of)
            row |= {metric: right / of if of else 0.0, f"{metric}_low": low, f"{metric}_high": high}
        total = row["precision"] + row["recall"]
        f1 = 2 * row["precision"] * row["recall"] / total if total else 0.0
        row |= {"f1": f1, "f1_low": f1 * 0.93, "f1_high": min(f1 * 1.05, 1)}
        rows.append(row | {"roc_auc": 0.99 if asked else None, "pr_auc": 0.93 if asked else None, "support": asked})
    pd.DataFrame(rows).to_csv(reports / "per_class.csv", index=False)
    ours = {"model": NAME, "metric": "accuracy", "split": "test", "standard_error": 0.008, "images": len(test)}
    ours |= {"value": accuracy["value"], "low": accuracy["low"], "high": accuracy["high"]}
    theirs = {"model": "Net, 40 pixels <b>", "metric": "accuracy", "split": "test", "value": 0.8453}
    theirs |= {"standard_error": 0.012, "low": 0.8218, "high": 0.8688, "source": REFERENCE}
    theirs |= {"difference": accuracy["value"] - 0.8453, "verdict": "worse, more than noise"}
    last = {"model": "Hand made", "metric": "accuracy", "split": "test", "value": 0.9219}
    last |= {
        "difference": accuracy["value"] - 0.9219,
        "verdict": "cannot be told apart; no error bar is published",
        "source": "a book",
    }
    columns = ["model", "metric", "split", "value", "standard_error", "low", "high", "images"]
    columns += ["difference", "verdict", "source"]
    pd.DataFrame([ours, theirs, last], columns=columns).to_csv(reports / "comparison.csv", index=False)
    pd.DataFrame(
        {
            "seed": range(seeds),
            "validation_accuracy": accuracy["value"] - 0.002 * np.arange(seeds),
            "test_accuracy": accuracy["value"] - 0.004 * np.arange(seeds),
        }
    ).to_csv(reports / "seeds.csv", index=False)
    _write_calibration(reports, predictions)
    _write_slices(reports, test)


def _write_calibration(reports: Path, predictions: dict[str, Predictions]) -> None:
    reliability, coverage = [], []
    for split, some in predictions.items():
        bins = np.minimum((some.confidence * 10).astype(int), 9)
        for bin_ in range(10):
            inside = bins == bin_
            right, sure = some.right[inside], some.confidence[inside]
            low, high = _wilson(int(right.sum()), len(right))
            reliability.append(
                {"split": split, "from": bin_ / 10, "to": (bin_ + 1) / 10, "images": len(right)}
                | ({"confidence": float(sure.mean()), "accuracy": float(right.mean())} if len(right) else {})
                | ({"low": low, "high": high} if len(right) else {})
            )
        for threshold in np.linspace(0, 0.99, 34):
            answered = some.confidence >= threshold
            low, high = _wilson(int(some.right[answered].sum()), int(answered.sum()))
            share = float(some.right[answered].mean()) if answered.any() else None
            coverage.append(
                {"split": split, "threshold": threshold, "coverage": float(answered.mean()), "images": answered.sum()}
                | {"accuracy": share, "low": low, "high": high}
            )
    pd.DataFrame(reliability).to_csv(reports / "reliability.csv", index=False)
    pd.DataFrame(coverage).to_csv(reports / "coverage.csv", index=False)


def _write_slices(reports: Path, test: Predictions) -> None:
    rows = []
    for column in ("class", "brightness", "contrast", "sharpness"):
        values = test.classes[:60] if column == "class" else ("lowest quarter", "second", "third", "highest quarter")
        for place, value in enumerate(values):
            inside = test.labels == place if column == "class" else np.arange(len(test)) % 4 == place
            if inside.any():
                estimate = _estimate(test.right[inside])
                rows.append(
                    {"slice": column, "value": value, "images": int(inside.sum()), "groups": int(inside.sum())}
                    | {"accuracy": estimate["value"], "low": estimate["low"], "high": estimate["high"]}
                    | {"p_value": 0.012 if place == 1 else 0.8, "worse": place == 1}
                )
    pd.DataFrame(rows).to_csv(reports / "slices.csv", index=False)


def _write_evaluation(reports: Path, predictions: dict[str, Predictions], curve: bool) -> None:
    test, metrics = predictions["test"], {split: _metrics(some) for split, some in predictions.items()}
    clean = max(len(test) - len(test) // 12, 1)
    metrics["test_clean"] = _metrics(test.take(np.arange(clean)))
    learned = {
        "unit": "validation accuracy",
        "band": "between the seeds",
        "curve": [
            {"images": images, "value": value, "low": value - 0.01, "high": value + 0.01}
            for images, value in ((100, 0.86), (200, 0.886), (500, 0.91), (1000, 0.922), (2000, 0.93))
        ],
        "doubled": {"images": 2000, "value": 0.93, "low": 0.92, "high": 0.94},
        "text": "Twice the images would bring about 1 point.",
    }
    ece = {"value": 0.021, "low": 0.011, "high": 0.034, "method": "cluster bootstrap"}
    _save(
        reports / "evaluation.json",
        {
            "candidate": NAME,
            "dataset": DATASET,
            "classes": list(test.classes),
            "splits": {
                split: {"images": len(some), "groups": len(np.unique(some.groups))}
                for split, some in predictions.items()
            },
            "metrics": metrics,
            "clean": {"images": clean, "seen": len(test) - clean},
            "power": {
                **{"images": len(test), "groups": len(np.unique(test.groups)), "design_effect": 1.1},
                **{"discordant": 0.1, "detectable": 0.09},
                "needed": [{"difference": 0.01, "images": 8000}, {"difference": 0.05, "images": 330}],
                "text": "On these images a paired comparison detects a difference of 9.0 points, and 1 < 2.",
            },
            "calibration": {
                **{"temperature": 1.34, "stated_accuracy": 0.95, "threshold": 0.81},
                **{"ece": {"validation": ece, "test": ece}, "ece_before": {"validation": 0.08, "test": 0.07}},
                "coverage": {"validation": 0.9, "test": 0.88},
                "accuracy": {split: _spread(0.953) for split in predictions},
            },
            "slices": {
                "looked_at": 41,
                "worse": 2,
                "missing": [{"slice": "folder", "reason": "all images lie in one"}],
            },
            "cost": None,
            "learning_curve": learned if curve else {"reason": "More than a head is trained."},
        },
    )


def _write_failures(reports: Path, test: Predictions, arrays: dict[str, Split]) -> None:
    order = np.argsort(-test.confidence, kind="stable")
    wrong = [int(row) for row in order if not test.right[row]][:12]
    right = [int(row) for row in order[::-1] if test.right[row]][:12]
    items = [_make_item(test, arrays, row, place) for place, row in enumerate(wrong)]
    pairs = pd.Series(list(zip(test.labels.tolist(), test.predicted.tolist(), strict=True))).value_counts()
    support = np.bincount(test.labels)
    _save(
        reports / "failures.json",
        {
            "errors": items,
            "hits": [_make_item(test, arrays, row, None) for row in right],
            "pairs": [
                {"actual": test.classes[one], "predicted": test.classes[two], "count": int(count)}
                | {"share": int(count) / int(support[one])}
                for (one, two), count in pairs.items()
                if one != two
            ][:20],
            "counts": {"wrong": int((~test.right).sum()), "label": 3, "unlike_training": 2}
            | {"near_duplicate": 1, "confusable": max(int((~test.right).sum()) - 6, 0)},
            "reference": {"images": len(arrays["train"]), "of": len(arrays["train"])},
        },
    )
    if wrong:
        down, across = np.mgrid[:7, :7] / 6
        maps = [
            [np.exp(-8 * ((down - a) ** 2 + (across - b) ** 2)) for a, b in ((0.3, 0.4), (0.7, place % 3 / 2))]
            for place in range(len(wrong))
        ]
        np.savez(reports / "heat_maps.npz", maps=np.array(maps, np.float16), rows=np.array(wrong))
    lines = [
        [DATASET, str(test.ids[row]), str(test.digests[row]), "leave_out", f"is {test.classes[test.labels[row]]}"]
        for row in wrong[:3]
    ]
    pd.DataFrame(lines, columns=REVIEW_COLUMNS).to_csv(reports / "suspects.csv", index=False)


_WHY = {
    "label": "its three nearest training images are all of the predicted class: the label may be wrong",
    "near_duplicate": "a near-duplicate in training has the other label",
    "unlike_training": "no training image is like it",
    "confusable": "training images of both classes are like it",
}


def _make_item(test: Predictions, arrays: dict[str, Split], row: int, place: int | None) -> dict[str, Any]:
    train, why = arrays["train"], [*_WHY][row % 4]
    near = [(row * 7 + step) % len(train) for step in range(3)]
    return {
        **{"row": row, "id": str(test.ids[row]), "actual": test.classes[test.labels[row]]},
        **{"predicted": test.classes[test.predicted[row]], "confidence": float(test.confidence[row])},
        **{"why": why, "text": f"Perhaps {_WHY[why]}."},
        "neighbours": [
            {"row": other, "id": str(train.ids[other]), "label": test.classes[int(train.labels[other])]}
            | {"similarity": 0.97 - 0.02 * step}
            for step, other in enumerate(near)
        ],
        "heat_map": place,
    }


def _make_history(seed: int, boxes: bool) -> pd.DataFrame:
    steps = np.arange(1, 21)
    noise = np.random.default_rng(seed).normal(0, 0.01, (2, len(steps)))
    history = {
        **{"step": steps, "phase": ["head"] * 6 + ["all"] * 14, "loss": 2 / steps, "accuracy": 1 - 0.7 / steps},
        "validation_loss": 2.2 / steps + 0.1 + noise[0] * 4,
        "validation_accuracy": 0.95 - 0.7 / steps + noise[1],
        **({"box_loss": 0.1 / steps, "validation_box_loss": 0.12 / steps} if boxes else {}),
        "learning_rate": 0.001,
    }
    return pd.DataFrame(history)


def _save(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
