"""The phases of a schedule, one `fit` after the other."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from podium import zoo
from podium.arrays import Split, load_classes, open_split
from podium.config.tables import Model, Phase, Schedule
from podium.errors import PodiumError
from podium.models import once
from podium.training.batches import endless
from podium.training.checkpoint import Checkpoint, Keeper, place
from podium.training.features import cached_features, can_cache, feature_batches, features_once, split_at_base
from podium.training.fingerprint import fingerprint
from podium.training.history import History
from podium.zoo.parts import set_trainable

logger = logging.getLogger(__name__)

_LOSSES = {"label": "sparse_categorical_crossentropy", "box": "mean_squared_error"}


def train(
    model: Model, schedule: Schedule, processed: Path, history: Path, checkpoint: Path, features: Path | None = None
) -> keras.Model:
    """Train a model through the phases of its schedule.

    On a CPU the same arguments give the same weights, bit for bit; also where a training was killed, however often,
    and this one goes on from its checkpoint.

    Args:
        model: what to build.
        schedule: how to train it.
        processed: the dataset's arrays; the train split moves weights, the validation split is only looked at.
        history: the CSV file to grow by a row per epoch.
        checkpoint: the file to keep the training's state in. It is for the caller to remove it, once the model is safe.
        features: the folder of the feature cache; None: a base looks at every picture again and again.

    Returns:
        The trained model.

    Raises:
        PodiumError: the schedule does not fit the dataset or the model, a class has no pictures, weights are missing,
            the memory is too small, or the training diverged.
        TryAgain: another process makes the features that this one needs.
    """
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    boxes, classes = _boxes_to_learn(train_split, schedule), load_classes(processed)
    _require_pictures(train_split, classes)
    targets = {"label": len(classes)} | ({"box": 4} if boxes else {})
    network = zoo.build(model, train_split.images.shape[1:], targets)
    steps = schedule.steps_per_epoch or math.ceil(len(train_split) / schedule.batch_size)
    epochs = sum(phase.epochs for phase in schedule.phases)

    kept = Checkpoint(checkpoint, fingerprint(model, schedule, processed))
    state = kept.read()
    if state.batch:
        logger.info("goes on after %s", place(state.batch, steps, epochs))
        state.put("model", network.variables)
    writer = History(history, epochs, boxes=boxes, rows=state.rows)
    keeper = Keeper(kept, state, writer, network, steps, epochs)

    end = 0
    for phase in schedule.phases:
        begin, end = end, end + phase.epochs * steps
        set_trainable(network, phase.trainable, phase.unfreeze)
        if state.batch >= end:
            continue
        learner, shown, held = network, partial(endless, train_split, schedule), partial(once, validation)
        if features and can_cache(network, phase, schedule, len(train_split), len(validation)):
            front, learner = split_at_base(network)
            logger.info("phase %s learns from features; %s keeps them", phase.name, features)
            seen, held_seen = (cached_features(front, processed / name, features) for name in ("train", "validation"))
            shown = partial(feature_batches, seen, train_split, schedule)
            held = partial(features_once, held_seen, validation)
        learner.compile(
            optimizer=_optimizer(phase, steps),
            loss={name: _LOSSES[name] for name in targets},
            loss_weights=_weigh(schedule.box_weight),
            metrics={"label": ["accuracy"]},
        )
        if state.batch > begin:
            learner.optimizer.build(learner.trainable_variables)
            state.put("optimizer", learner.optimizer.variables)
        writer.phase = phase.name
        now = max(state.batch, begin)
        whole, cut = divmod(end - now, steps)
        if cut:  # a kill came within an epoch: first what it lacks
            learner.evaluate(held(), steps=1, verbose=0)  # makes the metrics, for their sums to come back
        for first, length, count in ((now, cut, 1), (now + cut, steps, whole)):
            if length and count:
                with _memory_for(schedule.batch_size):
                    learner.fit(
                        shown(first),
                        steps_per_epoch=length,
                        epochs=count,
                        validation_data=held(),
                        callbacks=[writer, keeper],
                        shuffle=False,  # the batches are shuffled already
                        verbose=0,
                    )
    return network


def _require_pictures(split: Split, classes: list[str]) -> None:
    """Refuse a class that the model could not learn."""
    counts = np.bincount(split.labels, minlength=len(classes))
    if lacking := [name for name, count in zip(classes, counts, strict=True) if not count]:
        raise PodiumError(
            f"The train split has no picture of {len(lacking)} of the {len(classes)} classes: {', '.join(lacking)}. "
            "Take them out of the dataset's classes in params.yaml, or choose a split that leaves some of each in it."
        )


@contextmanager
def _memory_for(batch_size: int) -> Iterator[None]:
    """Say what to do where a batch is too much for the memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        less = f"Set the schedule's batch_size in params.yaml to {batch_size // 2}"
        raise PodiumError(
            f"The memory cannot hold a training on batches of {batch_size}. "
            f"{less if batch_size > 1 else 'Choose smaller pictures or a smaller model in params.yaml'}, and try again."
        ) from error


def _boxes_to_learn(split: Split, schedule: Schedule) -> bool:
    """Say whether there are boxes, and hold the schedule against it."""
    boxes = split.boxes is not None
    if boxes and schedule.box_weight is None:
        raise PodiumError(
            "The dataset's target is label_and_box, but the schedule does not say how much the box counts. Set the "
            "schedule's box_weight in params.yaml to the box's share of the loss: 0.2, for example."
        )
    if not boxes and schedule.box_weight is not None:
        raise PodiumError(
            f"The schedule has box_weight: {schedule.box_weight}, but the dataset's target is the label alone. Set the "
            "schedule's box_weight in params.yaml to null, or the dataset's target to label_and_box."
        )
    return boxes


def _weigh(box: float | None) -> dict[str, float] | None:
    return None if box is None else {"label": 1 - box, "box": box}


def _optimizer(phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    rate = _learning_rate(phase, steps)
    match phase.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate)
        case "adamw":
            return keras.optimizers.AdamW(rate)
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=phase.momentum or 0.0)


def _learning_rate(phase: Phase, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if phase.decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(phase.learning_rate, decay_steps=phase.epochs * steps)
    if phase.decay_factor is not None and phase.decay_every is not None:
        return keras.optimizers.schedules.ExponentialDecay(
            phase.learning_rate, decay_steps=phase.decay_every * steps, decay_rate=phase.decay_factor, staircase=True
        )
    return phase.learning_rate
