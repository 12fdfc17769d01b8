"""Predictions: what a model says of every image of a split, in memory and as a Parquet file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.boxes import overlap

BOX = ("left", "top", "width", "height")
"""Columns of a predicted box, in pixels of the split's images; the true box's begin with `true_`."""
SUM_TOLERANCE = 1e-3
"""By how much the probabilities of an image may differ from 1 in sum."""
_META = b"podium"


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for the images of one split.

    Attributes:
        ids: (n,) as in the manifest.
        labels: (n,) int64, the true classes.
        probabilities: (n, classes) float32; each row sums to 1.
        groups: (n,) int64, the group of near-duplicates of each image: what is alike counts once in an interval.
        digests: (n,) the sha256 of each image.
        classes: their names, in the order of the labels.
        shape: height, width and channels of the split's images, in pixels.
        boxes: (n, 4) float32, the true left, top, width, height in pixels; NaN where none is known.
        predicted_boxes: (n, 4) float32, likewise.
    """

    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    groups: NDArray[np.int64]
    digests: NDArray[np.str_]
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    boxes: NDArray[np.float32] | None = None
    predicted_boxes: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse what no metric can be taken of.

        Raises:
            PodiumError: there is no image, or a probability is none.
        """
        if not len(self.labels):
            raise PodiumError("There are no predictions: the split has no image. Look at the dataset's `split`.")
        sums = self.probabilities.sum(axis=1, dtype=np.float64)
        bad = ~(np.isfinite(sums) & (np.abs(sums - 1) <= SUM_TOLERANCE) & (self.probabilities.min(axis=1) >= 0))
        if bad.any():
            raise PodiumError(
                f"The model gives no probabilities for {bad.sum():,} of {len(bad):,} images, the first of them "
                f"{self.ids[np.argmax(bad)]}: expected numbers from 0 to 1 with the sum 1. Its training may have "
                "diverged: lower the learning rate in params.yaml, then `dvc repro`."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The class of the greatest probability of each image; of equal ones the first."""
        classes: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return classes

    @property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of what is predicted."""
        most: NDArray[np.float32] = self.probabilities.max(axis=1)
        return most

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one."""
        right: NDArray[np.bool_] = self.predicted == self.labels
        return right

    def take(self, rows: NDArray[Any]) -> "Predictions":
        """Give those of some rows, by their numbers or by a mask."""
        boxes = None if self.boxes is None else self.boxes[rows]
        predicted = None if self.predicted_boxes is None else self.predicted_boxes[rows]
        arrays = {name: getattr(self, name)[rows] for name in ("ids", "labels", "probabilities", "groups", "digests")}
        return replace(self, **arrays, boxes=boxes, predicted_boxes=predicted)


def collect(
    split: Split, heads: Mapping[str, NDArray[np.float32]], classes: tuple[str, ...], manifest: pd.DataFrame
) -> Predictions:
    """Put together what a model predicts for a split, and what the manifest knows of its images.

    Args:
        split: the images.
        heads: the model's outputs, see `podium.models.inference.predict_heads`.
        classes: their names.
        manifest: id, sha256 and group among its columns.

    Raises:
        PodiumError: the manifest is of another dataset, or the model has other classes.
    """
    ids, probabilities = np.asarray(split.ids), heads["label"]
    if probabilities.shape[1] != len(classes):
        raise PodiumError(
            f"The model knows {probabilities.shape[1]:,} classes, the dataset has {len(classes):,}: they do not belong "
            "together. Train it again with `dvc repro`."
        )
    facts = look_up(ids, manifest)
    return Predictions(
        ids=ids,
        labels=np.asarray(split.labels, np.int64),
        probabilities=probabilities,
        groups=facts["group"].to_numpy(np.int64),
        digests=facts["sha256"].to_numpy(str),
        classes=tuple(classes),
        shape=split.images.shape[1:],
        boxes=None if split.boxes is None else np.asarray(split.boxes),
        predicted_boxes=None if split.boxes is None else heads["box"],
    )


def look_up(ids: NDArray[np.str_], manifest: pd.DataFrame) -> pd.DataFrame:
    """Give the manifest's rows of some images, (n,) ids, in their order.

    Raises:
        PodiumError: the manifest does not know one of them.
    """
    wanted = pd.Index(np.asarray(ids), dtype="str")
    known = manifest.drop_duplicates("id").set_index("id")
    if not (lacking := wanted[~wanted.isin(known.index)]).empty:
        raise PodiumError(
            f"The manifest does not know {len(lacking):,} of {len(wanted):,} images, the first of them {lacking[0]}: "
            "it is of another version of the dataset. Run `dvc repro`."
        )
    return known.loc[wanted]


