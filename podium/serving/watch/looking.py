"""Look at what was asked of a dataset's champion, and write the report."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from podium.config.datasets import Dataset
from podium.files import atomic_write, save_json
from podium.paths import REQUESTS
from podium.serving.watch.accepted import find_accepted
from podium.serving.watch.comparison import LIMIT, Watched, compare_requests
from podium.serving.watch.page import describe, to_json, write_report
from podium.serving.watch.requests import Requests, read_requests
from podium.tracking.request_log import FOLDER

REPORTS = Path("reports/watch")


@dataclass(frozen=True)
class Looked:
    """What became of a look.

    Attributes:
        watched: the comparison.
        page: the report, relative to the root.
        text: the same in short, as Markdown.
    """

    watched: Watched
    page: Path
    text: str


def find_log(root: Path, folder: Path | None = None) -> Path:
    """Give the folder of the log: the one that is named, or the environment's, or the project's own."""
    named = os.environ.get(FOLDER, "").strip()
    return root / (folder or Path(named or REQUESTS).expanduser())


def find_limit(dataset: Dataset) -> float:
    """Give how far a measure may move: what the page says of drift, a warning before what is critical."""
    validation = dataset.validation
    return next((one.drift for one in (validation.warning, validation.critical) if one.drift is not None), LIMIT)


def compare(root: Path, name: str, dataset: Dataset, requests: Requests, data: Path | None = None) -> Watched:
    """Compare requests with what the dataset's champion was accepted on.

    Args:
        root: the project's root.
        name: the dataset's.
        dataset: what the page says of it.
        requests: the log, of all models.
        data: the root of the project that has the arrays; by default the same.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no champion, or the arrays are not here.
    """
    accepted = find_accepted(root, name, data)
    return compare_requests(accepted, requests.of({*accepted.names}), find_limit(dataset))


def look(root: Path, name: str, dataset: Dataset, folder: Path | None = None, since: datetime | None = None) -> Looked:
    """Compare, and write the report.

    Args:
        root: the project's root.
        name: the dataset's.
        dataset: what the page says of it.
        folder: of the log; None: see `find_log`.
        since: what was asked before is left out; None: nothing is.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no log, no champion, or the arrays are not here.
    """
    requests = read_requests(find_log(root, folder), since)
    watched = compare(root, name, dataset, requests)
    place = REPORTS / name
    with atomic_write(root / place) as part:
        part.mkdir()
        write_report(watched, part / "index.html", requests.dropped)
        save_json(to_json(watched), part / "watch.json")
    return Looked(watched, place / "index.html", describe(watched))
