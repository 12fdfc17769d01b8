"""The phases of a schedule, one `fit` after the other."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from podium.config.models import Model
from podium.config.schedules import Phase, Schedule
from podium.datasets.arrays import Split, load_classes, open_split
from podium.errors import PodiumError
from podium.models import zoo
from podium.models.inference import evaluation_dataset
from podium.training.batches import training_dataset
from podium.training.box_losses import giou
from podium.training.checkpoint import Checkpoint
from podium.training.checkpoint_callback import CheckpointCallback
from podium.training.feature_cache import (
    BackboneInputs,
    cached_features,
    can_cache,
    feature_evaluation_dataset,
    feature_training_dataset,
    split_at_backbone,
)
from podium.training.freezing import set_trainable
from podium.training.history import History
from podium.training.optimizers import make_optimizer
from podium.training.phase_control import PhaseControl, describe_progress
from podium.training.soft_targets import SoftTargets, soft_targets_of, with_soft_targets
from podium.training.tensorboard import Board
from podium.training.training_key import training_key

logger = logging.getLogger(__name__)

_BOX_LOSSES = {"squared": "mean_squared_error", "giou": giou}


def train(
    model: Model,
    schedule: Schedule,
    processed: Path,
    history: Path,
    checkpoint: Path,
    features: Path | None = None,
    tensorboard: Path | None = None,
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
        features: the folder of the feature cache; None: a backbone looks at every image again and again.
        tensorboard: the folder to write the history to for TensorBoard, too; None: not at all.

    Returns:
        The trained model.

    Raises:
        PodiumError: the schedule does not fit the dataset or the model, a class has no images, weights are missing,
            the memory is too small, or the training diverged.
        TransientError: another process makes the features that this one needs.
    """
    keras.utils.clear_session()  # layers are named as in a fresh interpreter
    keras.utils.set_random_seed(schedule.seed)
    tf.config.experimental.enable_op_determinism()
    train_split = open_split(processed / "train")
    boxes, classes = _boxes_to_learn(train_split, schedule), load_classes(processed)
    _require_images(train_split, classes)
    targets = {"label": len(classes)} | ({"box": 4} if boxes else {})
    steps = schedule.steps_per_epoch or math.ceil(len(train_split) / schedule.batch_size)
    soft_targets = soft_targets_of(schedule, train_split.labels, len(classes))
    losses = {
        "label": "sparse_categorical_crossentropy" if soft_targets is None else "categorical_crossentropy",
        "box": _BOX_LOSSES[schedule.box_loss or "squared"],
    }
    build = partial(zoo.build, model, train_split.images.shape[1:], targets)

    kept = Checkpoint(checkpoint, training_key(model, schedule, processed))
    state = kept.read()
    with _devices().scope():
        network = _in_precision(schedule, build)
        if state.batch:
            logger.info("resumes after %s", describe_progress(state.batch, steps, schedule.epochs))
            state.put("model", network.variables)
        writer = History(history, schedule.epochs, boxes=boxes, rows=state.rows)
        watchers = [writer] if tensorboard is None else [writer, Board(tensorboard, writer)]
        control = PhaseControl(schedule, steps, writer, state)
        checkpoint_callback = CheckpointCallback(kept, state, control, writer, network)
        for phase in schedule.phases:  # a mistake in a later one is told at once, not after hours
            set_trainable(network, phase.trainable, phase.unfreeze)
        for phase in schedule.phases:
            set_trainable(network, phase.trainable, phase.unfreeze)
            if not control.enter(phase):
                continue
            inputs = _inputs(network, phase, schedule, processed, features)
            if soft_targets is not None:
                inputs = inputs.with_soft_targets(soft_targets, np.eye(len(classes), dtype=np.float32))
            inputs.model.compile(
                optimizer=make_optimizer(phase, steps),
                loss={name: losses[name] for name in targets},
                loss_weights=_weigh(schedule.box_weight),
                metrics={"label": ["accuracy"]},
            )
            _make_variables(inputs.model, inputs.validation().element_spec[1])
            checkpoint_callback.restore(inputs.model)
            while not control.is_over:
                batches, epochs = control.ahead
                with _memory_for(schedule.batch_size):
                    inputs.model.fit(
                        inputs.training(control.batch),
                        steps_per_epoch=batches,
                        epochs=epochs,
                        validation_data=inputs.validation(),
                        callbacks=[*watchers, checkpoint_callback],
                        shuffle=False,  # the batches are shuffled already
                        verbose=0,
                    )
            checkpoint_callback.leave()
    if schedule.precision is None:
        return network
    whole = build()
    whole.set_weights(network.get_weights())
    return whole


