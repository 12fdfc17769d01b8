"""`podium recall NAME/3 --why TEXT`: a version is withdrawn, wherever it is asked for."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version, and the reason."""
    parser.add_argument("model", metavar="NAME/3", help="the version: digits/3, or digits@champion")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for all who ask for the version")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Recall it."""
    from podium.registry.commands import recall  # MLflow: three seconds to import
    from podium.tracking.reaching import reaching

    with reaching(root, arguments.model) as client:
        print(harmless(recall(client, arguments.model, arguments.why)))
