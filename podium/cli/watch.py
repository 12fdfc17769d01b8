"""`podium watch NAME`: whether what is asked of a champion is what it was accepted on."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from podium.cli.screen import harmless
from podium.config import load_params
from podium.paths import PARAMS, REQUESTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, the log, and how old requests may be."""
    parser.add_argument("dataset", metavar="NAME", help="the dataset, whose name the registered model has")
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FOLDER",
        help=f"where the requests are noted; by default PODIUM_REQUEST_LOG, or {REQUESTS}",
    )
    parser.add_argument("--days", type=int, metavar="N", help="leave out what was asked more than N days ago")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Compare, write the report, and say what it says."""
    name = arguments.dataset
    dataset = load_params(root / PARAMS).dataset(name)
    from podium.serving.watch.looking import look  # MLflow: seconds

    since = None if arguments.days is None else datetime.now(UTC) - timedelta(days=arguments.days)
    folder = None if arguments.log is None else arguments.here / arguments.log
    looked = look(root, name, dataset, folder, since)
    print(harmless(looked.watched.text))
    print(harmless(f"Look at {looked.page}"))
