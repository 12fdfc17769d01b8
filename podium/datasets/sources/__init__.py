"""Where datasets come from. One module a kind of source; each has `fetch(source, folder, downloads)`."""

from collections.abc import Callable
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
