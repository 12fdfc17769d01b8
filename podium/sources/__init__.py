"""Where datasets come from. One module a kind of source; each has `fetch(source, folder)`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from podium.config.tables import Source
from podium.sources import archive, sklearn

_FETCH: dict[str, Callable[[Any, Path], str]] = {
    "archive": archive.fetch,
    "sklearn": sklearn.fetch,
}


def fetch(source: Source, folder: Path) -> str:
    """Bring a dataset here as it is delivered.

    Args:
        source: where it comes from.
        folder: an empty folder to put it in.

    Returns:
        One line for people: what arrived.

    Raises:
        PodiumError: it could not be had; the message says what to do.
    """
    return _FETCH[source.kind](source, folder)
