"""What podium says when something that a user can mend went wrong.

PodiumError     one clear message: what happened, what was expected, what to type
└── TransientError    a circumstance that may pass by itself; the same call may work a little later
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PodiumError(Exception):
    """A mistake or a circumstance that a person can mend; its text is all that they need to read."""


class TransientError(PodiumError):  # noqa: N818 - it says what the caller may do
    """Something that may pass by itself: a lock that another command holds, a server that does not answer."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the sentence that helps with a misspelt name.

    Args:
        name: what was asked for.
        known: the names that exist.

    Returns:
        "Did you mean 'x'? There are: x, y." or, with no name near, only the second sentence.
    """
    names = sorted(known)
    there_are = f"There are: {', '.join(names)}." if names else "There are none."
    match get_close_matches(name, names, n=1, cutoff=0.5):
        case [near]:
            return f"Did you mean '{near}'? {there_are}"
        case _:
            return there_are
