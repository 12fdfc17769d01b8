"""What a test set can show: the smallest difference of accuracy that a comparison of two models on it would detect.

The comparison is paired: both models name the same images, and only the discordant ones count, on which one is right
and the other wrong (Q. McNemar, 1947; two-sided, at 5 %). How many images it needs is R. J. Connor's formula, "Sample
size for testing differences in proportions for the paired-sample design" (1987); images that are alike count as the
effective number of images that they are.
"""

from dataclasses import dataclass
from math import ceil, sqrt

from scipy.special import ndtri

from podium.evaluation.intervals import Z, effective_images
from podium.evaluation.predictions import Predictions

POWER = 0.8
"""How often the comparison shall detect the difference: in four of five cases."""
DIFFERENCES = (0.005, 0.01, 0.02, 0.05, 0.1)
"""For which it is said how many images they need."""
DISCORDANT = 0.5
"""Discordant images for each that the candidate gets wrong: typical of two versions of one model, which fail on much
the same images. Two models that fail independently have up to four times as many, and need twice the difference."""
_DETECTS = float(ndtri(POWER))


@dataclass(frozen=True)
class Need:
    """How many images like those of the test set a difference of accuracy needs."""

    difference: float
    images: int


@dataclass(frozen=True)
class Power:
    """What a test set can show.

    Attributes:
        images: how many it has.
        groups: of near-duplicates among them.
        design_effect: images that tell as much as one independent image.
        discordant: the share of images on which one of two models is right and the other wrong, as assumed.
        detectable: the smallest difference of accuracy that is detected in four of five cases; 1 if there is none.
        needed: how many images greater and smaller differences need.
        text: the same in a sentence.
    """

    images: int
    groups: int
    design_effect: float
    discordant: float
    detectable: float
    needed: tuple[Need, ...]
    text: str


def smallest_difference(predictions: Predictions) -> Power:
    """Say what a test set can show, if two models differ on `DISCORDANT` images for each that this one gets wrong."""
    images, right = len(predictions), predictions.right
    effect = images / effective_images(right, predictions.groups)
    discordant = DISCORDANT * float((~right).mean())
    detectable = detectable_difference(images / effect, discordant)
    needed = tuple(Need(gap, ceil(effect * needed_images(gap, discordant))) for gap in DIFFERENCES)
    groups = len(set(predictions.groups.tolist()))
    discordant = max(discordant, detectable)
    text = _describe(images, effect, discordant, detectable, needed)
    return Power(images, groups, effect, discordant, detectable, needed, text)


def detectable_difference(groups: float, discordant: float) -> float:
    """Give the smallest difference of accuracy that a paired comparison detects in four of five cases.

    Args:
        groups: how many independent groups or images, or the effective number of images that are not.
        discordant: the share of images on which one of the models is right and the other wrong. No fewer than the
            difference can be: where the formula asks for more, all of them are taken to speak for one model.

    Returns:
        The difference, 0–1; 1 where the images are too few for any.
    """
    if groups <= Z**2:
        return 1.0
    part = Z * sqrt(discordant)
    total = groups + _DETECTS**2
    root = part**2 * groups - total * (part**2 - _DETECTS**2 * discordant)
    found = (part * sqrt(groups) + sqrt(max(root, 0))) / total
    if discordant > 0 and found <= discordant:
        return found
    kept = (-Z * _DETECTS + sqrt((Z * _DETECTS) ** 2 + total * (groups - Z**2))) / total
    return min(1.0, 1 - kept**2)


def needed_images(difference: float, discordant: float, quantile: float = Z) -> float:
    """Give how many independent images a paired comparison needs to detect a difference in four of five cases.

    Args:
        difference: of accuracy, above 0.
        discordant: as in `detectable_difference`.
        quantile: of the normal distribution, from which on the comparison calls a difference shown.
    """
    share = max(discordant, difference)
    return float(((quantile * sqrt(share) + _DETECTS * sqrt(share - difference**2)) / difference) ** 2)


def _describe(images: int, effect: float, discordant: float, detectable: float, needed: tuple[Need, ...]) -> str:
    alike = f", which tell as much as {images / effect:,.0f} independent ones," if effect > 1.005 else ""
    if detectable >= 1:
        return f"{images:,} images{alike} are too few to compare two models."
    text = (
        f"On {images:,} images{alike} a paired comparison detects a difference of {_points(detectable)} of accuracy in "
        f"four of five cases, and smaller ones less often. That is for two versions of one model, which typically "
        f"differ on {discordant:.1%} of the images; unrelated models need up to twice the difference."
    )
    smaller = [need for need in needed if need.difference < 0.75 * detectable]
    if smaller:
        need = max(smaller, key=lambda need: need.difference)
        text += f" A difference of {_points(need.difference)} takes about {_round(need.images):,} images like these."
    return text


def _points(difference: float) -> str:
    number = f"{100 * difference:.1f}".removesuffix(".0")
    return f"{number} point" if number == "1" else f"{number} points"


def _round(images: int) -> int:
    """Give two digits of a count: more are not known."""
    return int(float(f"{images:.2g}"))
