"""The evidence of a challenge, fetched from where it is kept: predictions, splits, and the champion's own word."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from podium.datasets.arrays import open_split
from podium.datasets.validation.manifest import load_manifest
from podium.errors import PodiumError
from podium.evaluation.comparison.contenders import check_classes
from podium.evaluation.predictions import Predictions, load_predictions
from podium.files import file_digest
from podium.paths import DatasetPaths
from podium.registry.decision import Pairs
from podium.registry.evidence import (
    Seen,
    append_predictions,
    concatenate,
    find_fresh,
    find_unpredicted,
    make_pairs,
    read_seen,
)
from podium.tracking.failures import first_words, is_transient
from podium.tracking.published import REPORTS, download_files

logger = logging.getLogger(__name__)

PREDICTIONS, SPLIT = f"{REPORTS}/predictions.parquet", "lineage/split.csv"
VALIDATION = "validation"
GREY: NDArray[np.uint8] = np.full((32, 32, 1), 128, np.uint8)
"""In the place of an image that is not at hand."""
SPLITS, DATA = "podium.splits", "podium.data"
"""Tags of a run: the digests of its split manifest and of its arrays."""


@dataclass(frozen=True)
class Evidence:
    """What two models said of the same images.

    Attributes:
        pairs: None if they cannot be compared.
        left_out: the challenger's images that do not count, by reason.
        incomparable: why there are no pairs, in a sentence.
    """

    pairs: Pairs | None
    left_out: dict[str, int]
    incomparable: str = ""


def gather(
    client: MlflowClient,
    root: Path,
    dataset: str,
    challenger: Run,
    champion: ModelVersion,
    theirs: Run | None,
    folder: Path,
) -> Evidence:
    """Let champion and challenger speak of the challenger's validation images.

    Args:
        client: of MLflow.
        root: the project's root: its arrays and its manifest are looked at, as far as they are there.
        dataset: whose images.
        challenger: the run that challenges.
        champion: the version that is challenged.
        theirs: its run; None if it is gone.
        folder: an empty one, for what is fetched.
    """
    if theirs is None:
        return Evidence(None, {}, f"The run of version {champion.version} is gone, and what it predicted with it.")
    try:
        mine = _fetch_predictions(client, challenger, folder / "challenger")
        if mine is None or VALIDATION not in mine:
            raise PodiumError("The predictions of the challenger are gone from MLflow's artifacts.")
        validation = mine[VALIDATION]
        processed = root / DatasetPaths(dataset).processed
        known = _fetch_predictions(client, theirs, folder / "champion")
        said = concatenate([*known.values()]) if known else None
        seen = _find_seen(client, root / DatasetPaths(dataset).manifest, challenger, theirs, folder)
        if said is not None:
            check_classes("The champion", said.classes, "the challenger", validation.classes)
        fresh, left_out = find_fresh(validation, seen)
        unheard = fresh & find_unpredicted(said, validation)
        mute = ""
        if unheard.any():
            further, mute = _ask(client, champion, challenger, validation.take(unheard), processed)
            said = said if further is None else append_predictions(said, further)
        if said is None:
            raise PodiumError(
                f"The predictions of version {champion.version} are gone from MLflow's artifacts, and it cannot be "
                f"asked again: {mute or 'no image is left to ask it for'}."
            )
        pairs, left_out = make_pairs(said, validation, seen)
    except PodiumError as error:
        return Evidence(None, {}, str(error))
    if pairs is None:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        return Evidence(None, left_out, f"None of the {len(validation):,} validation images counts: {reasons}.")
    return Evidence(pairs, left_out)


def find_images(processed: Path) -> Callable[[NDArray[np.str_]], list[NDArray[np.uint8]]]:
    """Give a function that gives validation images by their ids, and a grey one for each that is not at hand."""

    def find(ids: NDArray[np.str_]) -> list[NDArray[np.uint8]]:
        rows = _find_rows(processed, ids)
        images = open_split(processed / VALIDATION).images if (rows >= 0).any() else None
        return [GREY if images is None or row < 0 else np.asarray(images[row]) for row in rows]

    return find


def _fetch_predictions(client: MlflowClient, run: Run, folder: Path) -> dict[str, Predictions] | None:
    found = download_files(client, run.info.run_id, [PREDICTIONS], folder)
    return load_predictions(found[PREDICTIONS]) if found else None


def _find_seen(client: MlflowClient, manifest: Path, challenger: Run, champion: Run, folder: Path) -> dict[str, Seen]:
    """Find what both were trained on, from the split manifests that their runs keep.

    Raises:
        PodiumError: one keeps none, so that nobody can say which images are fair.
    """
    groups = None
    if manifest.is_file():
        groups = load_manifest(manifest, ("sha256", "group"))
    else:
        logger.info("without %s near-duplicates of training images are not recognised", manifest)
    runs = {"champion": champion, "challenger": challenger}
    if champion.data.tags.get(SPLITS) == challenger.data.tags.get(SPLITS):
        runs = {"champion": challenger}  # one split manifest speaks for both
    seen: dict[str, Seen] = {}
    for name, run in runs.items():
        file = download_files(client, run.info.run_id, [SPLIT], folder / name).get(SPLIT)
        if file is None:
            raise PodiumError(f"Nothing in MLflow says which images the {name} was trained on: {SPLIT} is gone.")
        seen[name] = read_seen(file, groups)
    return seen


def _ask(
    client: MlflowClient, champion: ModelVersion, challenger: Run, wanted: Predictions, processed: Path
) -> tuple[Predictions | None, str]:
    """Let the champion's model predict images of the arrays at hand; or say why it cannot."""
    manifest = processed / "split.csv"
    rows = _find_rows(processed, wanted.ids)
    if (rows < 0).any() or not manifest.is_file() or file_digest(manifest) != challenger.data.tags.get(SPLITS):
        return None, f"{processed} does not hold the images that the challenger was measured on"
    from podium.models.runtime import prepare  # TensorFlow, only where it is needed

    prepare()
    from podium.models.inference import predict_heads
    from podium.tracking.logged_model import load_version

    try:
        model = load_version(client, champion)
    except (MlflowException, PodiumError, OSError) as error:
        if is_transient(error):
            raise
        return None, f"its model cannot be loaded ({first_words(error)})"
    if (takes := tuple(model.input_shape[1:])) != wanted.shape:
        return None, f"it takes images of {_by(takes)}, these are of {_by(wanted.shape)}"
    order = np.argsort(rows)
    heads = predict_heads(model, open_split(processed / VALIDATION), rows[order])
    probabilities = heads["label"][np.argsort(order)]
    if probabilities.shape[1] != len(wanted.classes):
        return None, f"it knows {probabilities.shape[1]:,} classes, the challenger {len(wanted.classes):,}"
    boxes = None if wanted.boxes is None or "box" not in heads else heads["box"][np.argsort(order)]
    return replace(wanted, probabilities=probabilities, predicted_boxes=boxes), ""


def _by(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _find_rows(processed: Path, ids: NDArray[np.str_]) -> NDArray[np.int64]:
    """Find the rows of validation images in the arrays at hand: (n,), -1 for those that are not there."""
    known = pd.Index([])
    if (processed / VALIDATION / "ids.npy").is_file():
        known = pd.Index(np.asarray(open_split(processed / VALIDATION).ids))
    if not known.is_unique:  # nobody can say which of two is meant
        known = pd.Index([])
    return np.asarray(known.get_indexer(pd.Index(ids)), np.int64)
