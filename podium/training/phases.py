"""The phases of a schedule, one `fit` after the other."""

import math
from pathlib import Path

import keras
import tensorflow as tf

from podium import zoo
from podium.arrays import load_classes, open_split
from podium.config.tables import Model, Phase, Schedule
from podium.models import once
from podium.training.batches import endless
from podium.training.history import History
from podium.zoo.parts import set_trainable

_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
}


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
        PodiumError: the schedule does not fit the model, weights are missing, or the training diverged.
    """
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    network = zoo.build(model, train_split.images.shape[1:], {"label": len(load_classes(processed))})
    steps = schedule.steps_per_epoch or math.ceil(len(train_split) / schedule.batch_size)
    writer = History(history, sum(phase.epochs for phase in schedule.phases))
    batch = 0
    for phase in schedule.phases:
        writer.phase = phase.name
        set_trainable(network, phase.trainable)
        network.compile(
            optimizer=_OPTIMIZERS[phase.optimizer](_learning_rate(phase, steps)),
            loss={"label": "sparse_categorical_crossentropy"},
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


def _learning_rate(phase: Phase, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if phase.decay == "cosine":
        return keras.optimizers.schedules.CosineDecay(phase.learning_rate, decay_steps=phase.epochs * steps)
    return phase.learning_rate
