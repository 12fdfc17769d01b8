"""What validation holds a dataset against: the `validation` of a dataset on the page."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Positive

Share = Annotated[float, Field(ge=0, le=1)]


def _ascending(limits: list[float]) -> list[float]:
    if limits[0] > limits[1]:
        raise ValueError(f"the least value, {limits[0]:g}, is over the greatest, {limits[1]:g}")
    return limits


Range = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=2, max_length=2), AfterValidator(_ascending)]
"""The least and the greatest value that an image may have."""


@dataclass(frozen=True, config=STRICT)
class Limits:
    """What is expected of a dataset at one level, critical or warning; what is not named is not expected.

    Shares are of the images concerned. Measures of brightness are of the gray image, 0 to 255.
    """

    minimum_per_class: Positive | None = None
    """Images of each class, in each part that the archive has."""
    maximum_imbalance: Annotated[float, Field(ge=1)] | None = None
    """The largest class has at most this many times the images of the smallest."""
    exact_duplicates: Share | None = None
    """Images of validation or test whose bytes are in a split that training sees."""
    near_duplicates: Share | None = None
    """The same, of images that look alike; see `duplicate_distance`."""
    label_conflicts: Share | None = None
    """Images that look like one with another label."""
    height: Range | None = None
    width: Range | None = None
    aspect: Range | None = None
    """Width by height."""
    modes: list[str] | None = None
    """Pillow's names of the pixels' modes, such as RGB and L."""
    brightness: Range | None = None
    """The image's mean gray value, 0 to 255."""
    contrast: Range | None = None
    """The standard deviation of its gray values."""
    sharpness: Range | None = None
    lost_per_class: Share | None = None
    """Of the accepted version's images of a class, those that are gone."""
    drift: Share | None = None
    """How far a measure may move from the accepted version, as the share of images that moved."""


@dataclass(frozen=True, config=STRICT)
class Validation:
    """What validation holds a dataset against."""

    duplicate_distance: Annotated[int, Field(ge=0, le=128)]
    """Bits of 256 in which the hashes of two images may differ that look the same."""
    quarantine: Share
    """Share of each class's images that may be left out because they cannot be used."""
    critical: Limits
    """What stops the pipeline."""
    warning: Limits
    """What is only said."""
    accepted: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The sha256 of the accepted version's manifest; `podium validate --accept` writes it."""
