"""Schedules of `params.yaml`: training phases, one after the other."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Fraction, Positive, Seed


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """How far a training image may be moved and its light changed, each time it is shown."""

    rotate: Annotated[float, Field(ge=0, le=180)]
    """Degrees, either way."""
    shift: Annotated[float, Field(ge=0, lt=1)]
    """Share of the width and of the height, either way."""
    zoom: Annotated[float, Field(ge=0, lt=1)]
    """Share of the size, in or out."""
    shear: Annotated[float, Field(ge=0, le=60)] | None = None
    """Degrees by which upright lines may lean, either way."""
    perspective: Annotated[float, Field(ge=0, lt=0.25)] | None = None
    """Share of the width and of the height by which each corner may move on its own, either way."""
    flip: Literal["horizontal", "forced"] | None = None
    """Mirror every other image, left and right. `forced`: even where the classes look like letters or digits."""
    brightness: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of full light that is added or taken."""
    contrast: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share by which the distance from middle gray grows or shrinks."""


def _name_or_count(unfreeze: object) -> object:
    if (isinstance(unfreeze, str) and unfreeze) or (type(unfreeze) is int and unfreeze >= 1):
        return unfreeze
    raise ValueError(f"{unfreeze!r} is neither the beginning of a layer's name nor a number of layers, 1 or more")


@dataclass(frozen=True, config=STRICT)
class Phase:
    """One `fit`: which weights may move, for how long, by which optimizer."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    trainable: Literal["all", "head", "top"]
    """`head` keeps a pretrained base as it is; `top` all but its upper end, which `unfreeze` says."""
    epochs: Positive
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    decay: Literal["constant", "cosine", "step", "plateau"]
    """Over the phase: `constant`; down to zero along half a cosine wave; by `decay_factor` every `decay_every` epochs
    (`step`), or whenever so many brought no lower validation loss (`plateau`)."""
    decay_factor: Fraction | None = None
    """With `step` and `plateau`: what the learning rate is multiplied by."""
    decay_every: Positive | None = None
    """With `step` and `plateau`: after how many epochs."""
    warmup: Positive | None = None
    """With `cosine`, if wanted: epochs over which the learning rate first rises from zero."""
    momentum: Fraction | None = None
    """With `sgd`, if wanted."""
    unfreeze: Annotated[str | int, BeforeValidator(_name_or_count)] | None = None
    """With `top`: how the name of the base's first layer that may move begins, or how many of its last may move."""
    augmented_copies: Positive | None = None
    """With `head` and augmentation, if wanted: the base looks at so many moved copies of each image and no others."""
    keep_best: Literal["validation_loss", "validation_accuracy"] | None = None
    """End with the weights of the epoch that was best by this figure, not with the last one's."""
    patience: Positive | None = None
    """With `keep_best`, if wanted: the phase is over when so many epochs in a row were no better than the best."""

    def __post_init__(self) -> None:
        """Have what belongs to one choice only where that choice was made."""
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
            raise ValueError(f"copies belong to trainable: head; with {self.trainable} the base learns from every look")
        if self.patience is not None and self.keep_best is None:
            raise ValueError("patience needs keep_best: what says that an epoch was better")
        if (self.trainable == "top") != (self.unfreeze is not None):
            raise ValueError("unfreeze belongs to trainable: top; it needs it, others do without")


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
    """Batches that make an epoch; null: as many as show every training image once."""
    augmentation: Augmentation | None
    box_weight: Fraction | None
    """The box's share of the loss, the label has the rest; null where the dataset's target is the label alone."""
    phases: Annotated[list[Phase], Field(min_length=1), AfterValidator(_phases)]
    class_weights: Literal["balanced"] | None = None
    """`balanced`: an image counts the more, the fewer images its class has."""
    label_smoothing: Fraction | None = None
    """Share of each label that is spread evenly over all classes (C. Szegedy et al., 2015, arXiv:1512.00567)."""
    precision: Literal["bfloat16"] | None = None
    """What layers compute in while weights stay float32, where the processor is faster with it."""
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """No epoch begins later than so long after the first. The only key that makes a result depend on the machine."""
    repeats: Annotated[int, Field(ge=2, le=100)] | None = None
    """Train so many times, with `seed` and the numbers after it, and say how much of the result is luck."""

    def __post_init__(self) -> None:
        """Have copies only of what is moved."""
        if self.augmentation is None and any(phase.augmented_copies for phase in self.phases):
            raise ValueError("a phase takes copies, but nothing moves them apart; name an augmentation, or no copies")

    @property
    def seeds(self) -> list[int]:
        """Of its trainings: one, or as many as `repeats` says."""
        return [*range(self.seed, self.seed + (self.repeats or 1))]

    @property
    def epochs(self) -> int:
        """Of all phases together, at most."""
        return sum(phase.epochs for phase in self.phases)
