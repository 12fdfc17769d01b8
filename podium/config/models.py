"""Models of `params.yaml`: one dataclass for each kind; `podium.models.zoo` builds them."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Positive


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
    """Like `cnn`, but starts with a 5 × 5 convolution with a stride: for photographs."""

    kind: Literal["photo_cnn"]
    filters: Annotated[list[Positive], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, config=STRICT)
class MobilenetModel:
    """MobileNet without its top, global average pooling, and a new head of dense layers."""

    kind: Literal["mobilenet"]
    size: Annotated[int, Field(ge=32)]
    """Images are resized to this height and width inside the model."""
    interpolation: Literal["bilinear", "bicubic"]
    units: list[Positive]
    scaling: Literal["imagenet", "unit"]
    """Range of the backbone's inputs: `imagenet` is −1 to 1, as in its pretraining; `unit` is 0 to 1."""
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""
    version: Literal[1, 2] | None = None
    """MobileNet's version; by default 1."""


@dataclass(frozen=True, config=STRICT)
class CnnDropoutModel:
    """Blocks of one 3 × 3 convolution, flattened into dense layers, as in many tutorials."""

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
    """VGG16 without its top, flattened into a new head of dense layers."""

    kind: Literal["vgg16"]
    size: Annotated[int, Field(ge=32)]
    """Images are resized to this height and width inside the model."""
    units: list[Positive]
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""


@dataclass(frozen=True, config=STRICT)
class Resnet18Model:
    """ResNet18 without its top, global average pooling, dropout."""

    kind: Literal["resnet18"]
    size: Annotated[int, Field(ge=32)]
    """Images are resized to this height and width inside the model."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    weights: str
    """`random`, or the path of a weights file."""


@dataclass(frozen=True, config=STRICT)
class TwoHeadModel:
    """A backbone with two heads of dense layers: one for the label, one for the box."""

    kind: Literal["two_head"]
    backbone: Literal["vgg16", "vgg19", "mobilenet", "mobilenet_v2", "resnet18", "photo_cnn"]
    size: Annotated[int, Field(ge=32)]
    """Images are resized to this height and width inside the model."""
    pooling: Literal["flatten", "average"]
    """How the backbone's features become a vector for the heads."""
    scaling: Literal["imagenet", "unit"]
    """Range of the backbone's inputs: `imagenet` as in its pretraining; `unit` is 0 to 1."""
    label_units: list[Positive]
    box_units: list[Positive]
    weights: str
    """`imagenet`, `random`, or the path of a weights file."""


@dataclass(frozen=True, config=STRICT)
class TwoLooksModel:
    """Looks at the whole image to find the box, then, for the label, at the box alone, in all of the image's pixels."""

    kind: Literal["two_looks"]
    size: Annotated[int, Field(ge=32)]
    """Height and width of the first look, in pixels."""
    filters: Annotated[list[Positive], Field(min_length=1)]
    """Of the first look's blocks."""
    crop: Annotated[int, Field(ge=8)]
    """Height and width of the second look, in pixels."""
    margin: Annotated[float, Field(ge=0, le=2)]
    """Share by which the second look's window is wider and higher than the box."""
    crop_filters: Annotated[list[Positive], Field(min_length=1)]
    """Of the second look's blocks."""
    dropout: Annotated[float, Field(ge=0, lt=1)]
    jitter: Annotated[float, Field(ge=0, lt=1)] | None = None
    """While it learns, edges of the window are moved by so much (standard deviation, share of the image)."""

    def __post_init__(self) -> None:
        """Refuse a look that its blocks would halve to nothing."""
        for side, filters in (("size", "filters"), ("crop", "crop_filters")):
            pixels, blocks = getattr(self, side), len(getattr(self, filters))
            if pixels < 2**blocks:
                raise ValueError(
                    f"{side} is {pixels}, but {blocks} {filters} halve it until nothing is left: it needs {2**blocks}. "
                    f"Take fewer {filters}, or a larger {side}"
                )


Model = Annotated[
    DenseModel
    | CnnModel
    | PhotoCnnModel
    | CnnDropoutModel
    | Cnn4Model
    | MobilenetModel
    | Vgg16Model
    | Resnet18Model
    | TwoHeadModel
    | TwoLooksModel,
    Field(discriminator="kind"),
]
