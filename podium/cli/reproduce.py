"""`podium reproduce NAME@VERSION`: build a version again in an isolated clone, and compare it byte by byte."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless

if TYPE_CHECKING:
    from podium.registry.proof.reproduce import Reproduction

MAX_LINES = 20
"""Outputs with other bytes that are listed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version, and where the clone may stay."""
    parser.add_argument("model", metavar="NAME@VERSION", help="of MLflow: digits/3, digits@champion")
    parser.add_argument(
        "--keep", metavar="FOLDER", help="make the clone in this folder and leave it there, to be looked at"
    )


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Say what is done, then what came of it; the exit status is 1 if the version was not built again."""
    from podium.registry.proof.reproduce import reproduce  # MLflow: three seconds to import

    keep = arguments.here / arguments.keep if arguments.keep else None
    made = reproduce(root, arguments.model, _say, keep)
    _show(made)
    if keep:
        print(f"The clone is in {keep / 'clone'}")
    return 0 if made.holds else 1


def _say(line: str) -> None:
    print(harmless(line), flush=True)


def _show(made: "Reproduction") -> None:
    print()
    by_stage: dict[str, list[str]] = {}
    for one in made.outputs:
        by_stage.setdefault(one.stage, [])
        if one.same is not True:
            by_stage[one.stage].append(f"  {one.path}: {one.text}")
    for stage, lines in by_stage.items():
        count = sum(one.stage == stage for one in made.outputs)
        print(f"{harmless(stage)}: {count - len(lines)} of {count} outputs have the same bytes")
        for line in lines[:MAX_LINES]:
            print(harmless(line))
        if len(lines) > MAX_LINES:
            print(f"  and {len(lines) - MAX_LINES} more")
    print()
    _say(made.text)
