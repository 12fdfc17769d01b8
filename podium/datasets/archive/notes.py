"""What a person should know of an archive, each a sentence; kept in the comment of a zip that podium packed itself."""

import json

from podium.datasets.archive.names import printable

_KEY = "podium's notes"
_MAX_NOTES, _MAX_NOTE = 20, 500


def write_notes(notes: list[str]) -> bytes:
    """Write sentences as a zip's comment; none is no comment."""
    return json.dumps({_KEY: notes}).encode() if notes else b""


def read_notes(comment: bytes) -> list[str]:
    """Read what `write_notes` wrote. Anyone can write such a comment: it is text to print, and no more."""
    try:
        notes = json.loads(comment)[_KEY] if comment.startswith(b"{") else []
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    if not isinstance(notes, list):
        return []
    return [f"Noted when it was packed: {str(note)[:_MAX_NOTE]}" for note in notes[:_MAX_NOTES]]


class Oddities:
    """Counts what is odd about files, to say it in a sentence for each kind."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def count(self, what: str, done: str, example: str) -> None:
        """Count one more of a kind.

        Args:
            what: the kind, in the plural.
            done: what is done with them.
            example: the name of this one.
        """
        number, first = self._found.get((what, done), (0, example))
        self._found[what, done] = number + 1, first

    def notes(self) -> list[str]:
        """Give a sentence for each kind: how many, the first of them, and what is done."""
        return [
            f"{what}: {number:,}, such as '{printable(first)}'; {done}."
            for (what, done), (number, first) in self._found.items()
        ]
