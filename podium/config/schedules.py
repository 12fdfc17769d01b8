"""Schedules of `params.yaml`: training phases, one after the other."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Fraction, Positive, Seed


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """Random changes of a training image, drawn anew in each epoch."""

    rotate: Annotated[float, Field(ge=0, le=180)]
    """Degrees, either way."""
    shift: Annotated[float, Field(ge=0, lt=1)]
    """Share of the width and of the height, either way."""
    zoom: Annotated[float, Field(ge=0, lt=1)]
    """Share of the size, in or out."""
    shear: Annotated[float, Field(ge=0, le=60)] | None = None
    """Degrees by which vertical lines may lean, either way."""
    perspective: Annotated[float, Field(ge=0, lt=0.25)] | None = None
    """Share of the width and of the height by which each corner may move on its own, either way."""
    flip: Literal["horizontal", "forced"] | None = None
    """Flip half of the images horizontally. `forced`: also where the flip guard refuses, as for letters and digits."""
    brightness: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the full range (255) that is added or subtracted."""
    contrast: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share by which distances from middle gray grow or shrink."""
    shrink: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the size that an image may lose, beside `zoom`: things in it look farther away."""
    stretch: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share by which the width alone grows or shrinks."""
    invert: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of the images that become their own negatives: dark on light for light on dark."""
    colour: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share by which brightness and contrast of each channel change on their own."""
    cutout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the width and of the height of a part, anywhere, that is filled with the image's mean colour
    (T. DeVries and G. W. Taylor, 2017, arXiv:1708.04552)."""


def _name_or_count(unfreeze: object) -> object:
    if (isinstance(unfreeze, str) and unfreeze) or (type(unfreeze) is int and unfreeze >= 1):
        return unfreeze
    raise ValueError(f"{unfreeze!r} is neither the beginning of a layer's name nor a number of layers, 1 or more")


@dataclass(frozen=True, config=STRICT)
class Phase:
    """One `fit`: which weights are trained, for how many epochs, with which optimizer."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    trainable: Literal["all", "head", "top"]
    """`head` freezes the pretrained backbone; `top` freezes all of it but its last layers, which `unfreeze` names."""
    epochs: Positive
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    decay: Literal["constant", "cosine", "step", "plateau"]
    """Over the phase: `constant`; down to zero along half a cosine wave; by `decay_factor` every `decay_every` epochs
    (`step`), or whenever that many epochs brought no lower validation loss (`plateau`)."""
    decay_factor: Fraction | None = None
    """With `step` and `plateau`: what the learning rate is multiplied by."""
    decay_every: Positive | None = None
    """With `step` and `plateau`: after how many epochs."""
    warmup: Positive | None = None
    """With `cosine`, optional: epochs over which the learning rate first rises from zero."""
    momentum: Fraction | None = None
    """With `sgd`, optional."""
    unfreeze: Annotated[str | int, BeforeValidator(_name_or_count)] | None = None
    """With `top`: the beginning of the name of the backbone's first trained layer, or the number of trained layers."""
    augmented_copies: Positive | None = None
    """With `head` and augmentation, optional: backbone features are computed once, for this many augmented copies."""
    keep_best: Literal["validation_loss", "validation_accuracy"] | None = None
    """End with the weights of the epoch that was best by this metric, not with the last epoch's."""
    patience: Positive | None = None
    """With `keep_best`, optional: early stopping after this many epochs in a row without improvement."""

    def __post_init__(self) -> None:
        """Refuse keys that belong to another choice."""
        if self.momentum is not None and self.optimizer != "sgd":
            raise ValueError(f"momentum belongs to optimizer: sgd; {self.optimizer} has its own")
        steps = self.decay in ("step", "plateau")
        if steps != (self.decay_factor is not None) or steps != (self.decay_every is not None):
            raise ValueError(
                "decay_factor and decay_every belong to decay: step and decay: plateau; these need both, others neither"
            )
        if self.warmup is not None and self.decay != "cosine":
            raise ValueError(f"warmup belongs to decay: cosine; decay: {self.decay} begins at its learning rate")
        if self.warmup is not None and self.warmup >= self.epochs:
            raise ValueError(f"warmup takes {self.warmup} of {self.epochs} epochs; leave some to train in")
        if self.augmented_copies is not None and self.trainable != "head":
            raise ValueError(
                f"augmented_copies belong to trainable: head; {self.trainable} trains layers of the backbone"
            )
        if self.patience is not None and self.keep_best is None:
            raise ValueError("patience needs keep_best, the metric that decides which epoch is better")
        if (self.trainable == "top") != (self.unfreeze is not None):
            raise ValueError("unfreeze belongs to trainable: top, which needs it; the others have none")


def _phases(phases: list[Phase]) -> list[Phase]:
    names = [phase.name for phase in phases]
    if len(set(names)) < len(names):
        raise ValueError("two phases have the same name; give each its own")
    return phases


@dataclass(frozen=True, config=STRICT)
class Schedule:
    """A named list of training phases, and what they share."""

    seed: Seed
    batch_size: Positive
    steps_per_epoch: Positive | None
    """Batches in an epoch; null: as many as contain every training image once."""
    augmentation: Augmentation | None
    box_weight: Fraction | None
    """The box's share of the loss, the label has the rest; null where the dataset's target is the label alone."""
    phases: Annotated[list[Phase], Field(min_length=1), AfterValidator(_phases)]
    box_loss: Literal["squared", "giou"] | None = None
    """What is asked of the box: `squared` errors of its edges (also by default), or a large overlap (`giou`)."""
    class_weights: Literal["balanced"] | None = None
    """`balanced`: images of small classes get larger weights."""
    label_smoothing: Fraction | None = None
    """Share of each label that is spread evenly over all classes (C. Szegedy et al., 2015, arXiv:1512.00567)."""
    precision: Literal["bfloat16"] | None = None
    """Mixed precision: layers compute in bfloat16, weights stay float32."""
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Time budget: no epoch starts later than this after the first. Makes the result depend on the machine."""
    repeats: Annotated[int, Field(ge=2, le=100)] | None = None
    """Train this many times, with `seed` and the numbers after it, and report the seed variance."""

    def __post_init__(self) -> None:
        """Refuse augmented copies without augmentation."""
        if self.augmentation is None and any(phase.augmented_copies for phase in self.phases):
            raise ValueError(
                "augmented_copies need an augmentation, and augmentation is null; give one, or take the copies out"
            )

    @property
    def seeds(self) -> list[int]:
        """The seed of each training: one, or as many as `repeats`."""
        return [*range(self.seed, self.seed + (self.repeats or 1))]

    @property
    def epochs(self) -> int:
        """Epochs of all phases together, at most."""
        return sum(phase.epochs for phase in self.phases)
