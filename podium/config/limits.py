"""The limits that `validate` checks a dataset against: the `validation` of a dataset in `params.yaml`."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from podium.config.fields import STRICT, Positive

Share = Annotated[float, Field(ge=0, le=1)]


def _ascending(limits: list[float]) -> list[float]:
    if limits[0] > limits[1]:
        raise ValueError(f"the minimum, {limits[0]:g}, is above the maximum, {limits[1]:g}")
    return limits


Range = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=2, max_length=2), AfterValidator(_ascending)]
"""The minimum and the maximum value that an image may have."""


@dataclass(frozen=True, config=STRICT)
class Limits:
    """Limits of one level, critical or warning; what is not named is not checked.

    Shares are fractions of the images concerned. Brightness, contrast and sharpness are of the gray image, 0 to 255.
    """

    minimum_per_class: Positive | None = None
    """Images of each class, in each part that the archive has."""
    maximum_imbalance: Annotated[float, Field(ge=1)] | None = None
    """The largest class has at most this many times the images of the smallest."""
    exact_duplicates: Share | None = None
    """Share of validation and test images whose bytes are also in train (or, for test, in validation)."""
    near_duplicates: Share | None = None
    """The same for near-duplicates; see `duplicate_distance`."""
    label_conflicts: Share | None = None
    """Share of images with a near-duplicate of another label."""
    height: Range | None = None
    width: Range | None = None
    aspect: Range | None = None
    """Width divided by height."""
    modes: list[str] | None = None
    """Allowed pixel modes by Pillow's names, such as RGB and L."""
    brightness: Range | None = None
    """The image's mean gray value, 0 to 255."""
    contrast: Range | None = None
    """The standard deviation of its gray values."""
    sharpness: Range | None = None
    """The variance of the Laplacian of its gray values: small for blurred images."""
    lost_per_class: Share | None = None
    """Share of a class's images in the accepted version that are missing now."""
    left_aside: Annotated[int, Field(ge=0)] | None = None
    """Files of the archive that are left aside: just so many."""
    drift: Share | None = None
    """Largest effect size of drift since the accepted version: the share of images that would have to change."""


@dataclass(frozen=True, config=STRICT)
class Validation:
    """How a dataset is validated: near-duplicates, quarantine, and limits at two levels."""

    duplicate_distance: Annotated[int, Field(ge=0, le=128)]
    """Two images are near-duplicates if at most this many of the 256 bits of their perceptual hashes differ."""
    quarantine: Share
    """Share of each class's images that may be left out because they cannot be used."""
    critical: Limits
    """Limits that stop the pipeline."""
    warning: Limits
    """Limits that are only reported."""
    accepted: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """The sha256 of the accepted version's manifest; `podium validate --accept` writes it."""
