"""`podium rollback NAME`: the champion before this one is champion again."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, and the reason."""
    parser.add_argument("dataset", metavar="NAME", help="the dataset, whose name the registered model has")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the journal")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Go back, once the version has shown that it serves."""
    from podium.registry.commands import roll_back  # MLflow: three seconds to import
    from podium.tracking.reaching import reaching

    with reaching(root, arguments.dataset) as client:
        print(harmless(roll_back(client, arguments.dataset, arguments.why)))
