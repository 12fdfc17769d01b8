"""The three tables of `params.yaml` (datasets, schedules, candidates) and what stands in them.

A table entry is a frozen dataclass; pydantic checks types and ranges when it is made, and refuses a key
that it does not know. Where an entry has kinds (a source, a format, a split, a model), the key `kind`
picks the dataclass, and each kind has one module of the same name in its room.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.limits import STRICT, Positive, Validation

Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A dataset's, schedule's or candidate's name: lower-case words joined by hyphens."""

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


@dataclass(frozen=True, config=STRICT)
class KaggleSource:
    """A dataset or the files of a competition on kaggle.com: give one of the two."""

    kind: Literal["kaggle"]
    dataset: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$")] | None = None
    """`owner/slug`, as in the page's address."""
    competition: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    """The slug, as in the page's address."""
    version: Positive | None = None
    """The dataset's version, if not the newest. Competitions have none."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The archive's digest, if only this very file will do."""

    def __post_init__(self) -> None:
        """Know what to ask for."""
        if (self.dataset is None) == (self.competition is None):
            raise ValueError("a Kaggle source names either a dataset (owner/slug) or a competition (slug)")
        if self.competition is not None and self.version is not None:
            raise ValueError("a competition has no versions; take 'version' out")


Source = Annotated[SklearnSource | ArchiveSource | KaggleSource, Field(discriminator="kind")]


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


Part = Literal["train", "validation", "test", "unlabelled"]
"""What a folder of an archive is for. Pictures without labels are looked at and then left aside."""

Folders = Annotated[dict[Part, str], Field(min_length=1)]
"""The folder of each part that the archive has; `.` is the whole archive, `train.zip/train` is inside a zip in it."""


@dataclass(frozen=True, config=STRICT)
class ImageFolderFormat:
    """Picture files in one folder a class."""

    kind: Literal["image_folder"]
    folders: Folders


@dataclass(frozen=True, config=STRICT)
class LabelledNamesFormat:
    """Picture files whose names begin with their class: `cat.0.jpg`."""

    kind: Literal["labelled_names"]
    folders: Folders
    separator: Annotated[str, Field(min_length=1)]
    """What ends the class in a file's name."""


@dataclass(frozen=True, config=STRICT)
class CsvIndexFormat:
    """Picture files, and CSV tables with the path and the label of each."""

    kind: Literal["csv_index"]
    tables: Folders
    """The table of each part that the archive has."""
    path_column: str
    label_column: str
    folder: str
    """What the tables' paths are relative to, in the archive; `.` is the whole archive."""
    suffix: str
    """What the tables' paths lack at their end, such as `.png`; usually empty."""


@dataclass(frozen=True, config=STRICT)
class DigitStructFormat:
    """Street View House Numbers, whole photographs: picture files, and the box and label of every digit."""

    kind: Literal["digit_struct"]
    folders: Folders
    annotations: Folders
    """The `digitStruct.mat` (or a JSON table) of each part."""
    digits: Literal["one", "first"]
    """`one` leaves pictures with several digits aside; `first` takes every picture's first digit."""

    def __post_init__(self) -> None:
        """Have annotations for every part, and no others."""
        if self.folders.keys() != self.annotations.keys() or "unlabelled" in self.folders:
            raise ValueError("folders and annotations name the same parts, none of them unlabelled")


Format = Annotated[
    DigitsFormat | PixelCsvFormat | ImageFolderFormat | LabelledNamesFormat | CsvIndexFormat | DigitStructFormat,
    Field(discriminator="kind"),
]


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
    """The archive's own train, validation and test."""

    kind: Literal["archive"]


@dataclass(frozen=True, config=STRICT)
class ArchiveFirstSplit:
    """The archive's own train and test; validation is the first `count` pictures of one of them."""

    kind: Literal["archive_first"]
    validation_from: Literal["train", "test"]
    count: Positive


@dataclass(frozen=True, config=STRICT)
class ArchiveDrawnSplit:
    """The archive's own train and test; validation is drawn from train."""

    kind: Literal["archive_drawn"]
    test_from: Literal["test", "validation"]
    """The archive's part that is the test split."""
    validation: Fraction
    """Share of the archive's train."""
    stratify: bool
    """Keep every class's share."""
    seed: Seed


Split = Annotated[StratifiedSplit | ArchiveSplit | ArchiveFirstSplit | ArchiveDrawnSplit, Field(discriminator="kind")]


