"""The optimizers of a schedule's phases."""

import keras

from podium.config.schedules import Phase


def make_optimizer(phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    """Make the optimizer that a phase asks for, with a learning rate that falls as it says.

    Args:
        phase: one of a schedule's.
        steps: batches in each of its epochs.
    """
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
        warmup = phase.warmup or 0
        return keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else phase.learning_rate,
            decay_steps=(phase.epochs - warmup) * steps,
            warmup_target=phase.learning_rate if warmup else None,
            warmup_steps=warmup * steps,
        )
    if phase.decay == "step" and phase.decay_factor is not None and phase.decay_every is not None:
        return keras.optimizers.schedules.ExponentialDecay(
            phase.learning_rate, decay_steps=phase.decay_every * steps, decay_rate=phase.decay_factor, staircase=True
        )
    return phase.learning_rate
