"""The registry: who is champion, and why."""

from podium.registry.gate import Decision
from podium.registry.promotion import promote

__all__ = ["Decision", "promote"]
