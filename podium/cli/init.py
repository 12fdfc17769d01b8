"""`podium init REFERENCE`: a first `params.yaml` for a dataset."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless
from podium.cli.use import FORCE
from podium.errors import PodiumError
from podium.paths import PARAMS

if TYPE_CHECKING:
    from podium.datasets.formats.survey.choosing import UnclearError
    from podium.datasets.formats.survey.reading import Reading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where the dataset is."""
    parser.add_argument(
        "reference",
        metavar="REFERENCE",
        help="kaggle:OWNER/SLUG (a dataset), kaggle:SLUG (a competition), its address; a folder, zip, 7z or tar.gz",
    )
    parser.add_argument("--name", help="the dataset's name: lower-case words joined by hyphens")
    parser.add_argument(
        "--as", type=int, metavar="N", dest="number", help="take this reading of the archive, where several were told"
    )
    parser.add_argument("--force", action="store_true", help=FORCE)


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Write the params page, and say what it is a guess from."""
    from podium.datasets.starter import init_page  # pandas, OpenCV and scikit-learn: two seconds to import

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    draft = init_page(
        root,
        arguments.reference,
        arguments.here,
        name=arguments.name,
        force=arguments.force,
        number=arguments.number,
        ask=_ask if _is_attended() else None,
    )
    print(f"{PARAMS} is now a draft for this dataset:")
    _say(*(f"  {title:<9} {fact}" for title, fact in draft.facts.items()))
    _say(*(f"Note: {note}" for note in draft.notes), *(f"Problem: {problem}" for problem in draft.problems))
    _say(*(_other(number, reading) for number, reading in draft.others if number))
    print(f"Look at it: {draft.look}")
    print(f"Next: look through {PARAMS}, then `dvc repro` or `podium run`.")


def _other(number: int, reading: "Reading") -> str:
    doubts = "".join(f" But: {doubt.removesuffix('.')}." for doubt in reading.doubts[:1])
    return f"Not taken: {reading.what}.{doubts} `--as {number}` takes it."


def _ask(unclear: "UnclearError") -> int | None:
    """Show the readings, and ask a person for the number of one; None for none."""
    _say(str(unclear))
    while True:
        try:
            answer = input(f"Which one? [1–{unclear.count}, Enter for none] ").strip()
        except EOFError:
            answer = ""
        if not answer:
            raise PodiumError(f"No reading is taken, and {PARAMS} is as it was.")
        if answer.isdecimal() and 1 <= int(answer) <= unclear.count:
            return int(answer)


def _is_attended() -> bool:
    """Say whether a person can answer: never in CI, which may have a terminal too."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _say(*texts: str) -> None:
    for text in texts:
        print(harmless(text))
