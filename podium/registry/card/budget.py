"""What a decision could spend of the error, and when its images are used up."""

from dataclasses import dataclass

from scipy.special import ndtri

from podium.evaluation.power import POWER
from podium.registry.card.words import chance, part
from podium.registry.gate import budget_share, refresh_advice, threshold
from podium.registry.kept import KeptDecision

WORN = 2.0
"""The images are used up when a gain needs so many times the images that it needs on a new set."""
LONGEST = 100
"""Decisions after which they are, however small the error is."""


@dataclass(frozen=True)
class Budget:
    """What the decisions on one set of images share, and how this one stands among them.

    Attributes:
        number: of this decision on these images.
        refresh: the decision from which on a gain takes `WORN` times the images that it takes on a new set.
        sentences: the same for people.
    """

    number: int
    refresh: int
    sentences: tuple[str, ...]


def measure_budget(kept: KeptDecision, images: int) -> Budget:
    """Say what a decision on so many images could spend, and by when the set is to be refreshed."""
    number, fresh = kept.context.number, _needed(kept, 1)
    worn = (k for k in range(2, LONGEST) if _needed(kept, k) >= WORN * fresh)
    refresh = next(worn, LONGEST)
    sentences = [refresh_advice(number, images), _say_shares(kept)]
    if number > 1:
        sentences.append(f"To show a gain takes {_needed(kept, number) / fresh:.1f} times the images of a new set.")
    if number < refresh:
        sentences.append(f"Refresh the set by decision {refresh}: from then on it takes twice as many images.")
    else:
        sentences.append("The set is used up: refresh it before the next challenge.")
    return Budget(number, refresh, tuple(sentences))


def _say_shares(kept: KeptDecision) -> str:
    rules, context = kept.rules, kept.context
    could, later = (rules.error * budget_share(number) for number in (context.number, context.number + 1))
    shares = f"The rules allow {part(rules.error)}: it could spend {part(could)}, and the next one {part(later)}."
    chosen = []
    if context.candidates > 1:
        chosen.append(f"as the best of {context.candidates:,} candidates")
    if context.epochs > 1:
        chosen.append(f"with the weights of the best of {context.epochs:,} epochs")
    if not chosen:
        return shares
    limit = threshold(rules.error, context.number, context.candidates, context.epochs)
    return f"{shares} Chosen on them {' and '.join(chosen)}, the challenger had to reach p {chance(limit)}."


def _needed(kept: KeptDecision, number: int) -> float:
    """Say how many images a gain needs in the so-manieth decision, as a multiple of what is the same for all."""
    limit = threshold(kept.rules.error, number, kept.context.candidates, kept.context.epochs)
    return float((-ndtri(limit) + ndtri(POWER)) ** 2)
