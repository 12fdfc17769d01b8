"""`podium pin NAME@VERSION`: write a version and the digests of its files into models.lock."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version."""
    parser.add_argument("model", metavar="NAME@VERSION", help="of MLflow: digits/3, digits@champion")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Pin it, and say what to do with the file."""
    from podium.registry.proof.pin import PINS, pin  # MLflow: three seconds to import

    made = pin(root, arguments.model)
    print(harmless(f"{PINS} pins {made.title}: {len(made.files)} files, sha256 {made.sha256}"))
    print(f"Commit it: `git add {PINS} && git commit`. `podium verify` holds MLflow against it.")
