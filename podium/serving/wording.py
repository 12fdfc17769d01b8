"""An answer in a few words, for people."""

from typing import Final

from podium.pages.html import clip
from podium.tracking.classifier import Answer

LEAST: Final = 0.001
"""A class that is less probable is not named."""


def sure(share: float) -> str:
    """Write a probability for people, who take 100% for certain and 0% for impossible.

    Example:
        >>> sure(0.98234), sure(0.99999), sure(0.00001)
        ('98.2%', '>99.9%', '<0.1%')
    """
    return ">99.9%" if share >= 0.9995 else "<0.1%" if share < 0.0005 else f"{share:.1%}"


def describe(answer: Answer) -> str:
    """Say an answer in a few words: `cat 98.2%`, `cat 52.0%, unsure`."""
    if answer["error"]:
        return "no answer"
    unsure = ", unsure" if answer["unsure"] else ""
    return f"{clip(answer['label'], 40)} {sure(answer['probability'])}{unsure}"


def describe_others(answer: Answer, count: int) -> str:
    """Say which classes come next, and how probable they are: at most so many, and none below 0.1%."""
    others = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[1 : count + 1]
    return ", ".join(f"{clip(name, 24)} {sure(share)}" for name, share in others if share >= LEAST)
