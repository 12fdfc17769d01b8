"""The gate: whether a challenger takes the champion's place, by statistics alone. Nothing is moved here."""

from podium.registry.gate.budget import SAME, budget_share, refresh_advice, shares_images, sketch, threshold
from podium.registry.gate.deciding import decide
from podium.registry.gate.recomputing import recompute

__all__ = ["SAME", "budget_share", "decide", "recompute", "refresh_advice", "shares_images", "sketch", "threshold"]
