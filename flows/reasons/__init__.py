"""Reasons to retrain: one module a kind, each with `find`. Without a reason nothing runs."""

from typing import Literal

from flows.reasons import age, changed, labels, served, source
from flows.reasons.reason import Circumstances, Find, Reason
from podium.errors import PodiumError

__all__ = ["KINDS", "Circumstances", "Kind", "Reason", "find_reasons"]

Kind = Literal["source", "changed", "age", "served", "labels"]

REASONS: dict[Kind, Find] = {
    "source": source.find,
    "changed": changed.find,
    "age": age.find,
    "served": served.find,
    "labels": labels.find,
}
KINDS: tuple[Kind, ...] = tuple(REASONS)


def find_reasons(asked: list[Kind], circumstances: Circumstances) -> tuple[list[Reason], list[str]]:
    """Look for reasons of the kinds that are asked for.

    Returns:
        The reasons, and why those that could not be looked for could not.
    """
    found, faults = list[Reason](), list[str]()
    for kind in asked:
        try:
            found += REASONS[kind](circumstances)
        except PodiumError as error:
            faults.append(f"{kind}: {error}")
    return found, faults
