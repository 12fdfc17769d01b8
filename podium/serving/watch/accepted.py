"""What a champion saw and said when it was accepted: of the images of validation and test, which train nothing."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from podium.datasets.arrays import open_split
from podium.datasets.validation.manifest import load_manifest
from podium.errors import PodiumError
from podium.evaluation.predictions import load_predictions, look_up
from podium.images.light import measure_pixels
from podium.paths import DatasetPaths
from podium.tracking.names import find_logged_model, find_run, find_version
from podium.tracking.published import REPORTS, download_files
from podium.tracking.reaching import reaching

HELD_OUT = ("validation", "test")
MAX_MEASURED = 5000
"""Images of a split that are measured: evenly, from the first to the last."""
PREDICTIONS = f"{REPORTS}/predictions.parquet"


@dataclass(frozen=True)
class Accepted:
    """A champion, and what it is compared by.

    Attributes:
        title: `digits/3`.
        names: all that a log may call it.
        classes: their names.
        said: label and probability of each image.
        seen: brightness, contrast and sharpness of the pixels that it saw, width and height of the images.
    """

    title: str
    names: frozenset[str]
    classes: tuple[str, ...]
    said: pd.DataFrame
    seen: pd.DataFrame


def find_accepted(root: Path, name: str, data: Path | None = None) -> Accepted:
    """Find a dataset's champion, and what is known of the images that measured it.

    Args:
        root: of the project that MLflow is asked for.
        name: the dataset's.
        data: the root of the project that has the arrays; by default the same.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no champion, or the arrays are not here.
    """
    with reaching(root, f"{name}@champion") as client, TemporaryDirectory(prefix="podium-") as folder:
        version = find_version(client, f"{name}@champion")
        said, classes = _read_said(client, find_run(version), f"{name}/{version.version}", Path(folder))
    names = {f"{name}/{version.version}", f"models:/{find_logged_model(version)}"}
    return Accepted(
        f"{name}/{version.version}", frozenset(names), classes, said, measure_arrays(data or root, DatasetPaths(name))
    )


def _read_said(client: MlflowClient, run_id: str, title: str, folder: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    file = download_files(client, run_id, [PREDICTIONS], folder).get(PREDICTIONS)
    if file is None:
        raise PodiumError(
            f"{title} was published without its predictions, by an older podium: nothing to compare with."
        )
    splits = [one for split, one in load_predictions(file).items() if split in HELD_OUT]
    classes = splits[0].classes
    tables = [
        pd.DataFrame({"label": np.array(classes)[one.predicted], "probability": one.confidence}) for one in splits
    ]
    return pd.concat(tables, ignore_index=True), classes


def measure_arrays(root: Path, paths: DatasetPaths) -> pd.DataFrame:
    """Measure the pixels of the images that were put aside, as the log does those of requests.

    Raises:
        PodiumError: the arrays or the manifest are not here.
    """
    if not (root / paths.processed / HELD_OUT[0] / "images.npy").is_file():
        raise PodiumError(
            f"{paths.processed} is not here, and what is asked is compared with it. Bring it: "
            f"`dvc pull preprocess@{paths.name}`, or `dvc repro preprocess@{paths.name}`."
        )
    manifest = load_manifest(root / paths.manifest, ("id", "width", "height"))
    tables = []
    for split in HELD_OUT:
        arrays = open_split(root / paths.processed / split)
        rows = np.unique(np.linspace(0, len(arrays) - 1, min(len(arrays), MAX_MEASURED)).round().astype(np.int64))
        light = [measure_pixels(np.asarray(arrays.images[row])) for row in rows]
        sizes = look_up(np.asarray(arrays.ids)[rows], manifest)[["width", "height"]].reset_index(drop=True)
        tables.append(pd.DataFrame(light, columns=["brightness", "contrast", "sharpness"]).join(sizes))
    return pd.concat(tables, ignore_index=True)
