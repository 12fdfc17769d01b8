"""What podium says when something that a user can mend went wrong.

PodiumError            one clear message: what happened, what was expected, what to type
└── WorkspaceBusy      another `dvc` command holds the workspace; the same call may work a little later
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PodiumError(Exception):
    """A mistake or a circumstance that a person can mend; its text is all that they need to read."""


class WorkspaceBusy(PodiumError):  # noqa: N818 - it names a state of the workspace, as its message does
    """Another command holds the workspace's lock. Worth another try."""


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