# datasets -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class Image:
    """The size that every picture of the arrays has, in pixels."""

    height: Positive
    width: Positive
    channels: Literal[1, 3]
    resize: Literal["stretch", "pad", "crop"]
    """How pictures of another shape get there: distorted, whole with black borders, or without what sticks out."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True, config=STRICT)
class Reference:
    """A published result on the dataset, for the reports to show beside ours."""

    model: str
    metric: Literal["accuracy", "macro_f1", "weighted_f1", "box_mse"]
    """As evaluation names it."""
    split: Literal["validation", "test"]
    value: float
    standard_error: Annotated[float, Field(ge=0)] | None
    source: str
    """Where it was published: an address."""


def _distinct(classes: dict[str, str]) -> dict[str, str]:
    if len({name.casefold() for name in classes.values()}) < len(classes):
        raise ValueError("two labels have the same class name (upper and lower case are one); give each its own")
    return classes


@dataclass(frozen=True, config=STRICT)
class Dataset:
    """A named set of pictures: where it comes from, how it is laid out, what is to be predicted."""

    source: Source
    format: Format
    target: Literal["label", "label_and_box"]
    classes: Annotated[dict[str, str], Field(min_length=2), AfterValidator(_distinct)]
    """The label as the archive writes it, and the name that people read, in the model's output order."""
    image: Image
    split: Split
    validation: Validation
    reference: list[Reference]


# schedules ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, config=STRICT)
class Augmentation:
    """How far a training picture may be moved and its light changed, each time it is shown."""

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
    """Mirror every other picture, left and right. `forced`: even where the classes look like letters or digits."""
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
    copies: Positive | None = None
    """With `head` and augmentation, if wanted: the base looks at so many moved copies of each picture and no others."""
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
        if self.copies is not None and self.trainable != "head":
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
    """Batches that make an epoch; null: as many as show every training picture once."""
    augmentation: Augmentation | None
    box_weight: Fraction | None
    """The box's share of the loss, the label has the rest; null where the dataset's target is the label alone."""
    phases: Annotated[list[Phase], Field(min_length=1), AfterValidator(_phases)]
    class_weights: Literal["balanced"] | None = None
    """`balanced`: a picture counts the more, the fewer pictures its class has."""
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
        if self.augmentation is None and any(phase.copies for phase in self.phases):
            raise ValueError("a phase takes copies, but nothing moves them apart; name an augmentation, or no copies")

    @property
    def seeds(self) -> list[int]:
        """Of its trainings: one, or as many as `repeats` says."""
        return [*range(self.seed, self.seed + (self.repeats or 1))]

    @property
    def epochs(self) -> int:
        """Of all phases together, at most."""
        return sum(phase.epochs for phase in self.phases)


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
class PhotoCnnModel:
    """The same after a 5 × 5 convolution with a stride, for photographs."""

    kind: Literal["photo_cnn"]
    filters: Annotated[list[Positive], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class MobilenetModel:
    """MobileNet without its top, global average pooling, and dense layers of ours."""

    kind: Literal["mobilenet"]
    size: Annotated[int, Field(ge=32)]
    """Pictures are resized to this height and width inside the model."""
    interpolation: Literal["bilinear", "bicubic"]
    units: list[Positive]
    scaling: Literal["imagenet", "unit"]
    """What the base is fed: −1..1 as it was trained with, or 0..1."""
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""
    version: Literal[1, 2] | None = None
    """Of MobileNet; 1 if it is not said."""


@dataclass(frozen=True, config=STRICT)
class CnnDropoutModel:
    """Blocks of one 3 × 3 convolution, flattened into dense layers: the network of many tutorials."""

    kind: Literal["cnn_dropout"]
    filters: Annotated[list[Positive], Field(min_length=1)]
    units: list[Positive]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class Cnn4Model:
    """Four blocks of a 3 × 3 convolution with batch normalisation, flattened into a dense layer with dropout."""

    kind: Literal["cnn4"]
    filters: Annotated[list[Positive], Field(min_length=4, max_length=4)]
    units: list[Positive]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class Vgg16Model:
    """VGG16 without its top, flattened into dense layers of ours."""

    kind: Literal["vgg16"]
    size: Annotated[int, Field(ge=32)]
    """Pictures are resized to this height and width inside the model."""
    units: list[Positive]
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""


@dataclass(frozen=True, config=STRICT)
class Resnet18Model:
    """ResNet18 without its top, global average pooling, dropout."""

    kind: Literal["resnet18"]
    size: Annotated[int, Field(ge=32)]
    """Pictures are resized to this height and width inside the model."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    weights: str
    """`random`, or the path of a weights file."""


@dataclass(frozen=True, config=STRICT)
class TwoHeadModel:
    """A base under two branches of dense layers: one for the label, one for the box."""

    kind: Literal["two_head"]
    base: Literal["vgg16", "vgg19", "mobilenet", "mobilenet_v2", "resnet18", "photo_cnn"]
    size: Annotated[int, Field(ge=32)]
    """Pictures are resized to this height and width inside the model."""
    pooling: Literal["flatten", "average"]
    """What the base's features become before the branches."""
    scaling: Literal["imagenet", "unit"]
    """What the base is fed: as it was trained with, or 0..1."""
    label_units: list[Positive]
    box_units: list[Positive]
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""


Model = Annotated[
    DenseModel
    | CnnModel
    | PhotoCnnModel
    | CnnDropoutModel
    | Cnn4Model
    | MobilenetModel
    | Vgg16Model
    | Resnet18Model
    | TwoHeadModel,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class Candidate:
    """A dataset, a model and a schedule: what `train` builds, and what competes to be champion."""

    dataset: str
    model: Model
    schedule: str