class _Inputs(NamedTuple):
    """What learns in a phase, and from what."""

    model: keras.Model
    training: Callable[[int], tf.data.Dataset]
    """Gives the training batches from the nth on, for ever."""
    validation: Callable[[], tf.data.Dataset]
    """Gives the validation split, once."""

    def with_soft_targets(self, training: SoftTargets, validation: SoftTargets) -> "_Inputs":
        """Have the labels replaced by soft targets."""
        return self._replace(
            training=lambda first: with_soft_targets(training, self.training(first)),
            validation=lambda: with_soft_targets(validation, self.validation()),
        )


def _inputs(network: keras.Model, phase: Phase, schedule: Schedule, processed: Path, features: Path | None) -> _Inputs:
    """Let the whole network learn from images, or its head from features, if that is less work."""
    train_split, validation = open_split(processed / "train"), open_split(processed / "validation")
    if not features or not can_cache(network, phase, schedule, len(train_split), len(validation)):
        return _Inputs(
            network, partial(training_dataset, train_split, schedule), partial(evaluation_dataset, validation)
        )
    front, back = split_at_backbone(network)
    logger.info("phase %s learns from features; %s keeps them", phase.name, features)
    train_inputs = BackboneInputs(train_split, schedule, phase.augmented_copies or 1)
    validation_inputs = BackboneInputs(validation)
    train_features = cached_features(front, processed / "train", features, train_inputs)
    validation_features = cached_features(front, processed / "validation", features)
    return _Inputs(
        back,
        partial(feature_training_dataset, train_features, train_inputs, schedule),
        partial(feature_evaluation_dataset, validation_features, validation_inputs),
    )


def _in_precision(schedule: Schedule, build: Callable[[], keras.Model]) -> keras.Model:
    """Build a network whose layers compute in the schedule's precision."""
    if schedule.precision is None:
        return build()
    keras.config.set_dtype_policy(f"mixed_{schedule.precision}")
    try:
        return build()
    finally:
        keras.config.set_dtype_policy("float32")


def _devices() -> tf.distribute.Strategy:
    """Take all GPUs of this machine, if there are several: each learns from its part of every batch."""
    several = len(tf.config.list_logical_devices("GPU")) > 1
    return tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()


def _require_images(split: Split, classes: list[str]) -> None:
    """Refuse a class that the model could not learn."""
    counts = np.bincount(split.labels, minlength=len(classes))
    if lacking := [name for name, count in zip(classes, counts, strict=True) if not count]:
        raise PodiumError(
            f"The train split has no image of {len(lacking)} of the {len(classes)} classes: {', '.join(lacking)}. "
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
            f"{less if batch_size > 1 else 'Choose smaller images or a smaller model in params.yaml'}, and try again."
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


def _make_variables(model: keras.Model, targets: Any) -> None:
    """Make the optimizer's and the metrics' variables now: a step that finds new ones is traced a second time.

    Args:
        model: it is compiled.
        targets: what stands in a batch beside the images, as a TensorFlow spec.
    """
    model.optimizer.build(model.trainable_variables)
    blank = tf.nest.map_structure(lambda one: tf.zeros([1, *one.shape[1:]], one.dtype), (targets, model.output))
    model.compute_loss(None, *blank)  # with several targets, each loss has sums of its own
    model.compute_metrics(None, *blank)
    model.reset_metrics()
