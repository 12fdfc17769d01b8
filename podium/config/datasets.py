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
    """A zip, tar, 7z or folder on this disk, laid out as Kaggle delivers it."""

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


Part = Literal["train", "validation", "test", "unlabelled"]
"""A part of an archive. Images of `unlabelled` are validated and not used."""

Column = str | Positive
"""A column of a table by its name, or, in a table without a header, by its place: 1 is the first."""


Separator = Literal[",", ";", "\t"]
"""What stands between the cells of a table."""


@dataclass(frozen=True, config=STRICT)
class PixelCsvFormat:
    """CSV tables with one image a row: a label, and the image's pixels, row by row, each a whole number of 0-255."""

    kind: Literal["pixel_csv"]
    files: Annotated[dict[Part, str], Field(min_length=1)]
    """The table of each part that the archive has, by its place in the archive."""
    label_column: Column
    header: Literal[False] | None = None
    """`false`: the first line is an image already."""
    separator: Separator | None = None
    """What stands between cells; a comma if not given."""
    other_columns: list[Column] | None = None
    """Columns that are neither pixels, label nor split."""
    pixels_column: Column | None = None
    """The column with all pixels of an image, with blanks between; if not given, each pixel has a column of its own."""
    height: Positive | None = None
    width: Positive | None = None
    """Pixels; a square if not given."""
    channels: Literal[3] | None = None
    """Red, green and blue; one channel if not given."""
    order: Literal["interleaved", "planar"] | None = None
    """Of three channels: red, green, blue of each pixel in turn, or all red before all green before all blue."""
    split_column: Column | None = None
    """The column that says which part an image belongs to."""
    split_words: dict[str, Part] | None = None
    """What each of its words stands for."""

    def __post_init__(self) -> None:
        """Require keys that belong together."""
        columns = [self.label_column, self.pixels_column, self.split_column, *(self.other_columns or [])]
        named = [column for column in columns if column is not None]
        if self.header is None and any(isinstance(column, int) for column in named):
            raise ValueError("columns of tables with a header are given by name; put a name that is a number in quotes")
        if self.header is False and any(isinstance(column, str) for column in named):
            raise ValueError("columns of tables without a header are given by their place, a number: 1 is the first")
        if len(set(named)) < len(named):
            raise ValueError("one column is named twice")
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width go together")
        if self.pixels_column is not None and self.height is None:
            raise ValueError("pixels_column needs the images' height and width")
        if (self.channels is None) != (self.order is None):
            raise ValueError("channels and order go together")
        if (self.split_column is None) != (not self.split_words):
            raise ValueError("split_column and split_words go together")


@dataclass(frozen=True, config=STRICT)
class IdxFormat:
    """MNIST's own files: the pixels of all images in one, their labels in another."""

    kind: Literal["idx"]
    images: Annotated[dict[Part, str], Field(min_length=1)]
    """The file with the images of each part, such as `train-images-idx3-ubyte`; it may be packed by gzip."""
    labels: Annotated[dict[Literal["train", "validation", "test"], str], Field(min_length=1)]
    """The file with their labels."""

    def __post_init__(self) -> None:
        """Require labels for every part that is labelled."""
        if self.images.keys() - {"unlabelled"} != self.labels.keys():
            raise ValueError("images and labels name the same parts; only unlabelled has no labels")


@dataclass(frozen=True, config=STRICT)
class ImageParquetFormat:
    """Parquet files with an image file's bytes and a label in each row, as the Hugging Face Hub has them."""

    kind: Literal["image_parquet"]
    files: Annotated[dict[Part, str | list[str]], Field(min_length=1)]
    """The file or the files of each part; `*` stands for any letters: `data/train-*.parquet`."""
    image_column: str
    label_column: str


Folders = Annotated[dict[Part, str], Field(min_length=1)]
"""The folder of each part that the archive has; `.` is the whole archive, `train.zip/train` is inside a zip in it."""

Roots = Annotated[dict[Part, str | Annotated[list[str], Field(min_length=1)]], Field(min_length=1)]
"""The folder of each part, or several. `*` as one name in a path stands for any: `*/train`."""

Patterns = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
"""Paths that are passed over; `*` stands for any text, slashes too: `*_mask.png`."""


@dataclass(frozen=True, config=STRICT)
class ImageFolderFormat:
    """Image files in one folder a class."""

    kind: Literal["image_folder"]
    folders: Roots
    class_folder: Literal["first", "last"] | None = None
    """Which folder below the part's is the class: the first, which is the default, or the one that holds the image.
    Where a part's folder has a `*`, the class is what it stands for."""
    exclude: Patterns | None = None


@dataclass(frozen=True, config=STRICT)
class LabelledNamesFormat:
    """Image files whose names begin with their class: `cat.0.jpg`."""

    kind: Literal["labelled_names"]
    folders: Roots
    separator: Annotated[str, Field(min_length=1)]
    """The text after the class in a file's name."""
    class_ends: Literal["first", "last"] | None = None
    """At which separator of a name the class ends: the first, which is the default, or the last."""
    exclude: Patterns | None = None


