"""Where datasets come from. One module a kind of source; each has `fetch` and `look`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from podium.config.datasets import Source
from podium.datasets.sources import archive, kaggle, sklearn

_FETCH: dict[str, Callable[[Any, Path, Path], str]] = {
    "archive": archive.fetch,
    "kaggle": kaggle.fetch,
    "sklearn": sklearn.fetch,
}


def fetch(source: Source, folder: Path, downloads: Path) -> str:
    """Bring a dataset here as it is delivered.

    Args:
        source: where it comes from.
        folder: an empty folder to put it in.
        downloads: the dataset's folder for what a download leaves to be resumed, and for an archive that
            was downloaded by hand. It need not be there.

    Returns:
        One line for people: what arrived.

    Raises:
        PodiumError: it could not be had; the message says what to do.
        TransientError: it may be had a little later.
    """
    return _FETCH[source.kind](source, folder, downloads)


_LOOK: dict[str, Callable[[Any, Mapping[str, Any], Path, Path], str]] = {
    "archive": archive.look,
    "kaggle": kaggle.look,
    "sklearn": sklearn.look,
}


def look(source: Source, known: Mapping[str, Any], root: Path, downloads: Path) -> str:
    """Ask a source whether it has something else than what arrived; nothing is downloaded.

    Args:
        source: where the dataset comes from.
        known: what was written down of what arrived, see `podium.datasets.provenance`.
        root: the project's root, which a relative path on this disk is meant from.
        downloads: the dataset's folder, where an archive that was downloaded by hand may lie.

    Returns:
        What is new, in a sentence; empty if nothing is.

    Raises:
        PodiumError: it cannot be asked; the message says what to do.
        TransientError: it may be asked a little later.
    """
    return _LOOK[source.kind](source, known, root, downloads)
