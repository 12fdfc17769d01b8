"""A review of a change before it is merged: what it means for every candidate, and what the gate would say."""

from podium.registry.review.reviewing import Change, Review, Side, review
from podium.registry.review.text import describe_review, draw_images

__all__ = ["Change", "Review", "Side", "describe_review", "draw_images", "review"]
