"""`podium run [NAME...]`: the pipeline, now."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the datasets and candidates."""
    parser.add_argument(
        "targets", nargs="*", metavar="NAME", help="datasets or candidates; all of params.yaml by default"
    )


def run(_root: Path, arguments: argparse.Namespace) -> int:
    """Run the pipeline's flow once."""
    from flows.run import main  # DVC: a fifth of a second to import

    return main(arguments.targets)