@dataclass(frozen=True, config=STRICT)
class CsvIndexFormat:
    """Image files, and tables with the path and the label of each."""

    kind: Literal["csv_index"]
    tables: Folders
    """The table of each part that the archive has."""
    path_column: str
    label_column: str | Annotated[list[str], Field(min_length=2)] | None
    """The column of the labels; or one for each class, of which one holds 1, or the largest share. None: the label is
    the name of the folder that holds the image."""
    folder: str | Annotated[list[str], Field(min_length=1)] | Roots
    """What the tables' paths are relative to, in the archive; `.` is the whole archive. Or several folders, or the
    folder of each part."""
    suffix: str
    """Text to add at the end of the tables' paths, such as `.png`; usually empty."""
    strip: str | None = None
    """Text to take away from the start of the tables' paths."""
    match: Literal["path", "any_case", "name", "stem"] | None = None
    """How a path finds its image: as it is, which is the default; in upper or lower case; by its last name, wherever
    the image lies; or by its last name without its ending."""
    encoding: str | None = None
    """Of the tables' text, as Python names it; `utf-8` by default."""
    separator: Literal[",", ";", "\t", "|", "blanks", "lines"] | None = None
    """Between the cells; a comma by default. With `lines`, each line is one cell."""
    header: bool | None = None
    """Whether the first line names the columns, which is the default. If not, they are named `1`, `2` and so on."""
    split_column: str | None = None
    """The column that says which part an image belongs to."""
    split_words: Annotated[dict[str, Part], Field(min_length=1)] | None = None
    """The part that each word of `split_column` stands for; without one, words are names of folders above images."""

    def __post_init__(self) -> None:
        """Require one table, and words, where the table tells the parts."""
        if self.split_column is not None and self.split_words is None:
            raise ValueError("split_column needs split_words: which word stands for which part")
        if self.split_words is not None and set(self.tables) != {"train"}:
            raise ValueError("with split_words, tables names one table, under train: the words tell the parts")


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


Objects = Literal["one", "largest"]
"""Which object labels an image: `one` leaves out images with several, `largest` takes that with the largest box."""


@dataclass(frozen=True, config=STRICT)
class CocoFormat:
    """Image files, and the box and label of every object in JSON, as COCO has it."""

    kind: Literal["coco"]
    folders: Folders
    """What the paths of a part's JSON are relative to."""
    annotations: Folders
    """The JSON of each part."""
    objects: Objects

    def __post_init__(self) -> None:
        """Require annotations for every part with labels."""
        _require_same_parts(self.folders, self.annotations)


@dataclass(frozen=True, config=STRICT)
class VocFormat:
    """Image files, and the box and label of every object in one XML file an image, as Pascal VOC has it."""

    kind: Literal["voc"]
    folders: Folders
    annotations: Folders
    """The folder of each part's XML files; it may be that of the images."""
    objects: Objects
    lists: Folders | None = None
    """The list of each part's images, one name a line. Without, a part is all images of its folder."""

    def __post_init__(self) -> None:
        """Require annotations for every part with labels."""
        _require_same_parts(self.folders, self.annotations, self.lists)


@dataclass(frozen=True, config=STRICT)
class YoloFormat:
    """Image files, and the box and class number of every object in one text file an image, as YOLO has it."""

    kind: Literal["yolo"]
    folders: Folders
    annotations: Folders
    """The folder of each part's text files; it may be that of the images."""
    objects: Objects
    names: str | None = None
    """The names of the classes: `data.yaml`, or a text with one name a line. Without, labels are the numbers."""
    lists: Folders | None = None
    """The list of each part's images, one path a line. Without, a part is all images of its folder."""

    def __post_init__(self) -> None:
        """Require annotations for every part with labels."""
        _require_same_parts(self.folders, self.annotations, self.lists)


def _require_same_parts(folders: Folders, annotations: Folders, lists: Folders | None = None) -> None:
    labelled = folders.keys() - {"unlabelled"}
    if annotations.keys() != labelled:
        raise ValueError("folders and annotations name the same parts; only unlabelled has a folder and no annotations")
    if lists is not None and lists.keys() != labelled:
        raise ValueError("lists name the same parts as annotations")


Format = Annotated[
    DigitsFormat
    | PixelCsvFormat
    | IdxFormat
    | ImageParquetFormat
    | ImageFolderFormat
    | LabelledNamesFormat
    | CsvIndexFormat
    | DigitStructFormat
    | CocoFormat
    | VocFormat
    | YoloFormat,
    Field(discriminator="kind"),
]


def _leave_some(validation: float, test: float) -> None:
    if validation + test >= 1:
        raise ValueError("validation and test together take all images; leave some to train on")


@dataclass(frozen=True, config=STRICT)
class StratifiedSplit:
    """A split that podium draws from all images: seeded, stratified by class."""

    kind: Literal["stratified"]
    validation: Fraction
    test: Fraction
    seed: Seed

    def __post_init__(self) -> None:
        """Require a share of images to train on."""
        _leave_some(self.validation, self.test)


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
        _leave_some(self.validation, self.test)


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
    metric: Literal["accuracy", "macro_f1", "weighted_f1", "mean_iou", "joint_accuracy", "box_mse"]
    """Its name in evaluation.json."""
    split: Literal["validation", "test"]
    value: float
    standard_error: Annotated[float, Field(ge=0)] | None
    source: str
    """Where it was published: an address."""


@dataclass(frozen=True, config=STRICT)
class Evaluation:
    """How candidates are evaluated, beyond what every report shows."""

    slices: list[str] | None = None
    """Columns of the manifest: the report gives the accuracy for their values, too."""
    stated_accuracy: Fraction | None = None
    """How often a model is to be right where it answers; by default 0.95. Its threshold is kept beside the model."""
    learning_curve: list[str] | None = None
    """Candidates that are trained on parts of the train split, too. Those with a frozen backbone always are."""


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
    evaluation: Evaluation | None = None
