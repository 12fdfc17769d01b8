"""The three tables of `params.yaml` (datasets, schedules, candidates) and their entries.

A table entry is a frozen dataclass; pydantic checks types and ranges when it is made, and refuses a key
that it does not know. Where an entry has kinds (a source, a format, a split, a model), the key `kind`
picks the dataclass, and each kind has a module or package of the same name that does the work.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Fraction, Positive, Seed
from podium.config.limits import Validation


@dataclass(frozen=True, config=STRICT)
class SklearnSource:
    """A dataset that scikit-learn ships: no network, no account."""

    kind: Literal["sklearn"]
    name: Literal["digits"]


@dataclass(frozen=True, config=STRICT)
class ArchiveSource:
    """A zip, tar or folder on this disk, laid out as Kaggle delivers it."""

    kind: Literal["archive"]
    path: Annotated[str, Field(min_length=1)]
    """The zip or folder: absolute, or relative to the project's root. `~` is the home folder."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Digest that the file must have, if given."""


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
    """Digest that the archive must have, if given."""

    def __post_init__(self) -> None:
        """Require exactly one of dataset and competition."""
        if (self.dataset is None) == (self.competition is None):
            raise ValueError("a Kaggle source names either a dataset (owner/slug) or a competition (slug)")
        if self.competition is not None and self.version is not None:
            raise ValueError("a competition has no versions; take 'version' out")


Source = Annotated[SklearnSource | ArchiveSource | KaggleSource, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class DigitsFormat:
    """scikit-learn's digits: 8 × 8 pixels of 0–16."""

    kind: Literal["digits"]


@dataclass(frozen=True, config=STRICT)
class PixelCsvFormat:
    """CSV tables with one image a row: a label column, then the pixels of a square gray image."""

    kind: Literal["pixel_csv"]
    files: Annotated[dict[Literal["train", "validation", "test"], str], Field(min_length=1)]
    """The table of each part that the archive has, by its place in the archive."""
    label_column: str


Part = Literal["train", "validation", "test", "unlabelled"]
"""A part of an archive. Images of `unlabelled` are validated and not used."""

Folders = Annotated[dict[Part, str], Field(min_length=1)]
"""The folder of each part that the archive has; `.` is the whole archive, `train.zip/train` is inside a zip in it."""


@dataclass(frozen=True, config=STRICT)
class ImageFolderFormat:
    """Image files in one folder a class."""

    kind: Literal["image_folder"]
    folders: Folders


@dataclass(frozen=True, config=STRICT)
class LabelledNamesFormat:
    """Image files whose names begin with their class: `cat.0.jpg`."""

    kind: Literal["labelled_names"]
    folders: Folders
    separator: Annotated[str, Field(min_length=1)]
    """The text after the class in a file's name."""


@dataclass(frozen=True, config=STRICT)
class CsvIndexFormat:
    """Image files, and CSV tables with the path and the label of each."""

    kind: Literal["csv_index"]
    tables: Folders
    """The table of each part that the archive has."""
    path_column: str
    label_column: str
    folder: str
    """What the tables' paths are relative to, in the archive; `.` is the whole archive."""
    suffix: str
    """Text to add at the end of the tables' paths, such as `.png`; usually empty."""


@dataclass(frozen=True, config=STRICT)
class DigitStructFormat:
    """Street View House Numbers, whole photographs: image files, and the box and label of every digit."""

    kind: Literal["digit_struct"]
    folders: Folders
    annotations: Folders
    """The `digitStruct.mat` (or a JSON table) of each part."""
    digits: Literal["one", "first"]
    """`one` leaves out images with several digits; `first` takes every image's first digit."""

    def __post_init__(self) -> None:
        """Require annotations for every part, and for no others."""
        if self.folders.keys() != self.annotations.keys() or "unlabelled" in self.folders:
            raise ValueError("folders and annotations name the same parts, none of them unlabelled")


Format = Annotated[
    DigitsFormat | PixelCsvFormat | ImageFolderFormat | LabelledNamesFormat | CsvIndexFormat | DigitStructFormat,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class StratifiedSplit:
    """A split that podium draws from all images: seeded, stratified by class."""

    kind: Literal["stratified"]
    validation: Fraction
    test: Fraction
    seed: Seed

    def __post_init__(self) -> None:
        """Require a share of images to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together take all images; leave some to train on")


@dataclass(frozen=True, config=STRICT)
class ArchiveSplit:
    """The archive's own train, validation and test."""

    kind: Literal["archive"]


@dataclass(frozen=True, config=STRICT)
class ArchiveFirstSplit:
    """The archive's own train and test; validation is the first `count` images of one of them."""

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


@dataclass(frozen=True, config=STRICT)
class HashedSplit:
    """A sticky split of all images by their content: what is added or removed moves no other image."""

    kind: Literal["hashed"]
    validation: Fraction
    """Share of all images, by expectation."""
    test: Fraction
    """The same."""
    seed: Seed

    def __post_init__(self) -> None:
        """Require a share of images to train on."""
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together take all images; leave some to train on")


@dataclass(frozen=True, config=STRICT)
class ArchiveHashedSplit:
    """The archive's own train and test; validation is a sticky split of train, by content."""

    kind: Literal["archive_hashed"]
    test_from: Literal["test", "validation"]
    """The archive's part that is the test split."""
    validation: Fraction
    """Share of the archive's train, by expectation."""
    seed: Seed


Split = Annotated[
    HashedSplit | ArchiveHashedSplit | StratifiedSplit | ArchiveSplit | ArchiveFirstSplit | ArchiveDrawnSplit,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, config=STRICT)
class Image:
    """The size that every image of the arrays has, in pixels."""

    height: Positive
    width: Positive
    channels: Literal[1, 3]
    resize: Literal["stretch", "pad", "crop"]
    """How images of another shape are resized: distorted, whole with black borders, or the middle."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True, config=STRICT)
class Reference:
    """A published result on the dataset, to compare with in the reports."""

    model: str
    metric: Literal["accuracy", "macro_f1", "weighted_f1", "box_mse"]
    """Its name in metrics.json."""
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
    """A named set of images: where it comes from, how it is laid out, what is to be predicted."""

    source: Source
    format: Format
    target: Literal["label", "label_and_box"]
    classes: Annotated[dict[str, str], Field(min_length=2), AfterValidator(_distinct)]
    """The label in the archive: the class name in reports; in the order of the model's output."""
    image: Image
    split: Split
    validation: Validation
    reference: list[Reference]
