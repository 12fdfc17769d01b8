"""`podium sign NAME@VERSION --key FILE`: sign a version's files with a key of your own."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version and the key."""
    parser.add_argument("model", metavar="NAME@VERSION", help="of MLflow: digits/3, digits@champion")
    parser.add_argument("--key", required=True, metavar="FILE", help="a private key on an elliptic curve, PEM")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Sign it, and say how it is checked."""
    from podium.registry.proof.signing import sign  # MLflow: three seconds to import

    print(harmless(sign(root, arguments.model, arguments.here / arguments.key)))
