"""What podium says when something that a user can mend went wrong.

PodiumError           one clear message: what happened, what was expected, what to type
├── TransientError    a circumstance that may pass by itself; the same call may work a little later
├── NotAZipError      a file is no zip, or is cut short (podium.datasets.archive.zips)
└── DamagedFile       one file of an archive cannot be read; the others may be fine (podium.datasets.archive)
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PodiumError(Exception):
    """A mistake or a circumstance that a person can mend; its text is all that they need to read.

    Args:
        what: what happened, and what was expected.
        hint: what to type. The caller who knows the command adds it: `raise error.with_hint("…") from None`.

    Example:
        >>> print(PodiumError("There is no recipe 'digit'.", hint="Type `podium list` to see them."))
        There is no recipe 'digit'. Type `podium list` to see them.
    """

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return " ".join(filter(None, (self.what, self.hint)))

    def with_hint(self, hint: str) -> "PodiumError":
        """Give the same error with another hint."""
        return type(self)(self.what, hint=hint)


class TransientError(PodiumError):
    """Something that may pass by itself: a lock that another command holds, a server that does not answer."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the sentence that helps with a misspelt name.

    Args:
        name: what was asked for.
        known: the names that exist.

    Returns:
        "Did you mean 'x'? There are: x, y." or, with no name near, only the second sentence.

    Example:
        >>> nearest("digit", ["svhn", "digits"])
        "Did you mean 'digits'? There are: digits, svhn."
    """
    names = sorted(known)
    there_are = f"There are: {', '.join(names)}." if names else "There are none."
    match get_close_matches(name, names, n=1, cutoff=0.5):
        case [near]:
            return f"Did you mean '{near}'? {there_are}"
        case _:
            return there_are
