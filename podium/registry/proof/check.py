"""What a check of a version found."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: in a word or two.
        agrees: None if it cannot be told here.
        text: what was found, or why it cannot be told; without a full stop.
    """

    what: str
    agrees: bool | None
    text: str


def sum_up(title: str, checks: Sequence[Check]) -> str:
    """Say in a sentence what the checks of a version come to."""
    wrong = [one.what for one in checks if one.agrees is False]
    unknown = sum(one.agrees is None for one in checks)
    more = f"; {unknown} cannot be told here" if unknown else ""
    if wrong:
        return f"{title} does not agree in {len(wrong)} of {len(checks)} checks: {', '.join(wrong)}{more}."
    return f"{title} agrees in {len(checks) - unknown} of {len(checks)} checks{more}."
