"""The card of a decision: what was decided, by which numbers, and the images on which the two models disagree."""

from podium.registry.card.description import describe_version
from podium.registry.card.writing import write_card

__all__ = ["describe_version", "write_card"]
