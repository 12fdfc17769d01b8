"""Training a head on features that are known already, again and again, within one compiled graph.

A `fit` takes seconds to begin, and a learning curve has a dozen of them. Here a head is compiled once, its steps are
a loop within TensorFlow, and every training begins with fresh weights.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from podium.config.schedules import Schedule
from podium.training.feature_cache import Features
from podium.training.optimizers import make_optimizer
from podium.training.soft_targets import soft_targets_of

_BLOCK = 1024


class HeadTrainer:
    """Trains a head on some of the training images by a schedule whose phases all train a head.

    What a phase does after looking at the validation split, early stopping and lowering the learning rate on plateaus,
    is left out.
    """

    def __init__(
        self,
        back: keras.Model,
        features: Features,
        targets: dict[str, NDArray[Any]],
        images: int,
        schedule: Schedule,
        most: int,
    ) -> None:
        """Get ready.

        Args:
            back: the head, from features to named outputs; it is copied.
            features: (copies · images, *features) float32, one copy of all images after the other.
            targets: `label` (copies · images,), and `box` (copies · images, 4) if the head has it.
            images: how many there are, of one copy.
            schedule: by which to train.
            most: steps that a training takes at most: longer ones are shortened, with every phase and its decay.
        """
        self._back, self._schedule = keras.models.clone_model(back), schedule
        self._features = tf.constant(np.asarray(features))
        self._targets = {name: tf.constant(values) for name, values in targets.items()}
        soft = soft_targets_of(schedule, targets["label"], back.output["label"].shape[-1])
        self._answers = tf.eye(back.output["label"].shape[-1]) if soft is None else tf.constant(soft)
        steps = schedule.steps_per_epoch or math.ceil(images / schedule.batch_size)
        steps = max(min(steps, most // schedule.epochs), 1)
        self._images, self._steps = images, steps
        self._optimizers = [make_optimizer(phase, steps) for phase in schedule.phases]
        for optimizer in self._optimizers:
            optimizer.build(self._back.trainable_variables)
        self._begin = [[variable.numpy() for variable in one.variables] for one in self._optimizers]
        self._learn = [self._compile(optimizer) for optimizer in self._optimizers]

    def train(self, rows: NDArray[np.int64], seed: int) -> None:
        """Train from fresh weights, as many steps whatever the number of images: less data, not less training.

        Args:
            rows: the images, counted within the first copy. The copies take turns, one a round.
            seed: of the weights, the dropout and the order.
        """
        keras.utils.set_random_seed(seed)
        fresh = keras.models.clone_model(self._back)
        for variable, new in zip(self._back.variables, fresh.variables, strict=True):
            variable.assign(new)
        batches = self._batches(rows, seed)
        for phase, optimizer, begin, learn in zip(
            self._schedule.phases, self._optimizers, self._begin, self._learn, strict=True
        ):
            for variable, first in zip(optimizer.variables, begin, strict=True):
                variable.assign(first)
            learn(tf.constant(np.stack([*itertools.islice(batches, phase.epochs * self._steps)])))

    def predict(self, features: Features) -> NDArray[np.int64]:
        """Say of (n, *features) which class the head takes them for: (n,) int64."""
        blocks = range(0, len(features), _BLOCK)
        answers = [self._back(np.array(features[at : at + _BLOCK]), training=False)["label"].numpy() for at in blocks]
        predicted: NDArray[np.int64] = np.concatenate(answers).argmax(axis=1)
        return predicted

    def _batches(self, rows: NDArray[np.int64], seed: int) -> Iterator[NDArray[np.int64]]:
        """Draw full batches for ever: few images come more than once in a batch."""
        size, copies, waiting = self._schedule.batch_size, len(self._features) // self._images, rows[:0]
        for turn in itertools.count():
            order = np.random.default_rng([seed, turn]).permutation(rows) + turn % copies * self._images
            waiting = np.concatenate([waiting, order])
            while len(waiting) >= size:
                yield waiting[:size]
                waiting = waiting[size:]

    def _compile(self, optimizer: keras.optimizers.Optimizer) -> Callable[[tf.Tensor], None]:
        back, variables = self._back, self._back.trainable_variables
        features, answers, label = self._features, self._answers, self._targets["label"]
        box, weight = self._targets.get("box"), self._schedule.box_weight or 0.0

        @tf.function  # type: ignore[untyped-decorator]
        def learn(batches: tf.Tensor) -> None:
            for rows in batches:
                with tf.GradientTape() as tape:
                    heads = back(tf.gather(features, rows), training=True)
                    wanted = tf.gather(answers, tf.gather(label, rows))
                    loss = tf.reduce_mean(keras.losses.categorical_crossentropy(wanted, heads["label"]))
                    if box is not None:
                        errors = tf.reduce_mean((heads["box"] - tf.gather(box, rows)) ** 2)
                        loss = (1 - weight) * loss + weight * errors
                optimizer.apply(tape.gradient(loss, variables), variables)

        compiled: Callable[[tf.Tensor], None] = learn
        return compiled