def save_predictions(splits: Mapping[str, Predictions], path: Path) -> None:
    """Write the predictions for several splits as one Parquet file; the same predictions give the same bytes.

    Its columns: split, id, sha256, group, actual, predicted, confidence, probabilities (in the order of the classes,
    which are in the file's metadata); with boxes also true_left, true_top, true_width, true_height, the same of the
    predicted box without `true_`, and iou.
    """
    tables = [_to_table(name, some) for name, some in splits.items()]
    first = next(iter(splits.values()))
    meta = json.dumps({"classes": first.classes, "shape": first.shape})
    parquet.write_table(
        pa.concat_tables(tables).replace_schema_metadata({_META: meta.encode()}), path, compression="zstd"
    )


def load_predictions(path: Path) -> dict[str, Predictions]:
    """Read what `save_predictions` wrote.

    Raises:
        PodiumError: there is no such file, or it is none of podium's predictions.
    """
    try:
        # On one thread: Arrow's own may abort the process when it ends (https://github.com/apache/arrow/issues/34314).
        table = parquet.read_table(path, use_threads=False)
        known = json.loads(table.schema.metadata[_META])
        classes, shape = tuple(known["classes"]), tuple(known["shape"])
        columns = {name: table[name] for name in ("id", "sha256", "group", "actual", "probabilities")}
    except FileNotFoundError as error:
        raise PodiumError(f"There is no {path}: the candidate is not evaluated. Run `dvc repro`.") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise PodiumError(f"{path} holds no predictions that this podium wrote. Run `dvc repro` again.") from error
    numbers = {name: number for number, name in enumerate(classes)}
    probabilities = columns["probabilities"].combine_chunks().flatten().to_numpy().reshape(len(table), len(classes))
    boxes, predicted = (_boxes(table, prefix) for prefix in ("true_", ""))
    whole = {
        "ids": columns["id"].to_numpy().astype(str),
        "labels": np.array([numbers[name] for name in columns["actual"].to_pylist()], np.int64),
        "probabilities": probabilities,
        "groups": columns["group"].to_numpy(),
        "digests": columns["sha256"].to_numpy().astype(str),
    }
    of_split = table["split"].to_numpy().astype(str)
    splits = {}
    for name in dict.fromkeys(of_split.tolist()):
        rows = of_split == name
        splits[name] = Predictions(
            **{key: values[rows] for key, values in whole.items()},
            classes=classes,
            shape=shape,
            boxes=None if boxes is None else boxes[rows],
            predicted_boxes=None if predicted is None else predicted[rows],
        )
    return splits


def find_clean(ids: NDArray[np.str_], leaks: pd.DataFrame) -> NDArray[np.bool_]:
    """Find the test images without a duplicate or near-duplicate among the training and validation images.

    Args:
        ids: (n,) of the test images.
        leaks: as validation wrote them: id, split, twin_split among its columns.
    """
    seen = leaks.loc[leaks["split"] == "test", "id"]
    clean: NDArray[np.bool_] = ~pd.Series(np.asarray(ids)).isin(seen).to_numpy()
    return clean


def _to_table(name: str, some: Predictions) -> pa.Table:
    names, count = np.array(some.classes, dtype=object), len(some)
    columns: dict[str, Any] = {
        "split": pa.array([name] * count),
        "id": pa.array(some.ids.tolist()),
        "sha256": pa.array(some.digests.tolist()),
        "group": some.groups,
        "actual": pa.array(names[some.labels].tolist()),
        "predicted": pa.array(names[some.predicted].tolist()),
        "confidence": some.confidence,
        "probabilities": pa.FixedSizeListArray.from_arrays(
            pa.array(np.ascontiguousarray(some.probabilities, np.float32).ravel()), len(some.classes)
        ),
    }
    if some.boxes is not None and some.predicted_boxes is not None:
        for prefix, boxes in (("true_", some.boxes), ("", some.predicted_boxes)):
            columns |= {f"{prefix}{side}": np.asarray(boxes[:, place], np.float32) for place, side in enumerate(BOX)}
        columns["iou"] = overlap(some.boxes, some.predicted_boxes)
    return pa.table(columns)


def _boxes(table: pa.Table, prefix: str) -> NDArray[np.float32] | None:
    if f"{prefix}{BOX[0]}" not in table.column_names:
        return None
    return np.stack([table[f"{prefix}{side}"].to_numpy() for side in BOX], axis=1).astype(np.float32)
