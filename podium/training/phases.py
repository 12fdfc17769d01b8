"""The phases of a schedule, one `fit` after the other."""

import math
from pathlib import Path

import keras
import tensorflow as tf

from podium import zoo
from podium.arrays import Split, load_classes, open_split
from podium.config.tables import Model, Phase, Schedule
from podium.errors import PodiumError
from podium.models import once
from podium.training.batches import endless
from podium.training.history import History
from podium.zoo.parts import set_trainable

_LOSSES = {"label": "sparse_categorical_crossentropy", "box": "mean_squared_error"}


def train(model: Model, schedule: Schedule, processed: Path, history: Path) -> keras.Model:
    """Train a model through the phases of its schedule.

    On a CPU the same arguments give the same weights, bit for bit.

    Args:
        model: what to build.
        schedule: how to train it.
        processed: the dataset's arrays; the train split moves weights, the validation split is only looked at.
        history: the CSV file to grow by a row per epoch.

    Returns:
        The trained model.

    Raises:
        PodiumError: the schedule does not fit the dataset or the model, weights are missing, or the training
            diverged.
    """
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    boxes = _boxes_to_learn(train_split, schedule)
    targets = {"label": len(load_classes(processed))} | ({"box": 4} if boxes else {})
    network = zoo.build(model, train_split.images.shape[1:], targets)
    steps = schedule.steps_per_epoch or math.ceil(len(train_split) / schedule.batch_size)
    writer = History(history, sum(phase.epochs for phase in schedule.phases), boxes=boxes)
    batch = 0
    for phase in schedule.phases:
        writer.phase = phase.name
        set_trainable(network, phase.trainable)
        network.compile(
            optimizer=_optimizer(phase, steps),
            loss={name: _LOSSES[name] for name in targets},
            loss_weights=_weigh(schedule.box_weight),
            metrics={"label": ["accuracy"]},
        )
        network.fit(
            endless(train_split, schedule, batch),
            steps_per_epoch=steps,
            epochs=phase.epochs,
            validation_data=once(validation),
            callbacks=[writer],
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
        batch += phase.epochs * steps
    return network


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
