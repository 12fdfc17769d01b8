"""The three tables of `params.yaml` (datasets, schedules, candidates) and what stands in them.

A table entry is a frozen dataclass; pydantic checks types and ranges when it is made, and refuses a key
that it does not know. Where an entry has kinds (a source, a format, a split, a model), the key `kind`
picks the dataclass, and each kind has one module of the same name in its room.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", strict=True)

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A dataset's, schedule's or candidate's name: lower-case words joined by hyphens."""

Positive = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


# sources ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class SklearnSource:
    """A dataset that scikit-learn ships: no network, no account."""

    kind: Literal["sklearn"]
    name: Literal["digits"]


@dataclass(frozen=True, config=STRICT)
class ArchiveSource:
    """A zip or a folder on this disk, laid out as Kaggle delivers it."""

    kind: Literal["archive"]
    path: Annotated[str, Field(min_length=1)]
    """The zip or folder: absolute, or relative to the project's root. `~` is the home folder."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The zip's digest, if only this very file will do."""


Source = Annotated[SklearnSource | ArchiveSource, Field(discriminator="kind")]


# formats ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class DigitsFormat:
    """scikit-learn's digits: 8 × 8 pixels of 0–16."""

    kind: Literal["digits"]


@dataclass(frozen=True, config=STRICT)
class PixelCsvFormat:
    """CSV tables with one picture a row: a label column, then the pixels of a square gray picture."""

    kind: Literal["pixel_csv"]
    files: Annotated[dict[Literal["train", "validation", "test"], str], Field(min_length=1)]
    """The table of each part that the archive has, by its place in the archive."""
    label_column: str


Format = Annotated[DigitsFormat | PixelCsvFormat, Field(discriminator="kind")]


# splits -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class StratifiedSplit:
    """A split that we make: a seeded draw that keeps every class's share."""

    kind: Literal["stratified"]
    validation: Fraction
    test: Fraction
    seed: Seed

    def __post_init__(self) -> None:
        """Leave something to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together take all pictures; leave some to train on")


@dataclass(frozen=True, config=STRICT)
class ArchiveSplit:
    """The archive's own train and test; validation is the first `count` pictures of one of them."""

    kind: Literal["archive"]
    validation_from: Literal["train", "test"]
    count: Positive


Split = Annotated[StratifiedSplit | ArchiveSplit, Field(discriminator="kind")]


# datasets -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class Image:
    """The size that every picture of the arrays has, in pixels."""

    height: Positive
    width: Positive
    channels: Literal[1, 3]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True, config=STRICT)
class Thresholds:
    """When the validation of a dataset fails (critical) or warns."""

    minimum_per_class: Positive
    """Critical: pictures that each class needs at least, in each part that the archive has."""
    maximum_imbalance: Annotated[float, Field(ge=1)]
    """Warning: the largest class may hold this many times the pictures of the smallest."""


def _distinct(classes: dict[str, str]) -> dict[str, str]:
    if len(set(classes.values())) < len(classes):
        raise ValueError("two labels have the same class name; give each its own")
    return classes


@dataclass(frozen=True, config=STRICT)
class Dataset:
    """A named set of pictures: where it comes from, how it is laid out, what is to be predicted."""

    source: Source
    format: Format
    target: Literal["label"]
    classes: Annotated[dict[str, str], Field(min_length=2), AfterValidator(_distinct)]
    """The label as the archive writes it, and the name that people read, in the model's output order."""
    image: Image
    split: Split
    validation: Thresholds


# schedules ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """How far a training picture may be moved, each time it is shown."""

    rotate: Annotated[float, Field(ge=0, le=180)]
    """Degrees, either way."""
    shift: Annotated[float, Field(ge=0, lt=1)]
    """Share of the width and of the height, either way."""
    zoom: Annotated[float, Field(ge=0, lt=1)]
    """Share of the size, in or out."""


@dataclass(frozen=True, config=STRICT)
class Phase:
    """One `fit`: which weights may move, for how long, by which optimizer."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    trainable: Literal["all", "head"]
    """`head` keeps a pretrained base as it is."""
    epochs: Positive
    optimizer: Literal["adam", "adamw", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    decay: Literal["constant", "cosine"]
    """Over the phase: `constant`, or down to zero along half a cosine wave."""


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
    """Batches that make an epoch; null: as many as show every training picture once."""
    augmentation: Augmentation | None
    phases: Annotated[list[Phase], Field(min_length=1), AfterValidator(_phases)]


# models -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class DenseModel:
    """Fully connected layers on the pixels."""

    kind: Literal["dense"]
    units: list[Positive]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class CnnModel:
    """Blocks of two 3 × 3 convolutions with batch normalisation, each block half the size of the last."""

    kind: Literal["cnn"]
    filters: Annotated[list[Positive], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class MobilenetModel:
    """MobileNet v1 without its top, global average pooling, and dense layers of ours."""

    kind: Literal["mobilenet"]
    size: Annotated[int, Field(ge=32)]
    """Pictures are resized to this height and width inside the model."""
    interpolation: Literal["bilinear", "bicubic"]
    units: list[Positive]
    scaling: Literal["imagenet", "unit"]
    """What the base is fed: −1..1 as it was trained with, or 0..1."""
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""


Model = Annotated[DenseModel | CnnModel | MobilenetModel, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class Candidate:
    """A dataset, a model and a schedule: what `train` builds, and what competes to be champion."""

    dataset: str
    model: Model
    schedule: str
