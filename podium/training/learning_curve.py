"""Trainings on parts of the train split: what each further image brings.

Where the schedule trains a head alone, the parts are learnt from cached features: a dozen trainings take seconds.
Others are trained from the beginning, and only where params ask for it.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.models import Model
from podium.config.schedules import Schedule
from podium.datasets.arrays import Split, SplitWriter, forget, open_split
from podium.evaluation.learning_curve import LearningCurve
from podium.files import remove
from podium.models.files import load_model
from podium.models.inference import predict
from podium.models.zoo import BACKBONE_LAYER
from podium.paths import FEATURES, CandidatePaths, DatasetPaths
from podium.training.feature_cache import BackboneInputs, cached_features, can_cache, split_at_backbone
from podium.training.heads import HeadTrainer
from podium.training.phases import train

logger = logging.getLogger(__name__)

SHARES = (0.1, 0.2, 0.5, 1.0)
"""Of the train split."""
SEEDS = 3
"""Trainings on each share of a head; the parts are drawn anew for each."""
MAX_STEPS = 1000
"""Of each training of a head."""
WORK_LIMIT, MEMORY_LIMIT_BYTES = 4e11, 1_000_000_000
"""Multiplications and bytes that a curve may take where nobody asks for it: about ten seconds on two processors."""


def measure_learning_curve(
    network: keras.Model,
    paths: CandidatePaths,
    model: Model,
    schedule: Schedule,
    groups: NDArray[np.int64],
    *,
    asked: bool = False,
) -> LearningCurve:
    """Measure what further training images bring a candidate.

    Call it after all that uses a model in memory: it may train others.

    Args:
        network: the trained model; it stays as it is.
        paths: the candidate's.
        model: what was built.
        schedule: by which it was trained.
        groups: (n,) of the train split: near-duplicates come into a part together.
        asked: whether it is to be trained from the beginning where seconds are not enough; see `measure_whole_curve`.

    Returns:
        The curve; where there is none, the reason.
    """
    processed = DatasetPaths(paths.dataset).processed
    curve = measure_head_curve(network, schedule, processed, groups, FEATURES)
    if len(curve.images) or not asked:
        return curve
    further = {seed: paths.repeats / str(seed) / paths.model.name for seed in schedule.seeds[1:]}
    folder = paths.model.with_name("learning_curve")
    return measure_whole_curve(model, schedule, processed, groups, {schedule.seed: paths.model} | further, folder)


def measure_head_curve(
    network: keras.Model, schedule: Schedule, processed: Path, groups: NDArray[np.int64], features: Path
) -> LearningCurve:
    """Train the head of a network on parts of the train split, three times each, from features.

    The same network and arrays give the same curve, whether its features are cached or not: what is missing is computed
    and kept.

    Args:
        network: a trained one of the zoo's; it stays as it is.
        schedule: by which it was trained.
        processed: the dataset's arrays.
        groups: (n,) of the train split: near-duplicates come into a part together.
        features: the folder of the feature cache.

    Returns:
        The curve; where there is none, the reason.

    Raises:
        TransientError: another process makes the same features.
    """
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    reason = why_not(network, schedule, len(train_split), len(validation))
    if reason:
        return LearningCurve.missing(reason)
    tf.config.experimental.enable_op_determinism()
    front, back = split_at_backbone(network)
    copies = _copies(schedule)
    shown = BackboneInputs(train_split, schedule, copies)
    known = cached_features(front, processed / "train", features, shown)
    held = cached_features(front, processed / "validation", features)
    trainer = HeadTrainer(back, known, shown.make_targets(), len(train_split), schedule, MAX_STEPS)
    labels, wanted = np.asarray(train_split.labels), np.asarray(validation.labels)
    runs = []
    for seed in range(schedule.seed, schedule.seed + SEEDS):
        for share, rows in zip(SHARES, nested_parts(labels, groups, SHARES, seed), strict=True):
            trainer.train(rows, seed)
            runs.append((len(rows), share, seed, trainer.predict(held) == wanted))
    forget(known)
    forget(held)
    return LearningCurve.of(runs)


def measure_whole_curve(
    model: Model,
    schedule: Schedule,
    processed: Path,
    groups: NDArray[np.int64],
    trained: Mapping[int, Path],
    folder: Path,
) -> LearningCurve:
    """Train a candidate from the beginning on parts of the train split, by its own schedule.

    It takes about 0.8 times as long as the candidate's training, for each of its seeds up to three. A killed one is
    resumed: states are kept until all are done.

    Args:
        model: what to build.
        schedule: by which to train.
        processed: the dataset's arrays.
        groups: (n,) of the train split: near-duplicates come into a part together.
        trained: by seed, the model that was trained on all.
        folder: for the parts' arrays and the trainings' states; it is removed at the end.
    """
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    labels, wanted = np.asarray(train_split.labels), np.asarray(validation.labels)
    runs = []
    for seed, file in [*trained.items()][:SEEDS]:
        parts = nested_parts(labels, groups, SHARES, seed)
        for share, rows in zip(SHARES[:-1], parts[:-1], strict=True):
            place = folder / f"{seed}-{share}"
            _write_part(train_split, rows, processed, place / "arrays")
            logger.info("learning curve: trains on %s of %s images, seed %d", len(rows), len(labels), seed)
            one = replace(schedule, seed=seed, repeats=None)
            network = train(model, one, place / "arrays", place / "history.csv", place / "checkpoint.npz")
            hits = predict(network, validation).argmax(axis=1) == wanted
            runs.append((len(rows), share, seed, hits))
            remove(place / "arrays" / "train")
        hits = predict(load_model(file), validation).argmax(axis=1) == wanted
        runs.append((len(labels), SHARES[-1], seed, hits))
    remove(folder)
    return LearningCurve.of(runs)


def why_not(network: keras.Model, schedule: Schedule, train_images: int, validation_images: int) -> str:
    """Say why a head's curve cannot be had in seconds; nothing where it can.

    It depends on params and the dataset alone, never on what lies in the cache.
    """
    ask = "Name the candidate in the dataset's evaluation.learning_curve to have it trained on parts of the images"
    if all(layer.name != BACKBONE_LAYER for layer in network.layers) or any(
        phase.trainable != "head" for phase in schedule.phases
    ):
        return f"More than a head on a frozen backbone is trained. {ask}."
    if not all(can_cache(network, phase, schedule, train_images, validation_images) for phase in schedule.phases):
        return f"The training does not learn from cached features. {ask}."
    if len({phase.augmented_copies for phase in schedule.phases}) > 1:
        return f"The schedule's phases have different augmented_copies. {ask}."
    front, back = split_at_backbone(network)
    width = math.prod(front.output.shape[1:])
    steps = min(
        MAX_STEPS, schedule.epochs * (schedule.steps_per_epoch or math.ceil(train_images / schedule.batch_size))
    )
    work = 3 * back.count_params() * steps * schedule.batch_size * len(SHARES) * SEEDS
    if work > WORK_LIMIT or 4 * width * train_images * _copies(schedule) > MEMORY_LIMIT_BYTES:
        return f"The head has {back.count_params():,} weights on {width:,} features: it would take minutes. {ask}."
    return ""


def nested_parts(
    labels: NDArray[np.int64], groups: NDArray[np.int64], shares: Sequence[float], seed: int
) -> list[NDArray[np.int64]]:
    """Draw parts of a split, each with the one before in it, of every class about the same share.

    Args:
        labels: (n,) of the split.
        groups: (n,): near-duplicates come together, counted for the class of the first of them.
        shares: ascending.
        seed: of the draw.

    Returns:
        The rows of each part, ascending. Each part has an image of every class.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    sizes, classes = np.bincount(member), labels[first]
    order = np.lexsort((np.random.default_rng(seed).permutation(len(first)), classes))
    of_class = np.bincount(classes, weights=sizes)
    before = np.cumsum(sizes[order]) - sizes[order]
    starts = np.concatenate([[0], np.cumsum(of_class)])[classes[order]]
    joins = np.empty(len(first))
    joins[order] = (before - starts) / of_class[classes[order]]
    soonest = np.ones(labels.max() + 1)
    np.minimum.at(soonest, labels, joins[member])
    for label in np.flatnonzero((soonest > 0) & (soonest < 1)):  # its images are in groups that count for others
        joins[member[labels == label][0]] = 0
    return [np.flatnonzero(joins[member] < share) for share in shares]


def _copies(schedule: Schedule) -> int:
    return max(phase.augmented_copies or 1 for phase in schedule.phases)


def _write_part(split: Split, rows: NDArray[np.int64], processed: Path, folder: Path) -> None:
    """Write some of the training images as a dataset of their own, with the same validation split and classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("validation", "classes.json"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to((processed / name).absolute())
    ids = np.asarray(split.ids[rows]).tolist()
    with SplitWriter(folder / "train", split.images.shape[1:], ids, boxes=split.boxes is not None) as writer:
        for row in rows.tolist():
            box = () if split.boxes is None else split.boxes[row].tolist()
            writer.write(np.array(split.images[row]), int(split.labels[row]), box)
    forget(split.images)
