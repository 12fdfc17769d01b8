"""`podium verify [NAME@VERSION]`: whether a version, or all that models.lock pins, are what the records say."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless

if TYPE_CHECKING:
    from podium.registry.proof.check import Check

_WORDS = {True: "agrees", False: "DOES NOT AGREE", None: "cannot be told"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version, and whose signature it has to bear."""
    parser.add_argument(
        "model", nargs="?", metavar="NAME@VERSION", help="of MLflow: digits/3, digits@champion; else all of models.lock"
    )
    parser.add_argument("--public-key", metavar="FILE", help="the key that the version has to be signed with, PEM")


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Print a table and a sentence for each version; the exit status is 1 if anything does not agree."""
    from podium.errors import PodiumError
    from podium.registry.proof.check import sum_up
    from podium.registry.proof.verify import verify, verify_pins  # MLflow: three seconds to import

    key = arguments.here / arguments.public_key if arguments.public_key else None
    if arguments.model is None:
        if key:
            raise PodiumError("--public-key is for one version: `podium verify digits/3 --public-key FILE`.")
        found = verify_pins(root)
    else:
        found = [verify(root, arguments.model, key, lambda line: print(f"… {line}", flush=True))]
    for title, checks in found:
        _show(checks)
        print(harmless(sum_up(title, checks)))
    return int(any(one.agrees is False for _, checks in found for one in checks))


def _show(checks: "list[Check]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("check", "result", "what was found"):
        table.add_column(title, overflow="fold")
    for one in checks:
        table.add_row(harmless(one.what), _WORDS[one.agrees], harmless(one.text))
    Console(highlight=False, markup=False, emoji=False).print(table)
    print()
